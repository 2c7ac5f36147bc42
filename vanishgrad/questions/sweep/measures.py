"""Measures of a sweep: one number at each point and for each trial, read off a curve."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from vanishgrad.arrays import Array
from vanishgrad.curves.curve import Curve, trial_horizons
from vanishgrad.errors import UsageError
from vanishgrad.reports.documents.declaration import Document
from vanishgrad.reports.documents.kinds import finite


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasuredQuantity(Document):
    """One measure at one point."""

    value: Annotated[float | None, "over trials; null where there is none, as a rate of products that are zero"]
    low: Annotated[float | None, "of a rate its 95 % interval, of others the 5 % quantile; least below 20 trials"]
    high: float | None
    trials: Annotated[Sequence[float | None], "of each trial; null for an exact zero or none"]
    censored: Annotated[bool, "whether a horizon lies beyond the run"] = False


@dataclass(frozen=True)
class Measure:
    """What can be asked of every point.

    Attributes
    ----------
    curve : str
        ``state`` or ``input``.
    title : str
        With its unit.
    read : callable
        (curve, ln norms (B, L)) → `MeasuredQuantity`.
    neutral : float or None
        Between vanishing and exploding.
    lag : int or None
        The lag that a run must have.
    """

    curve: str
    title: str
    read: Callable[[Curve, Array], MeasuredQuantity]
    neutral: float | None = None
    lag: int | None = None


def _rate(curve: Curve, log_norm: Array) -> MeasuredQuantity:
    trials = [finite(value) for value in curve.trial_rates.tolist()]
    value, low, high = (curve.rate.value, curve.rate.low, curve.rate.high) if curve.rate else (None, None, None)
    return MeasuredQuantity(value=value, low=low, high=high, trials=trials)


def _horizon(curve: Curve, log_norm: Array) -> MeasuredQuantity:
    horizon = curve.horizon
    by_trial = trial_horizons(log_norm[:, : curve.final_lag + 1], math.log(curve.threshold))
    trials = [int(lag) if lag >= 0 else None for lag in by_trial.tolist()]
    return MeasuredQuantity(
        value=horizon.lag, low=horizon.low, high=horizon.high, trials=trials, censored=horizon.censored
    )


def _log10_norm(curve: Curve, log_norm: Array, lag: int) -> MeasuredQuantity:
    band, ten = curve.log_norm, math.log(10)
    median, low, high = (finite(float(each[lag]) / ten) for each in (band.median, band.low, band.high))
    trials = [finite(value / ten) for value in log_norm[:, lag].tolist()]
    return MeasuredQuantity(value=median, low=low, high=high, trials=trials)


MEASURES = {
    "rate": Measure("state", "rate of ‖∂s_T/∂s_k‖, nats per step", _rate, neutral=0.0),
    "horizon": Measure("state", "horizon of ‖∂s_T/∂s_k‖, steps", _horizon),
    "input_horizon": Measure("input", "horizon of ‖∂h_T/∂x_k‖, steps", _horizon),
}
NORM = re.compile(r"norm@(\d{1,9})")


def measure_named(name: str) -> Measure:
    """Return a measure: one of `MEASURES`, or ``norm@LAG``.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    at = NORM.fullmatch(name)
    if at:
        lag = int(at[1])
        return Measure("state", f"log₁₀ ‖∂s_T/∂s_k‖ at lag {lag}", partial(_log10_norm, lag=lag), 0.0, lag)
    if name not in MEASURES:
        raise UsageError(f"expected a measure out of {', '.join(MEASURES)}, norm@LAG, got {name!r}; try norm@100")
    return MEASURES[name]
