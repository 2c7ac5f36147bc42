"""`diff`: what changed from one report to another, what matters most first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.report.document import Document, header
from vanishgrad.report.sentences import number

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
    changes = [change for label, old, new in pairs for change in _changes(label, old, new)]
    changes.sort(key=lambda change: (-change["weight"], change["label"], change["quantity"], change["curve"] or ""))
    return {
        **header("diff"),
        "request": {"before": names[0], "after": names[1]},
        "only_before": _missing(before, pairs, 1),
        "only_after": _missing(after, pairs, 2),
        "changes": changes,
        "models": [
            {**model, "label": f"{side} {label}"}
            for label, old, new in pairs
            for side, model in (("before", old), ("after", new))
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


def _missing(document: Document, pairs: list[tuple[str, Model, Model]], side: int) -> list[str]:
    paired = [pair[side]["label"] for pair in pairs]
    return [model["label"] for model in document["models"] if model["label"] not in paired]


def _changes(label: str, old: Model, new: Model) -> Iterator[Document]:
    for curve in CURVES:
        if curve in old["curves"] and curve in new["curves"]:
            yield from _curve_changes(label, curve, old["curves"][curve], new["curves"][curve])
    for gate in old["gates"].keys() & new["gates"].keys():
        values = (old["gates"][gate]["mean"], new["gates"][gate]["mean"])
        yield _change(label, None, f"{gate} gate mean", *values, abs(values[1] - values[0]))


def _curve_changes(label: str, curve: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Document]:
    last = min(len(old["count"]), len(new["count"])) - 1
    norms = [each["log10_norm"]["median"][last] for each in (old, new)]
    if None not in norms:
        yield _change(label, curve, f"log10 norm at lag {last}", *norms, abs(norms[1] - norms[0]))
    if old["rate"] and new["rate"]:
        rates = (old["rate"]["value"], new["rate"]["value"])
        yield _change(label, curve, "rate", *rates, abs(rates[1] - rates[0]) * last / LN_10)
    reached = [each["horizon"] for each in (old, new)]
    if None not in reached and reached[0] != reached[1]:
        steep = max((abs(each["rate"]["value"]) for each in (old, new) if each["rate"]), default=0.0)
        yield _change(label, curve, "horizon", *reached, abs(reached[1] - reached[0]) * steep / LN_10)


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
    lines += [f"  only before: {label}" for label in document["only_before"]]
    lines += [f"  only after: {label}" for label in document["only_after"]]
    return "\n".join(lines) + "\n"


def _signed(value: float) -> str:
    return f"{value}" if isinstance(value, int) else f"{'-' if value < 0 else ''}{number(abs(value))}"
