"""Statistics over trials, with zeros: a logarithm of -inf is an exact zero, NaN is a lag that a trial does not have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from vanishgrad.arrays import Array

QUANTILE_TRIALS = 20
"""From so many trials on the band is the 5 % and 95 % quantile; below, the least and the greatest trial."""


def quantile(values: Array, q: float) -> Array:
    """Return the quantile over axis 0 by linear interpolation, -inf where it would fall between -inf and a number.

    values (B, L), NaN for absent; the result (L,) is NaN where no trial is present.
    """
    return _quantiles_over_trials(values, (q,))[0]


def _quantiles_over_trials(values: Array, qs: Sequence[float]) -> Array:
    """Return several `quantile`s, (quantiles, L), from one sort."""
    if len(values) == 1:
        return np.repeat(values, len(qs), axis=0)
    ordered = np.sort(values, axis=0)
    last = np.maximum(np.sum(~np.isnan(values), axis=0) - 1, 0)
    position = np.multiply.outer(qs, last)
    below = np.floor(position).astype(int)
    low = np.take_along_axis(ordered, below, axis=0)
    weight = position - below
    if not weight.any():
        return low
    high = np.take_along_axis(ordered, np.minimum(below + 1, last), axis=0)
    zero = np.isneginf(low)
    step = np.where(zero | (weight == 0), 0.0, high - np.where(zero, 0.0, low))
    return low + weight * step


def quantiles(values: Array, qs: Sequence[float]) -> list[float]:
    """Return quantiles of all entries by linear interpolation; `np.quantile` would import `numpy.ma` for it."""
    ordered = np.sort(values, axis=None)
    return [float(value) for value in np.interp(np.array(qs) * (len(ordered) - 1), np.arange(len(ordered)), ordered)]


def band(values: Array) -> tuple[Array, Array]:
    """Return the 5 % and 95 % quantiles over trials, or the least and greatest below `QUANTILE_TRIALS` trials."""
    _, low, high = median_and_band(values)
    return low, high


def median_and_band(values: Array) -> tuple[Array, Array, Array]:
    """Return the median over trials and its `band`."""
    few = len(values) < QUANTILE_TRIALS
    median, low, high = _quantiles_over_trials(values, (0.5, 0.0, 1.0) if few else (0.5, 0.05, 0.95))
    return median, low, high


def slopes(lags: Array, values: Array) -> Array:
    """Return each trial's least-squares slope over the lags where it is finite, NaN with fewer than two of them.

    lags (L,), values (B, L).
    """
    finite = np.isfinite(values)
    count = finite.sum(axis=1)
    some = np.maximum(count, 1)
    x = np.where(finite, lags, 0.0)
    y = np.where(finite, values, 0.0)
    dx = np.where(finite, lags - (x.sum(axis=1) / some)[:, None], 0.0)
    dy = np.where(finite, y - (y.sum(axis=1) / some)[:, None], 0.0)
    spread = (dx**2).sum(axis=1)
    return np.where(spread > 0, (dx * dy).sum(axis=1) / np.where(spread > 0, spread, 1.0), np.nan)


def interval(values: Array) -> tuple[float, float] | None:
    """Return mean ± t₀.₉₇₅ s/√m, the 95 % interval of a mean; None for a single value."""
    m = len(values)
    if m < 2:
        return None
    mean, half = float(np.mean(values)), student_t(m - 1) * float(np.std(values, ddof=1)) / math.sqrt(m)
    return mean - half, mean + half


@lru_cache(maxsize=64)
def student_t(degrees: int, coverage: float = 0.95) -> float:
    """Return t with P(|X| ≤ t) = coverage for Student's distribution with whole degrees of freedom.

    By bisection on the angle θ = arctan(t/√ν), in which the probability is a finite sum (Abramowitz and Stegun 26.7.3,
    26.7.4).
    """
    low, high = 0.0, math.pi / 2
    while high - low > 1e-15:
        theta = (low + high) / 2
        low, high = (theta, high) if _within(theta, degrees) < coverage else (low, theta)
    return math.tan(low) * math.sqrt(degrees)


def _within(theta: float, degrees: int) -> float:
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = degrees % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for j in range(degrees // 2):
        total += term
        term *= cosine**2 * ((2 * j + 2) / (2 * j + 3) if odd else (2 * j + 1) / (2 * j + 2))
    return 2 / math.pi * (theta + sine * total) if odd else sine * total
