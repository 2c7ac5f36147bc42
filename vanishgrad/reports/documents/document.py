"""A result as the JSON document that every other report is made from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad import __version__
from vanishgrad.curves.statistics import QUANTILE_TRIALS

if TYPE_CHECKING:
    from vanishgrad.arrays import Array
    from vanishgrad.curves.bounds import Bound
    from vanishgrad.curves.curve import Band, Curve, Rate
    from vanishgrad.curves.gates import Gate
    from vanishgrad.curves.model_result import ModelResult
    from vanishgrad.curves.request import RunRequest

FORMAT_VERSION = 1
DIGITS = 12
"""Decimals of a logarithm: beyond the accuracy of any norm, within that of a float64."""

RUN_NAMES = (
    "steps", "trials", "seed", "input", "initial", "burn_in", "lengths", "threshold", "dtype", "engine", "backend",
    "device", "curves", "summary",
)  # fmt: skip
"""The options of a run that every report repeats, in its order."""
FILE_NAMES = ("layers", "stack", "embedding", "layout", "cell", "activation", "gate_activation", "reset", "ignore")
"""The options of a file, likewise."""
UNLESS_EMPTY = ("curves", "summary", "ignore")

Document = dict[str, Any]


def to_json(document: Document) -> str:
    """Return strict JSON, a line for each list of numbers."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def band_name(trials: int) -> str:
    """Return what `low` and `high` are."""
    return "min-max" if trials < QUANTILE_TRIALS else "5-95 %"


def header(command: str) -> Document:
    """Return what every document begins with."""
    return {"format": f"vanishgrad-{command}", "format_version": FORMAT_VERSION, "vanishgrad": __version__}


def request_document(request: RunRequest, names: Iterable[str], resolved: Document) -> Document:
    """Return a request as a report repeats it, in the report's order, with what was resolved.

    Parameters
    ----------
    names : iterable of str
        The options to repeat, in this order; tuples become lists.
    resolved : dict
        What a run made of some of them, and what it adds.
    """
    typed = {name: getattr(request, name) for name in names if hasattr(request, name)}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in typed.items()}
    return {name: value for name, value in (listed | resolved).items() if name not in UNLESS_EMPTY or value}


def model(result: ModelResult) -> Document:
    """Return one model's part of a document."""
    state = result.curves.get("state")
    return {
        "label": result.label,
        "spec": result.spec,
        "cell": result.cell,
        "hidden_size": result.hidden_size,
        "input_size": result.input_size,
        "state_size": result.state_size,
        "steps": result.steps,
        "trials": result.trials,
        "input_gain": result.input_gain,
        "source": dict(result.source),
        "curves": {name: curve_document(curve) for name, curve in result.curves.items()},
        "share_by_lag": [float(f"{share:.{DIGITS}g}") for share in result.share_by_lag.tolist()],
        "gates": {name: _gate(gate) for name, gate in result.gates.items()},
        "time_constants": _time_constants(result),
        "bounds": [_bound(bound) for bound in result.bounds],
        "per_trial": _per_trial(state) if state else [],
        "check": asdict(result.check),
        "engine": asdict(result.engine),
        "notes": list(result.notes),
    }


def _time_constants(result: ModelResult) -> list[float | None] | None:
    constants = result.time_constants
    return None if constants is None else [_finite(value) for value in constants.tolist()]


def curve_document(curve: Curve) -> Document:
    """Return a curve's part of a document."""
    horizon, peak = curve.horizon, curve.peak
    return {
        "log10_norm": band_document(curve.log_norm),
        "log10_rms": band_document(curve.log_rms),
        "count": curve.count.tolist(),
        "zero_trials": curve.zero_trials,
        "zero_lag": curve.zero_lag,
        "alive": {str(lag): count for lag, count in curve.alive.items()},
        "rate": _rate(curve.rate),
        "trend": curve.trend and curve.trend.value,
        "half_life": curve.half_life,
        "projected_horizon": curve.projected_horizon,
        "horizon": horizon.lag,
        "horizon_censored": horizon.censored,
        "horizon_low": horizon.low,
        "horizon_high": horizon.high,
        "threshold": curve.threshold,
        "verdict": curve.verdict.value,
        "verdict_counts": curve.verdict_counts,
        "peak": peak and {"lag": peak.lag, "log10_norm": log10(peak.log_norm)},
    }


def band_document(band: Band) -> Document:
    """Return statistics over trials as base-10 logarithms."""
    lists: Document = {"median": log10s(band.median)}
    for name in ("mean", "low", "high"):
        values = getattr(band, name)
        # Of one trial all four are the same: of a million lags they take 32 MB each.
        lists[name] = lists["median"] if np.array_equal(values, band.median) else log10s(values)
    return lists


def log10s(values: Array) -> list[float | None]:
    """Return base-10 logarithms of natural ones, None for an exact zero or no number."""
    return [log10(value) for value in values.tolist()]


def log10(value: float) -> float | None:
    """Return the base-10 logarithm of a natural one, None for an exact zero or no number."""
    return round(value / math.log(10), DIGITS) + 0.0 if math.isfinite(value) else None


def _rate(rate: Rate | None) -> Document | None:
    if rate is None:
        return None
    return {
        "value": rate.value,
        "low": rate.low,
        "high": rate.high,
        "factor": _finite(rate.factor),
        "unit": "nats/step",
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _gate(gate: Gate) -> Document:
    return {
        "mean": gate.mean,
        "quantiles": {f"{q:g}": value for q, value in gate.quantiles.items()},
        "saturated": {"near_zero": gate.near_zero, "near_one": gate.near_one},
    }


def _bound(bound: Bound) -> Document:
    return {
        "name": bound.name,
        "curve": bound.curve,
        "claim": bound.claim,
        "value": _finite(bound.value),
        "holds": bound.holds,
        "log10_norm": None if bound.log_norm is None else log10s(bound.log_norm),
    }


def _per_trial(curve: Curve) -> list[Document]:
    rows: Iterable[tuple[float, float, Any]] = zip(
        curve.trial_rates.tolist(), curve.trial_final.tolist(), curve.trial_verdicts, strict=True
    )
    return [
        {"trial": trial, "rate": _finite(rate), "log10_norm": log10(final), "verdict": verdict.value}
        for trial, (rate, final, verdict) in enumerate(rows)
    ]
