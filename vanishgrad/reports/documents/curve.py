"""A curve in a report: norms by lag as base-10 logarithms over trials, with all that is read from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from vanishgrad.reports.documents.declaration import Count, Document, Limits, Log10, finite, one_length

if TYPE_CHECKING:
    from vanishgrad.arrays import Array
    from vanishgrad.curves.curve import Band, Curve, Peak, Rate

DIGITS = 12
"""Decimals of a logarithm: beyond the accuracy of any norm, within that of a float64."""

VerdictName = Literal["vanishing", "preserved", "exploding", "inconclusive"]
TrendName = Literal["contracting", "neutral", "expanding"]
ByLag = Annotated[
    Sequence[Log10 | None],
    "index = lag; null = exactly zero (in `mean`: zero in some trial), or not measured: `count` is 0 there; "
    "of a matrix-free run log10_rms is measured at lag 0 alone",
]


class BandDocument(Document):
    """Statistics over trials, base-10 logarithms by lag."""

    median: ByLag
    mean: ByLag
    low: ByLag
    high: ByLag

    def flaw(self) -> str | None:
        """Lists have one length."""
        return one_length(vars(self))


class RateDocument(Document):
    """Nats per step."""

    value: Annotated[float, "least-squares slope over the second half of the lags, mean over trials"]
    low: Annotated[float | None, "95 % interval; null with one trial"]
    high: float | None
    factor: Annotated[float | None, "exp(value)"]
    unit: Literal["nats/step"]


class PeakDocument(Document):
    """Where a product stands that grows tenfold before it decays."""

    lag: Count
    log10_norm: Log10


class CurveDocument(Document):
    """Norms by lag, and what they say."""

    log10_norm: BandDocument
    log10_rms: BandDocument
    count: Annotated[Sequence[Count], "trials at each lag, 0 where it was not measured"]
    zero_trials: Annotated[Count, "trials exactly zero at the last common lag"]
    zero_lag: Annotated[float | None, "median first lag that is exactly zero"]
    alive: Annotated[Mapping[str, Count], "lag → singular values at or above the threshold, median over trials"]
    rate: RateDocument | None
    trend: TrendName | None
    half_life: Annotated[float | None, "ln 2/|rate|, only if contracting"]
    projected_horizon: Annotated[
        Count | None, "where the median meets the threshold, straight on from the last common lag; only if contracting"
    ]
    horizon: Annotated[
        Count | None,
        "last lag up to which the median stays at the threshold; null if below at lag 0, or not resolved",
    ]
    horizon_censored: bool
    horizon_low: Count | None
    horizon_high: Count | None
    threshold: Annotated[float, Limits(exclusive_minimum=0, exclusive_maximum=1)]
    verdict: VerdictName
    verdict_counts: Mapping[str, Count]
    peak: PeakDocument | None
    by_trial: Annotated[
        Sequence[Sequence[Log10 | None]],
        "log₁₀ norm of each trial by its own lags, where --per-trial asks for it; null = exactly zero, or not measured",
    ] = ()

    @property
    def last(self) -> int:
        """The last lag."""
        return len(self.count) - 1

    @property
    def common_lag(self) -> int:
        """The last lag that every trial has, of which the verdict is."""
        trials = max(self.count)
        return max(lag for lag, count in enumerate(self.count) if count == trials)

    def flaw(self) -> str | None:
        """Norms and counts have one length, and some trial has a lag."""
        columns = {"count": self.count, "log10_norm": self.log10_norm.median, "log10_rms": self.log10_rms.median}
        longest = max(map(len, self.by_trial), default=0)
        if longest > len(self.count):
            return f"at most {len(self.count)} lags of a trial"
        return one_length(columns) or (None if any(self.count) else "a count above 0 at some lag")


def curve_document(curve: Curve) -> CurveDocument:
    """Return a curve's part of a document."""
    horizon = curve.horizon
    return CurveDocument.of(
        curve,
        log10_norm=band_document(curve.log_norm),
        log10_rms=band_document(curve.log_rms),
        rate=None if curve.rate is None else _rate(curve.rate),
        horizon=horizon.lag,
        horizon_censored=horizon.censored,
        horizon_low=horizon.low,
        horizon_high=horizon.high,
        peak=None if curve.peak is None else _peak(curve.peak),
        by_trial=[] if curve.by_trial is None else [log10s(_own_lags(each)) for each in curve.by_trial],
    )


def _own_lags(log_norm: Array) -> Array:
    """Return a trial's norms up to its own last lag."""
    own: Array = log_norm[: int(np.flatnonzero(~np.isnan(log_norm))[-1]) + 1]
    return own


def band_document(band: Band) -> BandDocument:
    """Return statistics over trials as base-10 logarithms."""
    median = log10s(band.median)
    # Of one trial all four are the same: of a million lags they take 32 MB each.
    return BandDocument(
        median=median,
        **{
            name: median if np.array_equal(values, band.median) else log10s(values)
            for name, values in (("mean", band.mean), ("low", band.low), ("high", band.high))
        },
    )


def log10s(values: Array) -> list[float | None]:
    """Return base-10 logarithms of natural ones, None for an exact zero or no number."""
    return [log10(value) for value in values.tolist()]


def log10(value: float) -> float | None:
    """Return the base-10 logarithm of a natural one, None for an exact zero or no number."""
    return round(value / math.log(10), DIGITS) + 0.0 if math.isfinite(value) else None


def _rate(rate: Rate) -> RateDocument:
    return RateDocument.of(rate, factor=finite(rate.factor), unit="nats/step")


def _peak(peak: Peak) -> PeakDocument:
    return PeakDocument(lag=peak.lag, log10_norm=round(peak.log_norm / math.log(10), DIGITS) + 0.0)
