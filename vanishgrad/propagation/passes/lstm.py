"""The fused pass of the LSTM."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.propagation.passes.fused import (
    FusedPass,
    apart,
    logistic_of_exponent,
    side_by_side,
    tanh_of_exponent,
    tanh_of_logistic,
)
from vanishgrad.propagation.passes.loops import lstm_backward, lstm_forward

I, F, O, G = range(4)
"""Blocks of rows: the gates that a logistic function makes side by side, the candidate last."""


class LSTMPass(FusedPass):
    """c_t = f c_{t-1} + i g, h_t = o tanh c_t; beside the gates, c_t and tanh c_t are kept.

    With w = ∂L/∂c_t, all that reaches it: δ_i = w g i', δ_f = w c_{t-1} f', δ_g = w i g', δ_o = ∂L/∂h_t tanh(c_t) o'.
    """

    exponents = (-1, -1, -1, -2)

    def __init__(self, cell: Cell, steps: int, batch: int) -> None:
        super().__init__(cell, steps, batch)
        self._c = np.zeros((steps + 1, *self.shape), dtype=cell.dtype)
        self._tanh_c = np.empty((steps, *self.shape), dtype=cell.dtype)
        self._dc = np.empty(self.shape, dtype=cell.dtype)

    def stacked(self, cell: Cell) -> Array:
        """Return the rows of i, f, o, g."""
        return self._exchanged(side_by_side(cell))

    def by_tensor(self, stacked: Array) -> dict[str, Array]:
        """Return the rows in the order i, f, g, o of the cell."""
        return apart(self._exchanged(stacked), self._n)

    def _exchanged(self, stacked: Array) -> Array:
        i_f, third, fourth = np.split(stacked, [2 * self._n, 3 * self._n], axis=1)
        return np.concatenate([i_f, fourth, third], axis=1)

    def _advance(self, t: int) -> None:
        if self._loops:
            self._loops.run(
                lstm_forward, self._gates[t - 1], self._c[t - 1], self._c[t], self._tanh_c[t - 1], self._z[t]
            )
            return
        logistic_of_exponent(self._gates[t - 1])
        g = self._block(t, G)
        tanh_of_logistic(g)
        c, tanh_c, ig = self._c[t], self._tanh_c[t - 1], self._scratch
        np.multiply(self._block(t, F), self._c[t - 1], out=c)
        c += np.multiply(self._block(t, I), g, out=ig)
        np.multiply(c, -2, out=tanh_c)
        tanh_of_exponent(tanh_c)
        np.multiply(self._block(t, O), tanh_c, out=self._h(t))

    def _differentiate(self, t: int) -> None:
        if self._loops:
            self._loops.run(
                lstm_backward, self._gates[t - 1], self._c[t - 1], self._tanh_c[t - 1], self._dh, self._dc, self._delta
            )
            return
        gates, delta, dh, dc, u = self._gates[t - 1], self._delta, self._dh, self._dc, self._scratch
        tanh_c, n = self._tanh_c[t - 1], self._n
        np.multiply(gates, gates, out=delta)
        np.subtract(gates[:, : 3 * n], delta[:, : 3 * n], out=delta[:, : 3 * n])
        np.subtract(1, delta[:, 3 * n :], out=delta[:, 3 * n :])
        np.multiply(dh, tanh_c, out=u)
        self._delta_block(O)[...] *= u
        u *= tanh_c
        np.subtract(dh, u, out=u)
        u *= self._block(t, O)
        dc += u
        for gate, factor in ((I, self._block(t, G)), (F, self._c[t - 1]), (G, self._block(t, I))):
            self._delta_block(gate)[...] *= np.multiply(dc, factor, out=u)
        dc *= self._block(t, F)

    def _retreat(self, t: int) -> None:
        np.matmul(self._W_hh_transposed, self._delta, out=self._dh)

    def _cut(self) -> None:
        super()._cut()
        self._dc[...] = 0
