"""Matrix-free curves: norms at some lags, for products too large to be formed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from vanishgrad.arrays import Array, on_host
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.curves.recorder import MATRIX_FREE, Engine, Norms, alive_lags, log_rms, log_sizes, shares_of
from vanishgrad.curves.request import Scope
from vanishgrad.curves.statistics import quantile
from vanishgrad.propagation.singular_values.matrix_free import INPUT_BLOCK, Leading, VectorBlock, leading
from vanishgrad.propagation.singular_values.scaled_vectors import LinearisedSteps, ScaledVectors

UNKNOWN = 4e-6
"""A norm whose error may be larger, relative, is not reported; in float32 one has settled at 16 u = 1.9e-6."""
EVENLY = 7
"""Lags are measured at so many even steps up to the last, which gives the rate five in the second half."""


def measured_lags(last: int) -> list[int]:
    """Return the lags that are measured: powers of two and of ten, and even steps up to the last."""
    powers = [2**i for i in range(last.bit_length())]
    even = [round(i * last / EVENLY) for i in range(EVENLY + 1)]
    return sorted({lag for lag in (*powers, *alive_lags(last), *even, last // 2) if lag <= last})


class MatrixFreeCurves:
    """The curves of a run at some lags, NaN at all others.

    Around the lags at which a curve crosses the threshold more are measured, until the crossing stands between two
    neighbours: so the horizon is exact, unless the curve had been below and above again between two measured lags.
    """

    def __init__(self, cell: Cell, path: Trajectory, lengths: Array, threshold: float, scope: Scope) -> None:
        self._cell, self._path, self._lengths = cell, path, lengths
        self._level, self._longest = math.log(threshold), int(lengths.max())
        self._blocks = {name: block for name, block in _blocks(cell).items() if scope.covers(name)}
        self._found: dict[tuple[VectorBlock, int], Leading] = {}
        self._log_norm = {name: self._at_lag_0(block) for name, block in self._blocks.items()}
        self._measure()

    def _at_lag_0(self, block: VectorBlock) -> Array:
        """Return an empty curve, (B, L), but for ‖I‖ at lag 0."""
        values = np.full((len(self._lengths), self._longest + (block.source != INPUT_BLOCK)), np.nan)
        if block.source != INPUT_BLOCK:
            values[:, 0] = 0.0
        return values

    def _measure(self) -> None:
        lags = {*measured_lags(self._longest), *measured_lags(int(self._lengths.min()))}
        lags_of = {name: self._allowed(name, lags) for name in self._blocks}
        while any(lags_of.values()):
            pairs = [(self._blocks[name], lag) for name, block_lags in lags_of.items() for lag in block_lags]
            self._found |= leading(self._cell, self._path, pairs, dict(self._starts(pairs)))
            for name, block_lags in lags_of.items():
                for lag in block_lags:
                    largest = self._found[self._blocks[name], lag]
                    self._log_norm[name][:, lag] = np.where(largest.error <= UNKNOWN, largest.log_norm, np.nan)
            lags_of = {name: self._allowed(name, self._around_crossings(name)) for name in self._blocks}

    def _allowed(self, name: str, lags: Collection[int]) -> list[int]:
        """Return the lags of a curve that exist and have not been looked at; the last one of the input is T - 1."""
        block, last = self._blocks[name], self._log_norm[name].shape[1] - 1
        least = 0 if block.source == INPUT_BLOCK else 1
        return sorted({min(lag, last) for lag in lags if lag >= least and (block, min(lag, last)) not in self._found})

    def _starts(self, pairs: Collection[tuple[VectorBlock, int]]) -> Iterator[tuple[tuple[VectorBlock, int], Array]]:
        """Yield for each block and lag the left vectors of the nearest lag that is known."""
        for block, lag in pairs:
            neighbours = [other for near, other in self._found if near == block]
            if neighbours:
                yield (block, lag), self._found[block, min(neighbours, key=lambda other: abs(other - lag))].left

    def _around_crossings(self, name: str) -> list[int]:
        """Return up to seven lags inside each gap in which a trial or the median falls below the threshold."""
        values = self._log_norm[name]
        last = int(self._lengths.min())
        lags = [lag for lag in range(min(last + 1, values.shape[1])) if not np.isnan(values[:, lag]).any()]
        between: set[int] = set()
        for curve in (*values[:, lags], quantile(values[:, lags], 0.5)):
            below = np.flatnonzero(curve < self._level)
            if below.size and below[0] > 0:
                start, stop = lags[below[0] - 1], lags[below[0]]
                between |= {int(lag) for lag in np.linspace(start, stop, 9)[1:-1].round() if start < lag < stop}
        return sorted(between)

    @property
    def engine(self) -> Engine:
        """Which engine it was, the Lanczos steps at the last lag, and the largest error of a norm that is reported."""
        errors = [largest.error[largest.error <= UNKNOWN] for largest in self._found.values()]
        last = max(self._found, key=lambda pair: (pair[1], pair[0] == VectorBlock(None, None)), default=None)
        return Engine(
            MATRIX_FREE,
            0 if last is None else self._found[last].rows,
            float(max((each.max() for each in errors if each.size), default=0.0)),
        )

    def curves(self) -> dict[str, Norms]:
        """Return the norms of each curve: the Frobenius norm and what is alive only where they are certain."""
        return {name: self._norms(name, values) for name, values in self._log_norm.items()}

    def _norms(self, name: str, values: Array) -> Norms:
        lags = np.arange(values.shape[1]) + (self._blocks[name].source == INPUT_BLOCK)
        values[lags > self._lengths[:, None]] = np.nan
        log_rms = np.full_like(values, np.nan)
        log_rms[np.isneginf(values)] = -np.inf
        if self._blocks[name].source != INPUT_BLOCK:
            p, q = self._size(self._blocks[name].to), self._size(self._blocks[name].source)
            log_rms[:, 0] = math.log(min(p, q) / q) / 2
        counted = [min(lag, values.shape[1] - 1) for lag in alive_lags(int(self._lengths.min()))]
        gone = [lag for lag in counted if np.all(values[:, lag] < self._level)]
        return Norms(values, log_rms, {lag: np.zeros(len(values), dtype=int) for lag in gone})

    def _size(self, part: str | None) -> int:
        return self._cell.state_size if part is None else next(p.size for p in self._cell.parts if p.name == part)


def _blocks(cell: Cell) -> dict[str, VectorBlock]:
    hidden = cell.parts[0].name
    every = {"state": VectorBlock(None, None)}
    if len(cell.parts) > 1:
        every |= {name: VectorBlock(to, source) for name, (to, source) in cell.curves.items()}
        every["output"] = VectorBlock(hidden, None)
    return {**every, "input": VectorBlock(hidden, INPUT_BLOCK)}


def direct(
    cell: Cell, path: Trajectory, lengths: Array, loss: Array | None, threshold: float
) -> tuple[Mapping[str, Norms], Array]:
    """Return the conveyor at every lag, where the cell has one, and each trial's shares of the parameter gradient."""
    batch, longest = len(lengths), int(lengths.max())
    norm, rms, alive = np.full((batch, longest + 1), np.nan), np.full((batch, longest + 1), np.nan), dict[int, Array]()
    logs, log_shares = np.zeros((batch, 1)), np.full((batch, longest if loss is not None else 0), -np.inf)
    row, conveyed = _loss_row(cell, path, loss), True
    norm[:, 0] = rms[:, 0] = 0.0
    with np.errstate(divide="ignore"):
        for lag, (t, linearisation) in zip(range(longest), LinearisedSteps(cell, path).backward(), strict=False):
            if row is not None:
                sizes = linearisation.weight_gradient_norm(t, row.values[:, 0])
                log_shares[:, lag] = log_sizes(sizes) + on_host(row.exponents[:, 0]) * math.log(2)
                row.cotangent(linearisation, t)
            diagonal = linearisation.conveyor(t) if conveyed else None
            conveyed = diagonal is not None
            if diagonal is not None:
                logs = logs + log_sizes(diagonal)
                norm[:, lag + 1], rms[:, lag + 1] = logs.max(axis=1), log_rms(logs)
                if lag + 1 in alive_lags(int(lengths.min())):
                    alive[lag + 1] = np.sum(logs >= math.log(threshold), axis=1)
    beyond = np.arange(longest + 1) > lengths[:, None]
    norm[beyond] = rms[beyond] = np.nan
    return ({"conveyor": Norms(norm, rms, alive)} if conveyed else {}), shares_of(log_shares, lengths)


def _loss_row(cell: Cell, path: Trajectory, loss: Array | None) -> ScaledVectors | None:
    if loss is None:
        return None
    padded = np.zeros((len(loss), 1, cell.state_size), loss.dtype)
    padded[:, 0, cell.slices[cell.parts[0].name]] = loss
    return ScaledVectors.on(path.start, padded)
