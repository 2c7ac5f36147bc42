"""The fused pass of the GRU whose reset gate stands behind the recurrent product."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import GRU, Cell
from vanishgrad.propagation.passes.fused import (
    FusedPass,
    apart,
    logistic_of_exponent,
    side_by_side,
    tanh_of_exponent,
)
from vanishgrad.propagation.passes.loops import gru_backward, gru_forward

R, Z, INNER, OUTER = range(4)
"""Blocks of rows: r, z, W^n_hh h + b_hn that r multiplies, and W^n_hx x + b_n."""


class GRUPass(FusedPass):
    """h_t = n̂ + z (h_{t-1} - n̂) with n̂ = tanh(outer + r inner); n̂ takes the place of outer.

    With g = ∂L/∂h_t: δ_z = g (h_{t-1} - n̂) z', δ_outer = g (1 - z) n̂', δ_inner = r δ_outer, δ_r = δ_outer inner r'.
    """

    exponents = (-1, -1, 1, 1)

    def stacked(self, cell: Cell) -> Array:
        """Return the candidate's rows twice: once for the state alone, once for the input alone."""
        assert isinstance(cell, GRU)
        n, joined = self._n, side_by_side(cell)
        inner, outer = joined[:, 2 * n :].copy(), joined[:, 2 * n :].copy()
        inner[..., n:-1], inner[..., -1] = 0, cell.b_hn
        outer[..., :n] = 0
        return np.concatenate([joined[:, : 2 * n], inner, outer], axis=1)

    def by_tensor(self, stacked: Array) -> dict[str, Array]:
        """Return the candidate's recurrent part from inner, the rest from outer."""
        n = self._n
        gates, inner, outer = np.split(stacked, [2 * n, 3 * n], axis=1)
        of_n = np.concatenate([inner[..., :n], outer[..., n:]], axis=2)
        return apart(np.concatenate([gates, of_n], axis=1), n) | {"b_hn": inner[..., -1]}

    def _advance(self, t: int) -> None:
        if self._loops:
            self._loops.run(gru_forward, self._gates[t - 1], self._z[t - 1], self._z[t])
            return
        u, candidate, h = self._scratch, self._block(t, OUTER), self._h(t)
        logistic_of_exponent(self._block(t, R, 2))
        candidate += np.multiply(self._block(t, R), self._block(t, INNER), out=u)
        candidate *= -2
        tanh_of_exponent(candidate)
        np.subtract(self._h(t - 1), candidate, out=u)
        u *= self._block(t, Z)
        np.add(candidate, u, out=h)

    def _differentiate(self, t: int) -> None:
        if self._loops:
            self._loops.run(gru_backward, self._gates[t - 1], self._z[t - 1], self._dh, self._delta)
            return
        u, dh, candidate = self._scratch, self._dh, self._block(t, OUTER)
        rz, of_rz, of_outer = self._block(t, R, 2), self._delta_block(R, 2), self._delta_block(OUTER)
        np.multiply(rz, rz, out=of_rz)
        np.subtract(rz, of_rz, out=of_rz)
        np.subtract(self._h(t - 1), candidate, out=u)
        u *= dh
        self._delta_block(Z)[...] *= u
        np.multiply(candidate, candidate, out=of_outer)
        np.subtract(1, of_outer, out=of_outer)
        np.subtract(1, self._block(t, Z), out=u)
        u *= dh
        of_outer *= u
        np.multiply(of_outer, self._block(t, R), out=self._delta_block(INNER))
        self._delta_block(R)[...] *= np.multiply(of_outer, self._block(t, INNER), out=u)
        dh *= self._block(t, Z)

    def _retreat(self, t: int) -> None:
        """∂L/∂h_{t-1} = z ∂L/∂h_t + W_hhᵀ δ_t; the rows of outer do not see the state."""
        recurrent = 3 * self._n
        self._dh += np.matmul(self._W_hh_transposed[..., :recurrent], self._delta[:, :recurrent], out=self._scratch)
