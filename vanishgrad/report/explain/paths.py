"""The paths of the gradient: what the conveyor carries, and what goes through which gate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vanishgrad.report.document import Document, log10s
from vanishgrad.report.explain.passage import Passage
from vanishgrad.report.sentences import log10_text, number, power

if TYPE_CHECKING:
    from vanishgrad.analysis.explain.paths import Carried, Paths
    from vanishgrad.cells.arrays import Array

DIGITS = 12
CONVEYOR = "0"
KEEPING = {"forget": "forget gates", "keep": "keep gates"}
COLUMNS = {"0": "conveyor", "1": "1 detour", "2": "2", "more": "more"}
STATISTICS = ("median", "mean", "low", "high")


def paths_document(paths: Paths, model: Document) -> Document:
    """Return the section's part of the JSON document."""
    found: Document = {
        "curve": paths.curve,
        "detours": {name: _carried(carried) for name, carried in paths.detours.items()},
        "gates": {name: _carried(carried) for name, carried in paths.gates.items()},
    }
    return {**found, "sentence": sentence(found, model)}


def _carried(carried: Carried) -> Document:
    return {
        "log10_norm": {name: log10s(getattr(carried.log_norm, name)) for name in STATISTICS},
        "share": {name: _numbers(getattr(carried.share, name)) for name in ("mean", "low", "high")},
    }


def _numbers(values: Array) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values.tolist()]


def sentence(paths: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Return which way the gradient takes at its horizon, the last lag at which it is above the threshold."""
    lag = model["curves"][paths["curve"]]["horizon"] or 0
    conveyor = paths["detours"][CONVEYOR]["share"]["mean"][lag]
    by_gate = {name: carried["share"]["mean"][lag] for name, carried in paths["gates"].items()}
    first, *others = sorted(by_gate, key=lambda name: -abs(by_gate[name]))
    way = f"at lag {lag} the conveyor carries {percent(conveyor)} of {matrix(paths)}"
    if abs(conveyor) > 1.005:
        return f"{way}, and the detours take most of that back: the paths cancel"
    if conveyor > 0.995:
        return f"{way}: there is hardly another path"
    rest = ", ".join(f"{percent(by_gate[name])} through U_{name}" for name in others)
    return f"{way}; the rest returns through U_{first} ({percent(by_gate[first])}; {rest})"


def matrix(paths: Mapping[str, Any]) -> str:
    """Return the name of the matrix that is split."""
    return "∂c_T/∂c_k" if paths["curve"] == "cell" else "∂h_T/∂h_k"


def percent(share: float) -> str:
    """Return a share in per cent."""
    value = 100 * share
    return f"{value:.0f} %" if abs(value) >= 10 or abs(value) < 0.05 else f"{value:.1f} %"


def paths_passage(paths: Mapping[str, Any], model: Document) -> Passage:
    """Return the way that the gradient takes, at a few lags."""
    counts, gates = paths["detours"], paths["gates"]
    norms = model["curves"][paths["curve"]]["log10_norm"]["median"]
    rows = tuple(
        (
            str(lag),
            log10_text(norms[lag]),
            log10_text(counts[CONVEYOR]["log10_norm"]["median"][lag]),
            *(_share(carried, lag) for carried in (*counts.values(), *gates.values())),
        )
        for lag in few_lags(len(norms) - 1)
    )
    return Passage(
        title=f"Paths: {matrix(paths)} by the detours that leave the conveyor",
        sentences=tuple(each for each in (_conveyor(model), paths["sentence"]) if each),
        headings=("lag", "whole", "conv.", *COLUMNS.values(), *(f"U_{name}" for name in gates)),
        rows=rows,
        legend=(
            "whole, conv.: log₁₀ of ‖·‖₂; then shares in % along the direction that the whole keeps best: of the "
            "conveyor and of 1, 2, more detours, together 100; of the gate through which the last detour returns"
        ),
    )


def _share(carried: Mapping[str, Any], lag: int) -> str:
    share = carried["share"]["mean"][lag]
    return "–" if share is None else f"{100 * share + 0.0:.1f}" if abs(share) < 10 else f"{100 * share:.0f}"


def _conveyor(model: Mapping[str, Any]) -> str:
    """Say what a step along the conveyor costs, and which bias that is."""
    rate = model["curves"].get("conveyor", {}).get("rate")
    gate = next((name for name in KEEPING if name in model["gates"]), None)
    if rate is None or rate["factor"] is None or gate is None:
        return ""
    mean = model["gates"][gate]["mean"]
    bias = f" = σ({math.log(mean / (1 - mean)):.2f})" if 0 < mean < 1 else ""
    kept = power(20 * math.log10(rate["factor"]))
    return (
        f"the conveyor alone multiplies the gradient by {number(rate['factor'])} a step, {kept} in 20 steps: its "
        f"{KEEPING[gate]} average {number(mean)}{bias}"
    )


def few_lags(last: int) -> list[int]:
    """Return 1, 2, 5, 10, … below the last lag, and it."""
    return [*(digit * 10**decade for decade in range(8) for digit in (1, 2, 5) if digit * 10**decade < last), last]


def paths_series(paths: Mapping[str, Any]) -> Iterator[tuple[str, int, float | None]]:
    """Yield every number of the section."""
    for kind in ("detours", "gates"):
        for name, carried in paths[kind].items():
            for quantity in ("log10_norm", "share"):
                for statistic, values in carried[quantity].items():
                    for lag, value in enumerate(values):
                        yield f"{kind}.{name}.{quantity}_{statistic}", lag, value
