"""The fused pass of the GRU whose reset gate stands behind the recurrent product."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import GRU, Cell
from vanishgrad.propagation.passes.fused import FusedPass, apart, logistic_of_tanh, side_by_side
from vanishgrad.propagation.passes.loops import gru_backward, gru_forward

R, Z, INNER, OUTER = range(4)
"""Blocks of rows: r, z, W^n_hh h + b_hn that r multiplies, and W^n_hx x + b_n."""


class GRUPass(FusedPass):
    """h_t = n̂ + z (h_{t-1} - n̂) with n̂ = tanh(outer + r inner); n̂ takes the place of outer.

    With g = ∂L/∂h_t: δ_z = g (h_{t-1} - n̂) z', δ_outer = g (1 - z) n̂', δ_inner = r δ_outer, δ_r = δ_outer inner r'.
    """

    logistic = (True, True, False, False)
    loops = (gru_forward, gru_backward)
    carries_h = True

    def stacked(self, cell: Cell) -> Array:
        """Return the candidate's rows twice: once for the state alone, once for the input alone."""
        assert isinstance(cell, GRU)
        n, joined = self.shape[2], side_by_side(cell)
        inner, outer = joined[:, 2 * n :].copy(), joined[:, 2 * n :].copy()
        inner[..., n:-1], inner[..., -1] = 0, cell.b_hn
        outer[..., :n] = 0
        return np.concatenate([joined[:, : 2 * n], inner, outer], axis=1)

    def by_tensor(self, stacked: Array) -> dict[str, Array]:
        """Return the candidate's recurrent part from inner, the rest from outer."""
        n = self.shape[2]
        gates, inner, outer = np.split(stacked, [2 * n, 3 * n], axis=1)
        of_n = np.concatenate([inner[..., :n], outer[..., n:]], axis=2)
        return apart(np.concatenate([gates, of_n], axis=1), n) | {"b_hn": inner[..., -1]}

    def _advance(self, t: int) -> None:
        u, candidate, h, r_z = self._scratch, self._block(t, OUTER), self._h(t), self._gates[t - 1, :, : Z + 1]
        np.tanh(r_z, out=r_z)
        logistic_of_tanh(r_z)
        candidate += np.multiply(self._block(t, R), self._block(t, INNER), out=u)
        np.tanh(candidate, out=candidate)
        np.subtract(self._h(t - 1), candidate, out=u)
        u *= self._block(t, Z)
        np.add(candidate, u, out=h)

    def _differentiate(self, t: int) -> None:
        u, dh, r, z, inner, candidate = (
            self._scratch,
            self._dh,
            *(self._block(t, place) for place in (R, Z, INNER, OUTER)),
        )
        of_r, of_z, of_inner, of_outer = (self._delta_block(place) for place in (R, Z, INNER, OUTER))
        np.multiply(dh, z, out=u)
        dh -= u
        np.multiply(candidate, candidate, out=of_outer)
        np.subtract(1, of_outer, out=of_outer)
        of_outer *= dh
        np.multiply(of_outer, r, out=of_inner)
        np.subtract(1, r, out=of_r)
        of_r *= inner
        of_r *= of_inner
        np.subtract(1, z, out=of_z)
        of_z *= u
        dh[...] = u
        of_z *= np.subtract(self._h(t - 1), candidate, out=u)
