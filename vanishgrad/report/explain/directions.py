"""The directions of the state: how many are preserved, how alike, and which units carry the best of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vanishgrad.report.document import Document, log10s
from vanishgrad.report.explain.passage import Passage
from vanishgrad.report.sentences import log10_text, number, power

if TYPE_CHECKING:
    from vanishgrad.analysis.explain.directions import Carriers, Directions, DirectionsAtLag

LN_10 = math.log(10)
PRECISE = 0.005
"""Decades of error that a table with one decimal does not show."""


def directions_document(directions: Directions, model: Document) -> Document:
    """Return the section's part of the JSON document."""
    found: Document = {
        "blocks": {name: [_at_lag(each) for each in lags] for name, lags in directions.blocks.items()},
        "pooled": directions.pooled,
    }
    return {**found, "sentence": sentence(found)}


def _at_lag(found: DirectionsAtLag) -> Document:
    return {
        "lag": found.lag,
        "log10_sigma": {
            "median": log10s(found.log_sigma),
            "low": log10s(found.low),
            "high": log10s(found.high),
        },
        "effective_rank": found.effective_rank,
        "spread_log10": None if found.spread is None else found.spread / LN_10,
        "zeros": found.zeros,
        "error_log10": found.error / LN_10,
        "source": _carriers(found.source),
        "target": _carriers(found.target),
    }


def _carriers(carriers: Carriers | None) -> Document | None:
    if carriers is None:
        return None
    units = [{"part": unit.part, "unit": unit.index, "share": unit.share} for unit in carriers.units]
    return {"number": carriers.number, "units": units}


def sentence(directions: Mapping[str, Any]) -> str:
    """Return how many directions reach the last lag, and how far they lie apart."""
    name, last = _told(directions)
    values = last["log10_sigma"]["median"]
    if values[0] is None:
        return f"at lag {last['lag']} every direction of the {name} is lost exactly"
    middle = values[len(values) // 2]
    median = "lost exactly" if middle is None else f"multiplied by {power(middle)}"
    return (
        f"at lag {last['lag']} the best direction of the {name} is multiplied by {power(values[0])}, the median one is "
        f"{median}: of {len(values)} directions {number(last['effective_rank'])} count"
    )


def _told(directions: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the block to speak of, the narrowest, at its last lag."""
    name, lags = list(directions["blocks"].items())[-1]
    return name, lags[-1]


def directions_passage(directions: Mapping[str, Any], model: Document) -> Passage:
    """Return the singular values in short, and the units that carry the best direction."""
    rows = [_row(name, each) for name, lags in directions["blocks"].items() for each in lags]
    return Passage(
        title="Directions: the singular values of ∂s_T/∂s_k",
        sentences=(directions["sentence"], *_carried(directions, model), *_imprecise(directions)),
        headings=("block", "lag", "best", "10 %", "median", "90 %", "last", "eff. rank", "spread", "zero"),
        rows=tuple(rows),
        legend=(
            "best … last: log₁₀ σ by rank; eff. rank: exp of the entropy of σ/Σσ; spread: standard deviation of "
            "log₁₀ σ, 0 for an isometry; zero: singular values that are exactly 0"
        ),
    )


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    values = found["log10_sigma"]["median"]
    picked = [values[round(share * (len(values) - 1))] for share in (0, 0.1, 0.5, 0.9, 1)]
    spread = found["spread_log10"]
    return (
        name,
        str(found["lag"]),
        *map(log10_text, picked),
        number(found["effective_rank"]),
        "–" if spread is None else number(spread),
        str(found["zeros"]),
    )


def _carried(directions: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[str]:
    name, last = _told(directions)
    if last["source"] is None:
        return
    whose = "" if directions["pooled"] or model["trials"] == 1 else " (first trial)"
    source, target = (_units(last[end], model) for end in ("source", "target"))
    yield f"the best direction over {last['lag']} steps of the {name}{whose} starts in {source}, and ends in {target}"


def _units(carriers: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    named = ", ".join(_unit(unit, model) for unit in carriers["units"][:3])
    return f"{named}, {number(carriers['number'])} units in all"


def _unit(unit: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    share = f"{100 * unit['share']:.0f} %"
    tau = time_constant(unit, model)
    return f"{unit['part']}{unit['unit']} ({share}{f', τ {number(tau)}' if tau is not None else ''})"


def time_constant(unit: Mapping[str, Any], model: Mapping[str, Any]) -> float | None:
    """Return -1/ln of the mean of the gate that keeps a unit, where there is one: of an LSTM's c, of a GRU's h."""
    constants = model["time_constants"]
    kept = "c" if "cell" in model["curves"] else "h"
    return constants[unit["unit"]] if constants is not None and unit["part"] == kept else None


def _imprecise(directions: Mapping[str, Any]) -> Iterator[str]:
    worst = max(found["error_log10"] for lags in directions["blocks"].values() for found in lags)
    if worst > PRECISE:
        yield f"the factors are so ill-conditioned that log₁₀ σ may be wrong by {number(worst)} (m u Σ κ(J_t))"
    else:
        yield f"estimated error of log₁₀ σ, m u Σ κ(J_t): {worst:.0e} at most"


def directions_series(directions: Mapping[str, Any]) -> Iterator[tuple[str, int, float | None]]:
    """Yield every singular value, counted from 0, and the numbers of each lag."""
    for name, lags in directions["blocks"].items():
        for found in lags:
            for statistic, values in found["log10_sigma"].items():
                for i, value in enumerate(values):
                    yield f"{name}.lag_{found['lag']}.log10_sigma_{statistic}", i, value
            for quantity in ("effective_rank", "spread_log10", "zeros", "error_log10"):
                yield f"{name}.{quantity}", found["lag"], found[quantity]
