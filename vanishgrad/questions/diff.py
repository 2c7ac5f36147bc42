"""`diff`: what changed from one report to another, what matters most first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated

from vanishgrad.errors import VanishgradError
from vanishgrad.languages import english, translate, translated
from vanishgrad.reports.documents.curve import CurveDocument
from vanishgrad.reports.documents.declaration import Document, Limits
from vanishgrad.reports.documents.embedded import listed
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.sentences import number, opening
from vanishgrad.reports.table import horizon
from vanishgrad.reports.terminal import FILE, Terminal, cell_width, padded, paragraph

LN_10 = math.log(10)
CURVES = ("state", "hidden", "cell", "conveyor", "input", "output")
MOST_LINES = 20
"""Changes that are printed; JSON has them all."""


class DiffRequest(Document):
    """Which two files: reports or checkpoints."""

    before: str
    after: str


class DiffChange(Document):
    """A number that is another one now."""

    label: str
    curve: Annotated[str | None, "null for a gate"]
    quantity: str
    before: float
    after: float
    change: Annotated[float, "after - before"]
    weight: Annotated[float, Limits(minimum=0), "sorts the changes: log₁₀ of the norm at the last common lag"]


class DiffDocument(ReportDocument):
    """What `diff` found."""

    command = "diff"

    request: DiffRequest
    only_before: Sequence[str]
    only_after: Sequence[str]
    changes: Annotated[Sequence[DiffChange], "what matters most first"]
    models: Annotated[Sequence[ModelDocument], "each pair, labelled before and after"]


def difference(before: ModelsDocument, after: ModelsDocument, request: DiffRequest) -> DiffDocument:
    """Return the document of a difference.

    Layers are paired by label, or by order where each side has one. A change's weight is the change of the log₁₀ norm
    at the last common lag that it stands for: of a rate over that many steps, of a horizon by the steeper rate, of a
    gate's mean its own difference; so that all can be sorted together.
    """
    pairs = _pairs(before, after)
    changes = [change for old, new in pairs for change in _changes(old, new) if change.weight > 0]
    changes.sort(key=lambda change: (-change.weight, change.label, change.quantity, change.curve or ""))
    return DiffDocument(
        request=request,
        only_before=_others(before, [old for old, _ in pairs]),
        only_after=_others(after, [new for _, new in pairs]),
        changes=changes,
        models=[
            ModelDocument.of(model, label=f"{when} {new.label}")
            for old, new in pairs
            for when, model in (("before", old), ("after", new))
        ],
    )


def _pairs(before: ModelsDocument, after: ModelsDocument) -> list[tuple[ModelDocument, ModelDocument]]:
    old, new = ({model.label: model for model in report.models} for report in (before, after))
    if len(old) == len(new) == 1:
        return list(zip(old.values(), new.values(), strict=True))
    pairs = [(old[label], new[label]) for label in old if label in new]
    if not pairs:
        raise VanishgradError(
            f"expected layers of the same names, got {', '.join(old)} and {', '.join(new)}; try --layer"
        )
    return pairs


def _others(report: ModelsDocument, paired: Sequence[ModelDocument]) -> list[str]:
    labels = {model.label for model in paired}
    return [model.label for model in report.models if model.label not in labels]


def _changes(old: ModelDocument, new: ModelDocument) -> Iterator[DiffChange]:
    for curve in CURVES:
        if curve in old.curves and curve in new.curves:
            yield from _curve_changes(new.label, curve, old.curves[curve], new.curves[curve])
    for gate in old.gates.keys() & new.gates.keys():
        before, after = old.gates[gate].mean, new.gates[gate].mean
        yield _change(new.label, None, english("{gate} gate mean", gate=gate), before, after, abs(after - before))


def _curve_changes(label: str, curve: str, old: CurveDocument, new: CurveDocument) -> Iterator[DiffChange]:
    last = min(old.common_lag, new.common_lag)
    norms = [each.log10_norm.median[last] for each in (old, new)]
    if norms[0] is not None and norms[1] is not None and not _by_rounding(norms[0], norms[1]):
        yield _change(
            label, curve, english("log10 norm at lag {lag}", lag=last), norms[0], norms[1], abs(norms[1] - norms[0])
        )
    if old.rate and new.rate:
        before, after = old.rate.value, new.rate.value
        yield _change(label, curve, english("rate"), before, after, abs(after - before) * last / LN_10)
    if old.horizon is not None and new.horizon is not None and old.horizon != new.horizon:
        steep = max((abs(each.rate.value) for each in (old, new) if each.rate), default=0.0)
        weight = abs(new.horizon - old.horizon) * steep / LN_10
        yield _change(label, curve, english("horizon"), old.horizon, new.horizon, weight)


def _by_rounding(old: float, new: float) -> bool:
    """Whether one number is the other one as a page holds it."""
    return old == listed(new) or new == listed(old)


def _change(label: str, curve: str | None, quantity: str, old: float, new: float, weight: float) -> DiffChange:
    return DiffChange(
        label=label, curve=curve, quantity=quantity, before=old, after=new, change=new - old, weight=weight
    )  # fmt: skip


def to_text(document: DiffDocument, terminal: Terminal = FILE) -> str:
    """Return the changes as lines, what matters most first, as a terminal has room for them."""
    first = opening(document.models)
    changes = document.changes[:MOST_LINES]
    verdicts = list(_verdicts(document.models))
    label_width = max(
        map(cell_width, [*(label for label, _ in verdicts), *(each.label for each in changes)]), default=0
    )
    quantity_width = max(map(cell_width, map(_quantity, changes)), default=0)
    lines = [*([first] if first else []), f"{document.request.before} → {document.request.after}"]
    lines += [f"  {padded(label, label_width)}  {verdict}" for label, verdict in verdicts]
    for change in changes:
        values = f"{_signed(change.before)} → {_signed(change.after)}"
        quantity = padded(_quantity(change), quantity_width)
        lines.append(f"  {padded(change.label, label_width)}  {quantity}  {values}")
    if len(document.changes) > MOST_LINES:
        count = len(document.changes) - MOST_LINES
        lines.append("  " + translate("… {count} smaller changes: --json has them all", count=count))
    if not document.changes:
        lines.append("  " + translate("no difference"))
    lines += ["  " + translate("only before: {label}", label=label) for label in document.only_before]
    lines += ["  " + translate("only after: {label}", label=label) for label in document.only_after]
    return "".join(f"{_fitting(line, terminal.width)}\n" for line in lines)


def _fitting(line: str, width: int) -> str:
    """Return a line as it is where it fits, else broken."""
    return line if cell_width(line) <= width else "\n".join(paragraph(line, width, "    "))


def _quantity(change: DiffChange) -> str:
    quantity = translated(change.quantity)
    return f"{translated(change.curve)} {quantity}" if change.curve else quantity


def _verdicts(models: Sequence[ModelDocument]) -> Iterator[tuple[str, str]]:
    """Yield each layer's label, and its verdict and horizon of the state, before and after."""
    for old, new in zip(models[::2], models[1::2], strict=True):
        if "state" in old.curves and "state" in new.curves:
            before, after = (_verdict(model.curves["state"]) for model in (old, new))
            label = new.label.removeprefix("after ")
            yield label, before if before == after else f"{before} → {after}"


def _verdict(state: CurveDocument) -> str:
    return translate(
        "{verdict}, horizon {horizon}",
        verdict=translated(state.verdict), horizon=horizon(state.horizon, state.horizon_censored),
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"{value}" if isinstance(value, int) else f"{'-' if value < 0 else ''}{number(abs(value))}"
