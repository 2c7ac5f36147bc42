"""Singular vectors of the Jacobian product: which directions of the state are preserved, and by which units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.masked_steps import TAKEN
from vanishgrad.curves.model_result import time_constants
from vanishgrad.curves.statistics import band, quantile
from vanishgrad.propagation.singular_values.all_values import Spectrum
from vanishgrad.questions.explain.run import Run

NAMED_UNITS = 5
"""Units that are named for each direction."""


@dataclass(frozen=True)
class Unit:
    """A unit of a part of the state, counted from 0, and its share v_i² of a unit vector.

    `time_constant` is -1/ln of the mean of the gate that keeps the unit, in steps; None where no gate does.
    """

    part: str
    index: int
    share: float
    time_constant: float | None


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
        Median and band over trials of ln σ_i, descending in i; -inf for a zero to rounding.
    effective_rank : float
        Median of exp(-Σ p_i ln p_i), p_i = σ_i/Σσ (Roy and Vetterli 2007); 0 for a product that is zero.
    spread : float or None
        Median of the standard deviation of ln σ_i, 0 for an isometry; None where every σ_i is zero.
    zeros : int
        Singular values that are zero to rounding, median.
    error : (r,) array
        Estimated error of ln σ_i, the largest of any trial.
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
    error: Array
    source: Carriers | None
    target: Carriers | None


@dataclass(frozen=True, eq=False)
class Directions:
    """The directions of each block, ``state`` and for an LSTM ``cell``, by ascending lag.

    `trials` is over how many trials: the first ones of a large network. `pooled` says whether carriers are means over
    them, which share their weights, or of the first alone.
    """

    blocks: Mapping[str, tuple[DirectionsAtLag, ...]]
    trials: int
    pooled: bool


def directions(run: Run) -> Directions:
    """Return the directions of a run at the lags that it asks for, and at the last.

    Notes
    -----
    About 5 m³ multiplications a step for each trial, and 20 m³ for each lag and block.
    """
    statistics, spectra = _Seen(run), run.spectra
    blocks = next(iter(spectra.values()))
    return Directions(
        {name: tuple(_at_lag(lag, each[name], statistics) for lag, each in spectra.items()) for name in blocks},
        len(blocks["state"].log_sigma),
        statistics.pooled,
    )


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


def _at_lag(lag: int, spectrum: Spectrum, statistics: _Seen) -> DirectionsAtLag:
    low, high = band(spectrum.log_sigma)
    spreads = spread(spectrum.log_sigma)
    return DirectionsAtLag(
        lag=lag,
        log_sigma=quantile(spectrum.log_sigma, 0.5),
        low=low,
        high=high,
        effective_rank=float(np.median(effective_rank(spectrum.log_sigma))),
        spread=None if np.isnan(spreads).all() else float(quantile(spreads[:, None], 0.5)[0]),
        zeros=int(np.median(np.isneginf(spectrum.log_sigma).sum(axis=1))),
        error=spectrum.error.max(axis=0),
        source=statistics.carriers(spectrum.right),
        target=statistics.carriers(spectrum.left),
    )


class _Seen:
    """The trials whose units are looked at: all where they share their weights, else the first."""

    def __init__(self, run: Run) -> None:
        self._cell, self.pooled = run.cell, run.cell.trials == 1
        self._trials = slice(None) if self.pooled else slice(1)
        gates, marks = run.cell.gate_values(run.trajectory), run.sequences.marks
        shape = (run.trajectory.steps, run.sequences.trials)
        taken = np.ones(shape, dtype=bool) if marks is None else marks.T == TAKEN
        counted = (slice(run.sequences.burn_in, None), self._trials)
        self._times = time_constants(
            run.cell, {name: each[counted][taken[counted]].mean(axis=0) for name, each in gates.items()}
        )

    def carriers(self, vectors: Array) -> Carriers | None:
        """Return the units that carry unit vectors (B, m), zero where there is none."""
        shares = vectors[self._trials] ** 2
        alive = shares.sum(axis=1) > 0
        if not alive.any():
            return None
        share = shares[alive].mean(axis=0)
        largest = np.argsort(-share, kind="stable")[:NAMED_UNITS]
        return Carriers(float(1 / np.sum(share**2)), tuple(self._unit(int(i), float(share[i])) for i in largest))

    def _unit(self, place: int, share: float) -> Unit:
        name, span = next((name, span) for name, span in self._cell.slices.items() if place < span.stop)
        index = place - span.start
        times = None if name != self._cell.conveyed else self._times
        return Unit(name, index, share, None if times is None else float(times[index]))
