"""One model in a report: what it is, where its weights come from, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from vanishgrad.languages import english
from vanishgrad.reports.documents.curve import (
    ByLag,
    CurveDocument,
    VerdictName,
    curve_document,
    log10,
    log10s,
)
from vanishgrad.reports.documents.declaration import Count, Digest, Document, Limits, Log10, Names, Size, finite

if TYPE_CHECKING:
    from vanishgrad.curves.bounds import Bound
    from vanishgrad.curves.curve import Curve
    from vanishgrad.curves.gates import Gate
    from vanishgrad.curves.model_result import ModelResult

SHARE_DIGITS = 12


class RandomSource(Document):
    """Weights that were drawn."""

    kind: Literal["random"]
    law: str
    seed: Count


class FileSource(Document):
    """Weights of a layer of a file; of a mapping of arrays where there is no path."""

    kind: Literal["file"]
    path: str | None
    layer: str
    layer_index: Count
    direction: Literal["forward", "backward"]
    layout: str
    sha256: Digest
    without: Annotated[Sequence[str], "tensors of its module that --ignore left out of the reading"]
    twins: Annotated[Sequence[str], "later layers of the file that hold the same numbers"] = ()


class OwnSource(Document):
    """A cell of the user's own."""

    kind: Literal["own"]
    function: Annotated[str, "the name of its step"]


class SaturatedDocument(Document):
    """Which fraction of a gate's values stands at an end."""

    near_zero: Annotated[float, "fraction below 0.05"]
    near_one: Annotated[float, "fraction above 0.95"]


class GateDocument(Document):
    """A gate's values over units, steps and trials."""

    mean: float
    quantiles: Annotated[Mapping[str, float], Names(("0.05", "0.25", "0.5", "0.75", "0.95"))]
    saturated: SaturatedDocument


class BoundDocument(Document):
    """A number that proves something about a curve."""

    name: str
    curve: str
    claim: str
    value: Annotated[float | None, "the largest over the trials"]
    holds: Annotated[bool | None, "whether the hypothesis of the claim holds; null where there is no claim"]
    log10_norm: Annotated[ByLag | None, "the bound by lag"]
    failure_probability: Annotated[
        float,
        Limits(minimum=0, maximum=1),
        "that the claim is wrong because it rests on random probes; 0 where it is proved",
    ]


class TrialDocument(Document):
    """One trial of the state's curve."""

    trial: Count
    rate: float | None
    log10_norm: Annotated[Log10 | None, "at the last common lag"]
    verdict: VerdictName


class JacobianCheckDocument(Document):
    """The run's own Jacobian against the complex step."""

    jacobian_error: Annotated[float, "largest error of J v relative to its largest entry"]
    tolerance: float
    steps: Count
    directions: Count


class EngineDocument(Document):
    """How the products were carried, and what that cost in accuracy."""

    name: Literal["dense", "adaptive", "matrix-free", "diagonal", "key-side", "attention"]
    final_rows: Annotated[Count, "rows of the product that were left at the last lag; matrix-free: Lanczos steps there"]
    error_bound: Annotated[
        float,
        "relative, of every norm at every lag; adaptive: holds with probability 1 - 1.6e-9 for each; matrix-free: "
        "by residuals, some singular value lies within, the largest one but for a start that has none of it",
    ]
    float32_loss: Annotated[float | None, "of a run in float32, largest |Δ ln ‖∂s_T/∂s_k‖₂| from float64's, in trial 0"]


class ModelDocument(Document):
    """What was measured of a model."""

    label: str
    spec: str
    cell: str
    hidden_size: Size
    input_size: Size
    state_size: Size
    steps: Size
    trials: Size
    input: Annotated[str, "what drove it, or the layers below it, in the end: white:STD, zeros, captured, or a file"]
    caution: Annotated[str | None, "what to know of that input before any number or remedy; null if nothing"]
    input_gain: Annotated[float | None, "measured standard deviation of W_hx x; null where no weights are known"]
    source: RandomSource | FileSource | OwnSource
    curves: Annotated[
        Mapping[str, CurveDocument], "state, hidden, cell, conveyor, input, output; of explain also total …"
    ]
    share_by_lag: Annotated[Sequence[float], "share of the terms of ‖∂L/∂W_hh‖ by lag, mean over trials"]
    gates: Mapping[str, GateDocument]
    time_constants: Annotated[Sequence[float | None] | None, "-1/ln of each unit's mean forget or keep gate, in steps"]
    bounds: Sequence[BoundDocument]
    per_trial: Sequence[TrialDocument]
    check: JacobianCheckDocument
    engine: EngineDocument
    notes: Sequence[str]
    masked_steps: Annotated[Count, "steps of all sequences that hand the state on: J_t = I, and no input"] = 0
    sections: Mapping[str, Any] = MappingProxyType({})
    """What an explanation adds, by name; None where it does not apply."""


DRIVEN_BY_NOISE = english("driven by white noise, which this layer may never see: give --input or a captured run")


def is_noise_for_weights(source: Mapping[str, Any], driven_by: str) -> bool:
    """Whether the weights are a file's and the input is white noise: trained weights have seen something else."""
    return source["kind"] == "file" and driven_by.partition(":")[0] == "white"


def model_members(result: ModelResult) -> dict[str, Any]:
    """Return the members of a model's document that are not simply the result's own."""
    state = result.curves.get("state")
    constants = result.time_constants
    return {
        "caution": DRIVEN_BY_NOISE if is_noise_for_weights(result.source, result.input) else None,
        "source": _source(result.source),
        "curves": {name: curve_document(curve) for name, curve in result.curves.items()},
        "share_by_lag": [float(f"{share:.{SHARE_DIGITS}g}") for share in result.share_by_lag.tolist()],
        "gates": {name: _gate(gate) for name, gate in result.gates.items()},
        "time_constants": None if constants is None else [finite(value) for value in constants.tolist()],
        "bounds": [_bound(bound) for bound in result.bounds],
        "per_trial": _per_trial(state) if state else [],
        "check": JacobianCheckDocument.of(result.check),
        "engine": EngineDocument.of(result.engine),
    }


def model_document(result: ModelResult) -> ModelDocument:
    """Return one model's part of a document."""
    return ModelDocument.of(result, **model_members(result))


def _source(source: Mapping[str, Any]) -> RandomSource | FileSource | OwnSource:
    kinds: dict[str, type[RandomSource | FileSource | OwnSource]] = {
        "random": RandomSource, "file": FileSource, "own": OwnSource,
    }  # fmt: skip
    return kinds[source["kind"]](**source)


def _gate(gate: Gate) -> GateDocument:
    return GateDocument.of(
        gate,
        quantiles={f"{q:g}": value for q, value in gate.quantiles.items()},
        saturated=SaturatedDocument.of(gate),
    )


def _bound(bound: Bound) -> BoundDocument:
    return BoundDocument.of(
        bound, value=finite(bound.value), log10_norm=None if bound.log_norm is None else log10s(bound.log_norm)
    )


def _per_trial(curve: Curve) -> list[TrialDocument]:
    rows = zip(curve.trial_rates.tolist(), curve.trial_final.tolist(), curve.trial_verdicts, strict=True)
    return [
        TrialDocument(trial=trial, rate=finite(rate), log10_norm=log10(final), verdict=verdict.value)
        for trial, (rate, final, verdict) in enumerate(rows)
    ]
