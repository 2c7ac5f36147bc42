"""The logistic map as a cell, x_t = r x_{t-1} (1 - x_{t-1}): chaos whose exponent is known."""

from __future__ import annotations

import numpy as np

from vanishgrad.cells import Activation, Cell, Linearisation, Outer, StoredTrajectory

Array = np.ndarray


class Logistic(Cell):
    name = "logistic"
    gates = ("x",)

    def __init__(self, r: float) -> None:
        super().__init__(np.full((1, 1), r), np.zeros((1, 1)), np.zeros(1))

    def advance(self, t: int, sequences: Array, s: Array) -> tuple[Array, Array]:
        return self.state(s, s), s

    def state(self, record: Array, s: Array) -> Array:
        return self.W_hh[0, 0] * s * (1 - s)

    @property
    def activations(self) -> tuple[Activation, ...]:
        return ()

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        return _Slope(self.W_hh[0, 0] * (1 - 2 * records), start + 1)

    def gate_values(self, trajectory: StoredTrajectory) -> dict[str, Array]:
        return {}


class _Slope(Linearisation):
    def __init__(self, slopes: Array, first: int) -> None:
        self._slopes, self._first = slopes, first

    def dense(self, t: int) -> Array:
        return self._slopes[t - self._first][..., None]

    def tangent(self, t: int, V: Array, out: Array) -> None:
        out[:] = self.dense(t) * V

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        out[:] = self.dense(t) * W

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        out[:] = 0

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        out[:] = 0

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        raise NotImplementedError
