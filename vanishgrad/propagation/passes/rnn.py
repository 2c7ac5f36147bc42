"""The fused pass of the tanh network."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.propagation.passes.fused import FusedPass, apart, side_by_side, tanh_of_exponent
from vanishgrad.propagation.passes.loops import rnn_backward, rnn_forward


class RNNPass(FusedPass):
    """h_t = tanh a_t, δ_t = ∂L/∂h_t (1 - h_t²)."""

    exponents = (-2,)

    def stacked(self, cell: Cell) -> Array:
        """Return the rows as they are."""
        return side_by_side(cell)

    def by_tensor(self, stacked: Array) -> dict[str, Array]:
        """Return its columns."""
        return apart(stacked, self._n)

    def _advance(self, t: int) -> None:
        if self._loops:
            self._loops.run(rnn_forward, self._gates[t - 1], self._z[t])
            return
        h = self._gates[t - 1]
        tanh_of_exponent(h)
        self._h(t)[...] = h

    def _differentiate(self, t: int) -> None:
        if self._loops:
            self._loops.run(rnn_backward, self._gates[t - 1], self._dh, self._delta)
            return
        h, delta = self._gates[t - 1], self._delta
        np.multiply(h, h, out=delta)
        np.subtract(1, delta, out=delta)
        delta *= self._dh

    def _retreat(self, t: int) -> None:
        np.matmul(self._W_hh_transposed, self._delta, out=self._dh)
