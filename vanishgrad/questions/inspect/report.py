"""The layers of a file: what they are, why they were recognised so, and the norms of their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from vanishgrad.cells.registry import CELLS
from vanishgrad.languages import translatable, translate, translate_count, translated
from vanishgrad.questions.inspect.measure import (
    LONG_RUN,
    QUANTILES,
    STILL_HELD,
    InspectResult,
    KeepBias,
    LayerFacts,
    TimeConstants,
)
from vanishgrad.reports.documents.declaration import Count, Digest, Document, Names, Size, finite
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.sentences import number, prefix_line, shared_prefix
from vanishgrad.reports.terminal import FILE, LONGEST_LINE, Terminal, paragraph
from vanishgrad.weights.layers import Layer

QUANTILE_NAMES = tuple(f"{q:g}" for q in QUANTILES)
DIRECTIONS = {"forward": translatable("forward"), "backward": translatable("backward")}
RESETS = {
    "after": translatable(", reset after"),
    "before": translatable(", reset before"),
    "none": translatable(", reset none"),
}
ByQuantile = Annotated[Mapping[str, float], Names(QUANTILE_NAMES)]


class KeepBiasDocument(Document):
    """The bias of the gate that keeps the state, and the memory that it implies while its inputs are zero."""

    mean: float
    quantiles: ByQuantile
    time_constants: Annotated[
        Mapping[str, float | None],
        Names(QUANTILE_NAMES),
        "-1/ln σ(b) at the quantiles, in steps; null beyond the range of floating point",
    ]
    chrono_horizon: Annotated[
        float | None, "the T for which the chrono rule b = ln(T - 1) gives the last quantile; null beyond that range"
    ]


class TimeConstantsDocument(Document):
    """The memory of a diagonal recurrence's units while its input is zero: τ = -1/ln|a| of J_t = diag a."""

    quantiles: Annotated[
        Mapping[str, float | None], Names(QUANTILE_NAMES), "of τ over all units, in steps; null = for ever"
    ]
    still_held: Annotated[float, f"the share of units that keep {STILL_HELD:g} over {LONG_RUN} steps"]
    growing: Annotated[float, "the share with |a| of 1 or more, which never forgets"]


class LayerDocument(Document):
    """A recurrent layer of a file."""

    name: str
    twins: Annotated[Sequence[str], "later layers of the file that hold the same numbers, said here once"] = ()
    cell: str
    variant: str | None
    hidden_size: Size
    input_size: Size
    output_size: Size
    layer_index: Count
    direction: Literal["forward", "backward"]
    driven_by: Annotated[Sequence[str] | None, "layers below; null = the file does not tell"]
    dtype: str
    layout: str
    activation: str
    gate_activation: str | None
    reset: Literal["after", "before", "none"] | None
    why: str
    assumptions: Sequence[str]
    sha256: Digest
    norms: Annotated[Mapping[str, float], "gate → ‖W_hh of the gate‖₂"]
    spectral_radius: Annotated[float | None, "of the candidate's W_hh, of the whole without gates"]
    gamma_norm: Annotated[float | None, "γ‖W‖₂ of the same; null where no weights are known"]
    keep_bias: KeepBiasDocument | None
    time_constants: Annotated[TimeConstantsDocument | None, "where J_t is diagonal"] = None


class InspectDocument(ReportDocument):
    """What `inspect` found."""

    command = "inspect"

    file: str
    file_format: str
    layers: Sequence[LayerDocument]
    refused: Annotated[Sequence[str], "a sentence for each layer that could not be read"]
    calls: Annotated[Sequence[str], "callables that a pickle asks for; none was run"]


def inspection(result: InspectResult) -> InspectDocument:
    """Return the document of an inspection."""
    file = result.file
    return InspectDocument(
        file=file.path,
        file_format=file.format,
        layers=[_layer(facts) for facts in result.layers],
        refused=list(file.refused),
        calls=list(file.calls),
    )


def _variant(layer: Layer) -> str | None:
    """Return in words what sets a layer apart from its cell's plain form; the reset convention has its own field."""
    keys = [f"{key}={value}" for key, value in layer.reading.variant.items() if key != "reset"]
    return " ".join(filter(None, [layer.variant, *keys])) or None


def _layer(facts: LayerFacts) -> LayerDocument:
    layer, reading, keep = facts.layer, facts.layer.reading, facts.keep_bias
    return LayerDocument.of(
        layer,
        variant=_variant(layer),
        activation=reading.activation.name,
        gate_activation=reading.gate_activation.name if reading.gate_activation else None,
        reset=reading.reset,
        norms=dict(facts.norms),
        spectral_radius=facts.radius,
        gamma_norm=facts.gamma_norm,
        keep_bias=None if keep is None else _keep_bias(keep),
        time_constants=None if facts.time_constants is None else _constants(facts.time_constants),
    )


def _constants(constants: TimeConstants) -> TimeConstantsDocument:
    by_quantile = dict(zip(QUANTILE_NAMES, map(finite, constants.quantiles), strict=True))
    return TimeConstantsDocument.of(constants, quantiles=by_quantile)


def _keep_bias(keep: KeepBias) -> KeepBiasDocument:
    quantiles, time_constants = (
        dict(zip(QUANTILE_NAMES, map(finite, values), strict=True)) for values in (keep.quantiles, keep.time_constants)
    )
    return KeepBiasDocument.of(
        keep, quantiles=quantiles, time_constants=time_constants, chrono_horizon=finite(keep.chrono_horizon)
    )


def _steps(value: float | None) -> str:
    return translate("beyond 1e308") if value is None else number(value)


def to_text(document: InspectDocument, terminal: Terminal = FILE) -> str:
    """Return a paragraph for each layer, as wide as a terminal has room for."""
    count = len(document.layers)
    lines = [
        translate_count(
            "{file} ({format}): {count} recurrent layer", "{file} ({format}): {count} recurrent layers", count,
            file=document.file, format=document.file_format,
        )
    ]  # fmt: skip
    prefix = shared_prefix([layer.name for layer in document.layers])
    if prefix:
        lines.append(prefix_line(prefix))
    for layer in document.layers:
        lines += [
            "",
            _wrapped(_headline(layer, prefix), terminal),
            *(_wrapped(f"  {text}", terminal) for text in _facts(layer, prefix)),
        ]
    lines += [
        "\n" + _wrapped(translate("not read: {reason}", reason=sentence), terminal) for sentence in document.refused
    ]
    lines += ["", *(translate("not run: {name}", name=name) for name in document.calls)] if document.calls else []
    return "\n".join(lines) + "\n"


def _headline(layer: LayerDocument, prefix: str) -> str:
    variant = f"{layer.variant} " if layer.variant else ""
    twins = ", ".join(twin.removeprefix(prefix) for twin in layer.twins)
    same = f" (= {twins})" if twins else ""
    headline = translate(
        "{label}: {cell}, n = {hidden_size}, d = {input_size}, {direction}, {dtype}, {layout} layout",
        label=layer.name.removeprefix(prefix) + same, cell=variant + layer.cell.upper(), hidden_size=layer.hidden_size,
        input_size=layer.input_size, direction=translate(DIRECTIONS[layer.direction]), dtype=layer.dtype,
        layout=layer.layout,
    )  # fmt: skip
    return headline + (translate(RESETS[layer.reset]) if layer.reset else "")


def _facts(layer: LayerDocument, prefix: str) -> list[str]:
    gates = ", ".join(f"{gate} {number(norm)}" for gate, norm in layer.norms.items())
    radius = "" if layer.spectral_radius is None else f"; ρ(W) {number(layer.spectral_radius)}"
    reason = translated(layer.why)
    texts = [translate("why: {reason}", reason=reason.replace(prefix, "…") if prefix else reason)]
    if layer.gamma_norm is not None:
        texts.append(f"‖W_hh‖₂: {gates}; γ‖W‖₂ {number(layer.gamma_norm)}{radius}")
    keep = layer.keep_bias
    if keep:
        low, median, high = keep.quantiles.values()
        taus = [_steps(tau) for tau in keep.time_constants.values()]
        texts.append(
            translate(
                "{gate} bias: median {bias} ({low} … {high}); time constants -1/ln σ(b): median {tau} steps "
                "({least} … {most}); the chrono rule ln(T - 1) gives the upper end for T = {length}",
                gate=translated(CELLS[layer.cell].keep_word),
                bias=f"{median:.2f}",
                low=f"{low:.2f}",
                high=f"{high:.2f}",
                tau=taus[1],
                least=taus[0],
                most=taus[2],
                length=_steps(keep.chrono_horizon),
            )
        )
    constants = layer.time_constants
    if constants:
        shortest, middle, longest = (_steps(tau) for tau in constants.quantiles.values())
        texts.append(
            translate(
                "time constants -1/ln|a| without input: median {median} steps ({least} … {most}); {held} keep "
                "{factor} over {steps} steps, {growing} never forget",
                median=middle, least=shortest, most=longest, held=f"{constants.still_held:.1%}",
                factor=f"{STILL_HELD:g}", steps=LONG_RUN, growing=f"{constants.growing:.1%}",
            )
        )  # fmt: skip
    if layer.driven_by:
        texts.append(
            translate(
                "driven by {layers}",
                layers=translate(" and ").join(each.removeprefix(prefix) for each in layer.driven_by),
            )
        )
    return texts + [translate("note: {note}", note=translated(assumption)) for assumption in layer.assumptions]


def _wrapped(text: str, terminal: Terminal) -> str:
    width = min(terminal.width, LONGEST_LINE)
    return "\n".join(paragraph(text, width, "    "))
