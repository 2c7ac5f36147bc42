"""Diagonal curves: all lags of a cell whose Jacobian is diagonal, from cumulative sums of ln|a|; no product is formed.

∂s_T/∂s_k = diag(∏ a_t), so its singular values are |∏ a_t|, and their logarithms sums of ln|a_t| from k + 1 to T:
exact at any length, in O(T n). A complex a_t is a block [[Re, -Im], [Im, Re]] of two parts, of singular values |a_t|.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.cells.masked_steps import TAKEN, marks_of
from vanishgrad.curves.lag_batches import INPUT_CURVE
from vanishgrad.curves.recorder import DIAGONAL, Engine, Norms, alive_lags, input_lags, log_rms, shares_of
from vanishgrad.curves.request import Scope
from vanishgrad.propagation.singular_values.largest import largest_singular_value

STRETCH_NUMBERS = 2**17
"""Of multipliers that are held at a time: they stay in a core's cache."""
SMALLEST_PEAK, LARGEST_PEAK = 1e-150, 1e20
"""Between which the largest product of a stretch is the largest in fact, whatever has been left out below it."""
NEGLIGIBLE = -400.0
"""Nats below the largest sum under which a unit is left out: e^-400 · 1e20 is less than `SMALLEST_PEAK`."""


class DiagonalCurves:
    """The curves of a run of a diagonal cell at every lag.

    Parameters
    ----------
    cell : Cell
        With `is_diagonal`
    trajectory : Trajectory
    lengths : (B,) array of int
    loss : (B, n) array or None
        As for `measure`.
    threshold : float
    scope : Scope

    Notes
    -----
    A stretch of steps is multiplied out, which keeps all its digits, and takes one logarithm for each unit; only where
    it would leave the range of floating point it takes one for each step. The input's curve takes the largest singular
    value of an n × d matrix at each of its lags.
    """

    def __init__(
        self, cell: Cell, trajectory: Trajectory, lengths: Array, loss: Array | None, threshold: float,
        scope: Scope,
    ) -> None:  # fmt: skip
        self._cell, self._lengths, self._loss, self._level = cell, lengths, loss, math.log(threshold)
        self._units = cell.state_size // len(cell.parts)
        batch, self._steps = len(lengths), int(lengths.max())
        self._scope, self._counted = scope, alive_lags(int(lengths.min())) if scope.details else []
        shape = (batch, self._steps + 1)
        self._log_norm, self._log_rms = np.full(shape, np.nan), np.full(shape, np.nan)
        self._log_input = np.full((2, batch, self._steps), np.nan)
        self._log_shares = np.full((batch, 0 if loss is None else self._steps), -np.inf)
        self._log_hidden, self._alive_hidden = np.full((2, *shape), np.nan), dict[int, Array]()
        self._alive = dict[int, Array]()
        last = trajectory.steps
        self._has_conveyor = cell.linearise(trajectory, last - 1, last).conveyor(last) is not None
        self._record(trajectory)

    @property
    def engine(self) -> Engine:
        """Exact but for the rounding of sums."""
        return Engine(DIAGONAL, self._units, 0.0)

    def _record(self, trajectory: Trajectory) -> None:
        base = np.zeros((len(self._lengths), self._units))
        self._observe(0, base[None])
        for stop, start in self._stretches(trajectory):
            lag = trajectory.steps - stop + 1
            products = np.multiply.accumulate(self._sizes(trajectory, start, stop)[::-1], axis=0)
            top = base.max(axis=-1)
            after = self._after(base, products)
            below = base - top[:, None]
            products *= np.where(below < NEGLIGIBLE, 0.0, np.exp(below))
            peaks = products.max(axis=-1)
            if after is None or not (peaks.min() >= SMALLEST_PEAK and peaks.max() <= LARGEST_PEAK):
                sums = base + np.cumsum(self._logs(trajectory, start, stop).real[::-1], axis=0)
                self._observe(lag, sums)
                base = sums[-1]
                continue
            lags = slice(lag, lag + len(products))
            self._log_norm[:, lags] = (np.log(peaks) + top).T
            self._log_rms[:, lags] = (np.log(np.vecdot(products, products) / self._units) / 2 + top).T
            for counted in self._counted_in(lag, len(products)):
                with np.errstate(divide="ignore"):
                    self._count(counted, np.log(products[counted - lag]) + top[:, None])
            base = after
        if len(self._cell.parts) > 1 and self._scope.measures("hidden"):
            self._record_hidden(trajectory)
        if self._loss is not None or input_lags(self._lengths, self._scope):
            self._observe_steps(trajectory)

    def _record_hidden(self, trajectory: Trajectory) -> None:
        """Record the real parts of the products of complex numbers: ∂Re s_T/∂Re s_k."""
        self._log_hidden[:, :, 0] = 0.0
        for lag, sums in self._sums(trajectory):
            with np.errstate(divide="ignore"):
                logs = sums.real + np.log(np.abs(np.cos(sums.imag)))
            lags = slice(lag, lag + len(logs))
            self._log_hidden[0][:, lags] = logs.max(axis=-1).T
            self._log_hidden[1][:, lags] = np.stack([log_rms(each) for each in logs], axis=-1)
            for counted in self._counted_in(lag, len(logs)):
                self._alive_hidden[counted] = np.sum(logs[counted - lag] >= self._level, axis=-1)

    def _after(self, base: Array, products: Array) -> Array | None:
        """Return the sums behind a stretch; None where its own products have left the range of floating point."""
        last = products[-1]
        return base + np.log(last) if last.min() > SMALLEST_PEAK and products.max() < LARGEST_PEAK else None

    def _stretches(self, trajectory: Trajectory) -> Iterator[tuple[int, int]]:
        """Yield (stop, start) of stretches, newest first, as long as a core's cache holds."""
        longest = max(1, STRETCH_NUMBERS // (len(self._lengths) * self._units))
        first = trajectory.steps - self._steps
        for stop in range(trajectory.steps, first, -longest):
            yield stop, max(stop - longest, first)

    def _sizes(self, trajectory: Trajectory, start: int, stop: int) -> Array:
        """Return |a| of steps start + 1 … stop, (L, B, n), 1 of masked steps."""
        states, records = trajectory.between(start, stop)
        size = self._cell.record_size
        sizes = self._cell.multipliers(records[..., :size], states[:-1], states[1:]).astype(np.float64, copy=False)
        marks = marks_of(records, size)
        return sizes if marks is None else np.where((marks == TAKEN)[..., None], sizes, 1.0)

    def _sums(self, trajectory: Trajectory) -> Iterator[tuple[int, Array]]:
        """Yield the first lag of a stretch and Σ ln a of it and those behind it, (L, B, n), newest steps first."""
        total: Array | float = 0.0
        for stop, start in self._stretches(trajectory):
            sums = np.cumsum(self._logs(trajectory, start, stop)[::-1], axis=0)
            sums += total
            total = sums[-1].copy()
            yield trajectory.steps - stop + 1, sums

    def _logs(self, trajectory: Trajectory, start: int, stop: int) -> Array:
        """Return ln a of steps start + 1 … stop, (L, B, n), 0 of masked steps."""
        states, records = trajectory.between(start, stop)
        size = self._cell.record_size
        with np.errstate(divide="ignore"):
            logs = self._cell.log_multipliers(records[..., :size], states[:-1], states[1:])
        logs = logs.astype(np.result_type(logs.dtype, np.float64), copy=False)
        marks = marks_of(records, size)
        return logs if marks is None else np.where((marks == TAKEN)[..., None], logs, 0.0)

    def _observe(self, lag: int, logs: Array) -> None:
        sizes, lags = logs.real, slice(lag, lag + len(logs))
        self._log_norm[:, lags] = sizes.max(axis=-1).T
        self._log_rms[:, lags] = np.stack([log_rms(each) for each in sizes], axis=-1)
        for counted in self._counted_in(lag, len(logs)):
            self._count(counted, sizes[counted - lag])

    def _counted_in(self, lag: int, length: int) -> list[int]:
        return [each for each in self._counted if lag <= each < lag + length]

    def _count(self, lag: int, logs: Array) -> None:
        self._alive[lag] = np.sum(logs >= self._level, axis=-1) * len(self._cell.parts)

    def _observe_steps(self, trajectory: Trajectory) -> None:
        """Record what the steps' own derivatives add, at the lags that need them."""
        wanted, logs = set(input_lags(self._lengths, self._scope)), np.zeros((len(self._lengths), self._units))
        for first, sums in self._sums(trajectory):
            for place, after in enumerate(sums):
                lag = first + place - 1
                if self._loss is not None or lag in wanted:
                    self._observe_step(trajectory, lag, logs, lag in wanted)
                logs = after

    def _observe_step(self, trajectory: Trajectory, lag: int, logs: Array, with_input: bool) -> None:
        t, cell = trajectory.steps - lag, self._cell
        linearisation = cell.linearise(trajectory, t - 1, t)
        top = logs.real.max(axis=-1)
        some = np.where(np.isfinite(top), top, 0.0)
        factors = np.exp(logs - some[:, None])
        rows = [factors.real, -factors.imag][: len(cell.parts)]
        with np.errstate(divide="ignore"):
            if self._loss is not None:
                row = np.concatenate([self._loss * each for each in rows], axis=-1).astype(cell.dtype)
                self._log_shares[:, lag] = np.log(linearisation.weight_gradient_norm(t, row)) + some
            if with_input:
                identity = np.tile(np.eye(cell.input_size, dtype=cell.dtype), (len(logs), 1, 1))
                B = np.empty((len(logs), cell.state_size, cell.input_size), dtype=cell.dtype)
                linearisation.input_tangent(t, identity, B)
                parts = np.split(B, len(rows), axis=1)
                matrix = sum(
                    (each[..., None] * part for each, part in zip(rows, parts, strict=True)), start=np.zeros(())
                )
                self._log_input[0, :, lag] = np.log(largest_singular_value(matrix)) + some
                flat = np.linalg.norm(matrix.reshape(len(matrix), -1), axis=-1)
                self._log_input[1, :, lag] = np.log(flat) + some - math.log(cell.input_size) / 2

    def curves(self) -> dict[str, Norms]:
        """Return the norms of each curve."""
        beyond = np.arange(self._steps + 1) > self._lengths[:, None]
        self._log_norm[beyond] = self._log_rms[beyond] = np.nan
        self._log_input[:, beyond[:, 1:]] = np.nan
        state = Norms(self._log_norm, self._log_rms, self._alive)
        if len(self._cell.parts) == 1:
            found = {"state": state, **({"conveyor": state} if self._has_conveyor else {})}
        else:
            output = Norms(self._log_norm, self._log_rms - math.log(2) / 2, self._alive_output())
            self._log_hidden[:, beyond] = np.nan
            hidden = Norms(self._log_hidden[0], self._log_hidden[1], self._alive_hidden)
            found = {"state": state, "output": output, **({"hidden": hidden} if self._scope.measures("hidden") else {})}
        if input_lags(self._lengths, self._scope):
            found[INPUT_CURVE] = Norms(self._log_input[0], self._log_input[1], {})
        return found

    def _alive_output(self) -> dict[int, Array]:
        return {lag: alive // 2 for lag, alive in self._alive.items()}

    def shares(self) -> Array:
        """Return each trial's share of the parameter gradient by lag, (B, T); (B, 0) without a loss."""
        return shares_of(self._log_shares, self._lengths)
