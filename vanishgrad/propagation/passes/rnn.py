"""Fused passes of the vanilla RNN: of tanh, and of any other activation."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.propagation.passes.fused import FusedPass, apart, side_by_side
from vanishgrad.propagation.passes.loops import StepLoop, rnn_backward, rnn_forward


class RNNPass(FusedPass):
    """h_t = tanh a_t, δ_t = ∂L/∂h_t (1 - h_t²)."""

    logistic = (False,)
    loops: ClassVar[tuple[StepLoop, StepLoop] | None] = (rnn_forward, rnn_backward)

    def stacked(self, cell: Cell) -> Array:
        """Return the rows as they are."""
        return side_by_side(cell)

    def by_tensor(self, stacked: Array) -> dict[str, Array]:
        """Return its columns."""
        return apart(stacked, self.shape[2])

    def _advance(self, t: int) -> None:
        h = self._block(t, 0)
        self._h(t)[...] = np.tanh(h, out=h)

    def _differentiate(self, t: int) -> None:
        h, delta = self._block(t, 0), self._delta_block(0)
        np.multiply(h, h, out=delta)
        np.subtract(1, delta, out=delta)
        delta *= self._dh


class OtherRNNPass(RNNPass):
    """h_t = φ(a_t), δ_t = ∂L/∂h_t φ'(a_t) with another φ, of which the pre-activations are kept; NumPy's alone."""

    loops = None

    def __init__(self, cell: Cell, steps: int, batch: int) -> None:
        super().__init__(cell, steps, batch)
        self._activation = cell.activation

    def _advance(self, t: int) -> None:
        self._h(t)[...] = self._activation.phi(self._block(t, 0))

    def _differentiate(self, t: int) -> None:
        np.multiply(self._dh, self._activation.dphi(self._block(t, 0)), out=self._delta_block(0))
