"""`diff`: what changed from one report to another, what matters most first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.documents.document import Document, header
from vanishgrad.reports.sentences import number

LN_10 = math.log(10)
CURVES = ("state", "hidden", "cell", "conveyor", "input", "output")
Model = Mapping[str, Any]


def difference(before: Document, after: Document, names: tuple[str, str]) -> Document:
    """Return the document of a difference.

    Layers are paired by label, or by order where each side has one. A change's weight is the change of the log₁₀ norm
    at the last common lag that it stands for: of a rate over that many steps, of a horizon by the steeper rate, of a
    gate's mean its own difference; so that all can be sorted together.
    """
    pairs = _pairs(before, after)
    changes = [change for label, old, new in pairs for change in _changes(label, old, new) if change["weight"] > 0]
    changes.sort(key=lambda change: (-change["weight"], change["label"], change["quantity"], change["curve"] or ""))
    return {
        **header("diff"),
        "request": {"before": names[0], "after": names[1]},
        "only_before": _others(before, {old["label"] for _, old, _ in pairs}),
        "only_after": _others(after, {new["label"] for _, _, new in pairs}),
        "changes": changes,
        "models": [
            {**model, "label": f"{when} {label}"}
            for label, old, new in pairs
            for when, model in (("before", old), ("after", new))
        ],
    }


def _pairs(before: Document, after: Document) -> list[tuple[str, Model, Model]]:
    try:
        old = {model["label"]: model for model in before["models"]}
        new = {model["label"]: model for model in after["models"]}
    except (KeyError, TypeError):
        raise VanishgradError("expected two reports with models, got another kind; try compare or analyze") from None
    if len(old) == len(new) == 1:
        return [(next(iter(new)), next(iter(old.values())), next(iter(new.values())))]
    pairs = [(label, old[label], new[label]) for label in old if label in new]
    if not pairs:
        raise VanishgradError(
            f"expected layers of the same names, got {', '.join(old)} and {', '.join(new)}; try --layer"
        )
    return pairs


def _others(document: Document, paired: set[str]) -> list[str]:
    return [model["label"] for model in document["models"] if model["label"] not in paired]


def _changes(label: str, old: Model, new: Model) -> Iterator[Document]:
    for curve in CURVES:
        if curve in old["curves"] and curve in new["curves"]:
            yield from _curve_changes(label, curve, old["curves"][curve], new["curves"][curve])
    for gate in old["gates"].keys() & new["gates"].keys():
        before, after = old["gates"][gate]["mean"], new["gates"][gate]["mean"]
        yield _change(label, None, f"{gate} gate mean", before, after, abs(after - before))


def _curve_changes(label: str, curve: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Document]:
    last = min(len(old["count"]), len(new["count"])) - 1
    before, after = (each["log10_norm"]["median"][last] for each in (old, new))
    if before is not None and after is not None:
        yield _change(label, curve, f"log10 norm at lag {last}", before, after, abs(after - before))
    if old["rate"] and new["rate"]:
        before, after = old["rate"]["value"], new["rate"]["value"]
        yield _change(label, curve, "rate", before, after, abs(after - before) * last / LN_10)
    before, after = old["horizon"], new["horizon"]
    if before is not None and after is not None and before != after:
        steep = max((abs(each["rate"]["value"]) for each in (old, new) if each["rate"]), default=0.0)
        yield _change(label, curve, "horizon", before, after, abs(after - before) * steep / LN_10)


def _change(label: str, curve: str | None, quantity: str, old: float, new: float, weight: float) -> Document:
    return {
        "label": label, "curve": curve, "quantity": quantity,
        "before": old, "after": new, "change": new - old, "weight": weight,
    }  # fmt: skip


def to_text(document: Mapping[str, Any], most: int = 20) -> str:
    """Return the changes as lines, what matters most first."""
    lines = [f"{document['request']['before']} → {document['request']['after']}"]
    for change in document["changes"][:most]:
        what = f"{change['curve']} {change['quantity']}" if change["curve"] else change["quantity"]
        values = f"{_signed(change['before'])} → {_signed(change['after'])}"
        lines.append(f"  {change['label']:<18} {what:<32} {values}")
    if len(document["changes"]) > most:
        lines.append(f"  … {len(document['changes']) - most} smaller changes: --json has them all")
    if not document["changes"]:
        lines.append("  no difference")
    lines += [f"  only before: {label}" for label in document["only_before"]]
    lines += [f"  only after: {label}" for label in document["only_after"]]
    return "\n".join(lines) + "\n"


def _signed(value: float) -> str:
    return f"{value}" if isinstance(value, int) else f"{'-' if value < 0 else ''}{number(abs(value))}"
