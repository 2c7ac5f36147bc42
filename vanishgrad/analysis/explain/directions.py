"""Which directions of the state are preserved, how many, and which units carry the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.analysis.explain.run import Run
from vanishgrad.analysis.measure import alive_lags
from vanishgrad.analysis.statistics import band, quantile
from vanishgrad.cells import Cell
from vanishgrad.cells.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.propagation.spectrum import Spectrum

NAMED_UNITS = 5
"""Units that are named for each direction."""


@dataclass(frozen=True)
class Unit:
    """A unit of a part of the state, counted from 0, and its share v_i² of a unit vector."""

    part: str
    index: int
    share: float


@dataclass(frozen=True)
class Carriers:
    """The units that carry a direction, the largest share first; `number` is how many there are, 1/Σ v_i⁴."""

    number: float
    units: tuple[Unit, ...]


@dataclass(frozen=True, eq=False)
class DirectionsAtLag:
    r"""The singular values of a block at one lag, over trials.

    Attributes
    ----------
    lag : int
    log_sigma, low, high : (r,) arrays
        Median and band over trials of ln σ_i, descending in i; -inf for an exact zero.
    effective_rank : float
        Median of exp(-Σ p_i ln p_i), p_i = σ_i/Σσ (Roy and Vetterli 2007); 0 for a product that is zero.
    spread : float or None
        Median of the standard deviation of ln σ_i, 0 for an isometry; None where every σ_i is zero.
    zeros : int
        Singular values that are exactly zero, median.
    error : float
        The largest estimated error of a logarithm, nats.
    source, target : Carriers or None
        What carries, at time T - lag, the direction that is preserved best, and at time T what becomes of it; None if
        nothing is preserved.
    """

    lag: int
    log_sigma: Array
    low: Array
    high: Array
    effective_rank: float
    spread: float | None
    zeros: int
    error: float
    source: Carriers | None
    target: Carriers | None


@dataclass(frozen=True, eq=False)
class Directions:
    """The directions of each block, ``state`` and for an LSTM ``cell``, by ascending lag.

    `pooled` says whether carriers are means over trials, which share their weights, or of the first trial alone.
    """

    blocks: Mapping[str, tuple[DirectionsAtLag, ...]]
    pooled: bool


def directions(run: Run) -> Directions:
    """Return the directions of a run at the lags that it asks for.

    Notes
    -----
    About 5 m³ multiplications a step for each trial, and 20 m³ for each lag and block.
    """
    pooled = run.cell.trials == 1
    found = run.spectra
    blocks = next(iter(found.values()))
    return Directions(
        {name: tuple(_at_lag(run.cell, lag, each[name], pooled) for lag, each in found.items()) for name in blocks},
        pooled,
    )


def direction_blocks(cell: Cell) -> dict[str, tuple[str, str] | None]:
    """Return the blocks whose singular values are asked for.

    The whole state of an LSTM is never nearly isometric, its cell can be: so the cell's block stands beside it.
    """
    hidden = cell.parts[0].name
    cells = {name: block for name, block in cell.curves.items() if hidden not in block}
    return {"state": None, **cells}


def direction_lags(lags: tuple[int, ...], last: int) -> list[int]:
    """Return the lags to look at: those asked for, or 1, the powers of ten and the last.

    Raises
    ------
    UsageError
        If a lag lies beyond the last.
    """
    if lags and max(lags) > last:
        raise UsageError(f"expected --lags up to {last}, got {max(lags)}; try --steps {max(lags)}")
    return sorted(set(lags or [1, *alive_lags(last)]))


def effective_rank(log_sigma: Array) -> Array:
    """Return exp(-Σ p ln p) with p = σ/Σσ of ln σ (B, r), descending; 0 where all σ are zero."""
    top = log_sigma[:, :1]
    some = np.isfinite(top)
    sigma = np.exp(log_sigma - np.where(some, top, 0))
    p = sigma / np.where(some, sigma.sum(axis=1, keepdims=True), 1)
    entropy = -np.sum(p * np.log(np.where(p > 0, p, 1)), axis=1)
    return np.where(some[:, 0], np.exp(entropy), 0.0)


def spread(log_sigma: Array) -> Array:
    """Return the standard deviation of what is finite in ln σ (B, r), NaN where nothing is."""
    finite = np.isfinite(log_sigma)
    count = finite.sum(axis=1)
    values = np.where(finite, log_sigma, 0)
    mean = values.sum(axis=1) / np.maximum(count, 1)
    square = np.sum(np.where(finite, (log_sigma - mean[:, None]) ** 2, 0), axis=1) / np.maximum(count, 1)
    return np.where(count > 0, np.sqrt(square), np.nan)


def _at_lag(cell: Cell, lag: int, found: Spectrum, pooled: bool) -> DirectionsAtLag:
    low, high = band(found.log_sigma)
    spreads = spread(found.log_sigma)
    return DirectionsAtLag(
        lag=lag,
        log_sigma=quantile(found.log_sigma, 0.5),
        low=low,
        high=high,
        effective_rank=float(np.median(effective_rank(found.log_sigma))),
        spread=None if np.isnan(spreads).all() else float(quantile(spreads[:, None], 0.5)[0]),
        zeros=int(np.median(np.isneginf(found.log_sigma).sum(axis=1))),
        error=float(found.error.max()),
        source=_carriers(cell, found.right, pooled),
        target=_carriers(cell, found.left, pooled),
    )


def _carriers(cell: Cell, vectors: Array, pooled: bool) -> Carriers | None:
    shares = (vectors if pooled else vectors[:1]) ** 2
    alive = shares.sum(axis=1) > 0
    if not alive.any():
        return None
    share = shares[alive].mean(axis=0)
    largest = np.argsort(-share, kind="stable")[:NAMED_UNITS]
    return Carriers(float(1 / np.sum(share**2)), tuple(_unit(cell, int(i), float(share[i])) for i in largest))


def _unit(cell: Cell, place: int, share: float) -> Unit:
    name, span = next((name, span) for name, span in cell.slices.items() if place < span.stop)
    return Unit(name, place - span.start, share)
