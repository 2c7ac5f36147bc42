"""Decay curves: the band over trials of a norm by lag, with rate, trend, horizon and verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.curves.statistics import band, interval, median_and_band, slopes

SHORTEST_FIT = 4
"""Below so many lags no rate is fitted."""
SLOPE_RESOLUTION = 1e-9
"""What a norm's relative error can make of a slope, times the number of lags: closer to zero than this is zero."""
PEAK_FACTOR = math.log(10)


class Verdict(str, Enum):
    """What the norm at the last lag says about this length, and of no other."""

    VANISHING = "vanishing"
    PRESERVED = "preserved"
    EXPLODING = "exploding"
    INCONCLUSIVE = "inconclusive"


class Trend(str, Enum):
    """Where the rate goes, from its interval against zero."""

    CONTRACTING = "contracting"
    NEUTRAL = "neutral"
    EXPANDING = "expanding"


class Band(NamedTuple):
    """Natural logarithms over trials by lag, each (L,): -inf is an exact zero, NaN is no number."""

    median: Array
    mean: Array
    low: Array
    high: Array


class Rate(NamedTuple):
    """Nats per step: the mean of the trials' slopes and its 95 % interval, None with one trial."""

    value: float
    low: float | None
    high: float | None

    @property
    def factor(self) -> float:
        """What one step multiplies the gradient by, inf beyond the range of a float64."""
        try:
            return math.exp(self.value)
        except OverflowError:
            return math.inf


class Peak(NamedTuple):
    """Where a product stands that grows tenfold before it decays."""

    lag: int
    log_norm: float


class Horizon(NamedTuple):
    """The largest lag up to which the norm has stayed at the threshold or above; None if not even at lag 0."""

    lag: int | None
    censored: bool
    low: int | None
    high: int | None


@dataclass(frozen=True, eq=False)
class Curve:
    """Norms by lag with all that is read from them; design of the fields as in the JSON report.

    Attributes
    ----------
    log_norm, log_rms : Band
        ln ‖·‖₂ and ln(‖·‖_F/√q) by lag.
    count : (L,) array of int
        Trials at each lag.
    final_lag : int
        The last lag that every trial has: rate, verdict and horizon read up to it.
    trial_rates, trial_final : (B,) arrays
        Each trial's slope (NaN for none) and ln norm at `final_lag`.
    transient : bool
        Whether the rate of the other half of the lags lies outside the interval.
    """

    log_norm: Band
    log_rms: Band
    count: Array
    final_lag: int
    zero_trials: int
    zero_lag: float | None
    alive: Mapping[int, int]
    rate: Rate | None
    trend: Trend | None
    half_life: float | None
    projected_horizon: int | None
    horizon: Horizon
    threshold: float
    verdict: Verdict
    trial_rates: Array
    trial_final: Array
    trial_verdicts: tuple[Verdict, ...]
    peak: Peak | None
    transient: bool
    by_trial: Array | None = None

    @property
    def verdict_counts(self) -> dict[str, int]:
        """How many trials have each verdict."""
        counts = Counter(verdict.value for verdict in self.trial_verdicts)
        return {verdict.value: counts[verdict.value] for verdict in Verdict if counts[verdict.value]}


def curve(log_norm: Array, log_rms: Array, alive: Mapping[int, Array], threshold: float) -> Curve:
    """Return what a curve says.

    Parameters
    ----------
    log_norm, log_rms : (B, L) arrays
        Natural logarithms by trial and lag, -inf for an exact zero, NaN where a trial has no such lag.
    alive : mapping
        Lag → number of singular values at or above the threshold, (B,).
    threshold : float
        Between 0 and 1.
    """
    final = int(np.flatnonzero(~np.isnan(log_norm).any(axis=0))[-1])
    level = math.log(threshold)
    bands = over_trials(log_norm)
    low, high = (float(each[0]) for each in band(log_norm[:, final : final + 1]))
    zero = np.isneginf(log_norm[:, final])
    mostly_zero = bool(2 * zero.sum() > len(zero))
    trial_rates = _rates(log_norm, final // 2, final)
    rate = None if final < SHORTEST_FIT or mostly_zero else _rate(trial_rates[~zero])
    trend = _trend(rate, final)
    contracting = trend is Trend.CONTRACTING and rate is not None
    horizon = _horizon(log_norm[:, : final + 1], bands.median[: final + 1], level)
    below_level = level - float(bands.median[final])
    return Curve(
        log_norm=bands,
        log_rms=bands if log_rms is log_norm else over_trials(log_rms),
        count=np.sum(~np.isnan(log_norm), axis=0),
        final_lag=final,
        zero_trials=int(zero.sum()),
        zero_lag=_zero_lag(log_norm[zero]),
        alive={lag: int(np.sort(counts)[(len(counts) - 1) // 2]) for lag, counts in alive.items()},
        rate=rate,
        trend=trend,
        half_life=math.log(2) / -rate.value if rate and contracting else None,
        projected_horizon=_projected(final, below_level / rate.value, horizon) if rate and contracting else None,
        horizon=horizon,
        threshold=threshold,
        verdict=Verdict.VANISHING if mostly_zero else _verdict(low, high, level),
        trial_rates=trial_rates,
        trial_final=log_norm[:, final],
        trial_verdicts=tuple(_verdict(value, value, level) for value in log_norm[:, final].tolist()),
        peak=_peak(bands.median[: final + 1]),
        transient=_transient(log_norm[~zero], rate, final),
    )


def kept_throughout(curve: Curve) -> Curve:
    """Return a curve that is inconclusive, not preserved, where its median falls below the threshold on the way."""
    along = curve.log_norm.median[: curve.final_lag + 1]
    below = bool(np.any(along < math.log(curve.threshold)))
    return replace(curve, verdict=Verdict.INCONCLUSIVE) if below and curve.verdict is Verdict.PRESERVED else curve


def over_trials(values: Array) -> Band:
    """Return the statistics over trials of natural logarithms (B, L), NaN for absent."""
    with np.errstate(invalid="ignore"):
        total = np.where(np.isneginf(values).any(axis=0), np.nan, np.nansum(values, axis=0))
        mean = total / np.sum(~np.isnan(values), axis=0)
    median, low, high = median_and_band(values)
    return Band(median, mean, low, high)


def _rates(log_norm: Array, start: int, stop: int) -> Array:
    return slopes(np.arange(start, stop + 1, dtype=float), log_norm[:, start : stop + 1])


def _rate(trial_rates: Array) -> Rate | None:
    rates = trial_rates[np.isfinite(trial_rates)]
    if not rates.size:
        return None
    low, high = interval(rates) or (None, None)
    return Rate(float(np.mean(rates)), low, high)


def _trend(rate: Rate | None, final: int) -> Trend | None:
    """From the interval; with one trial there is none, and the sign of the slope must do."""
    if rate is None:
        return None
    resolution = SLOPE_RESOLUTION / final
    low = rate.value if rate.low is None else rate.low
    high = rate.value if rate.high is None else rate.high
    if high < -resolution:
        return Trend.CONTRACTING
    return Trend.EXPANDING if low > resolution else Trend.NEUTRAL


def _zero_lag(zeros: Array) -> float | None:
    if not len(zeros):
        return None
    first = np.median(_first_below(zeros, -math.inf, or_equal=True))
    return float(first) if math.isfinite(first) else None


def _first_below(values: Array, level: float, or_equal: bool = False) -> Array:
    """Return the first lag below the level of each row, or the row's length; NaN behind a lag that was not measured."""
    below = values <= level if or_equal else values < level
    first = np.where(below.any(axis=-1), np.argmax(below, axis=-1), values.shape[-1])
    before = np.take_along_axis(values, np.maximum(first - 1, 0)[..., None], axis=-1)[..., 0]
    return np.where(np.isnan(before) & (first > 0) & (first < values.shape[-1]), np.nan, first)


def _horizon(log_norm: Array, median: Array, level: float) -> Horizon:
    end = float(_first_below(median, level))
    by_trial = trial_horizons(log_norm, level)[:, None]
    low, high = (math.nan, math.nan) if np.isnan(by_trial).any() else (float(each[0]) for each in band(by_trial))
    return Horizon(_lag(end - 1), end == len(median), _lag(low), _lag(high))


def _projected(final: int, further: float, horizon: Horizon) -> int:
    """Return the lag `further` behind the last, or what was measured if that is more."""
    measured = horizon.lag or 0
    return max(measured, round(final + further)) if math.isfinite(further) else measured


def trial_horizons(log_norm: Array, level: float) -> Array:
    """Return each trial's own horizon, (B,): -1 if not even at lag 0, NaN where it lies among lags not measured."""
    horizons: Array = _first_below(log_norm, level) - 1.0
    return horizons


def _lag(lag: float) -> int | None:
    return math.floor(lag) if lag >= 0 else None


def _verdict(low: float, high: float, level: float) -> Verdict:
    if high < level:
        return Verdict.VANISHING
    if low > -level:
        return Verdict.EXPLODING
    return Verdict.PRESERVED if low >= level and high <= -level else Verdict.INCONCLUSIVE


def _peak(median: Array) -> Peak | None:
    lag = int(np.nanargmax(median))
    tall = lag > 0 and median[lag] >= median[0] + PEAK_FACTOR and median[-1] < median[lag]
    return Peak(lag, float(median[lag])) if tall and lag < len(median) - 1 else None


def _transient(log_norm: Array, rate: Rate | None, final: int) -> bool:
    if rate is None or rate.low is None or rate.high is None:
        return False
    other = _rates(log_norm, 0, final // 2)
    other = other[np.isfinite(other)]
    resolution = SLOPE_RESOLUTION / final
    return bool(other.size) and not rate.low - resolution <= float(np.mean(other)) <= rate.high + resolution
