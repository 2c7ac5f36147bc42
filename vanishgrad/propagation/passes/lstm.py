"""The fused pass of the LSTM."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.propagation.passes.fused import FusedPass, apart, logistic_of_tanh, side_by_side
from vanishgrad.propagation.passes.loops import lstm_backward, lstm_forward

I, F, O, G = range(4)
"""Blocks of rows: the gates that a logistic function makes side by side, the candidate last."""


class LSTMPass(FusedPass):
    """c_t = f c_{t-1} + i g, h_t = o tanh c_t; beside the gates, c_t and tanh c_t are kept.

    With w = ∂L/∂c_t, all that reaches it: δ_i = w g i', δ_f = w c_{t-1} f', δ_g = w i g', δ_o = ∂L/∂h_t tanh(c_t) o'.
    """

    logistic = (True, True, True, False)
    loops = (lstm_forward, lstm_backward)

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
        return apart(self._exchanged(stacked), self.shape[2])

    def _exchanged(self, stacked: Array) -> Array:
        i_f, third, fourth = np.split(stacked, [2 * self.shape[2], 3 * self.shape[2]], axis=1)
        return np.concatenate([i_f, fourth, third], axis=1)

    def _advance(self, t: int) -> None:
        gates, c, tanh_c = self._gates[t - 1], self._c[t], self._tanh_c[t - 1]
        np.tanh(gates, out=gates)
        logistic_of_tanh(gates[:, :G])
        np.multiply(self._block(t, F), self._c[t - 1], out=c)
        c += np.multiply(self._block(t, I), self._block(t, G), out=self._scratch)
        np.tanh(c, out=tanh_c)
        np.multiply(self._block(t, O), tanh_c, out=self._h(t))

    def _differentiate(self, t: int) -> None:
        gates, delta, dc, u = self._gates[t - 1], self._delta_by_block, self._dc, self._scratch
        i, f, o, g = (self._block(t, gate) for gate in (I, F, O, G))
        of_i, of_f, of_o, of_g = (self._delta_block(gate) for gate in (I, F, O, G))
        np.subtract(1, gates[:, :G], out=delta[:, :G])
        delta[:, :G] *= gates[:, :G]
        np.multiply(g, g, out=of_g)
        np.subtract(1, of_g, out=of_g)
        np.multiply(self._dh, self._tanh_c[t - 1], out=u)
        of_o *= u
        u *= self._tanh_c[t - 1]
        np.subtract(self._dh, u, out=u)
        u *= o
        dc += u
        of_i *= np.multiply(dc, g, out=u)
        of_g *= np.multiply(dc, i, out=u)
        of_f *= np.multiply(dc, self._c[t - 1], out=u)
        dc *= f
