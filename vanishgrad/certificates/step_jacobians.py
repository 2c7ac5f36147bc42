r"""One-step Jacobians ∂s_t/∂s_{t-1} and ∂s_t/∂x_t as arrays of limbs, and how far they are from those of the real run.

With A ≥ ‖W_hh‖₂ and M as in `fixed_point_run`, a state that is off by e ≤ 1 / (1 + A) moves the Jacobian by at most
β e in the 2-norm, β = (M + 4)(M + 9)(1 + A)^q, q = 2, and q = 4 for a GRU (before), whose candidate holds a product of
two weights. Each factor is a product of gates, slopes and at most one entry of size M; |σ′| ≤ ¼, |σ″| ≤ 0.1, |tanh′| ≤
1, |tanh″| ≤ 0.77, and a pre-activation moves by A e, that of a GRU's candidate by (1 + M A / 4) A e (q = 2: (1 + M / 4)
A e). ∂s_t/∂x_t moves by (1 + ‖W_hx‖_F) β e at most.
"""

from __future__ import annotations

from vanishgrad.certificates.fixed_point_run import FixedPointRun
from vanishgrad.certificates.intervals import UP
from vanishgrad.certificates.limb_arrays import LimbArray, column, diagonal, of_floats, of_integers, stacked
from vanishgrad.certificates.matrix_norms import quick_norm_up
from vanishgrad.certificates.subject import CertifiedCell


def curvature(target: CertifiedCell, largest: float, weight_norm: float) -> float:
    """Return β for M = `largest` and A = `weight_norm`."""
    power = 4 if target.reset == "before" else 2
    return (largest + 4) * (largest + 9) * (1 + weight_norm) ** power * UP


class StepJacobians:
    """The Jacobians of a cell's steps with K limbs."""

    def __init__(self, target: CertifiedCell, count: int) -> None:
        self._target, self._count = target, count
        self._W, self._V = (of_floats(target.tensors[name], count) for name in ("W_hh", "W_hx"))
        self._of_cell = target.of_cell(self._rnn, self._lstm, self._gru)

    def curvature(self, run: FixedPointRun) -> float:
        """Return β."""
        return curvature(self._target, run.largest, quick_norm_up(self._target.tensors["W_hh"]))

    def recurrent(self, run: FixedPointRun, t: int) -> LimbArray:
        """Return ∂s_t/∂s_{t-1} (m, m) at the run's states, t from 1."""
        return self._of_cell(self._factors(run, t), self._W, True)

    def entry(self, run: FixedPointRun, t: int) -> LimbArray:
        """Return ∂s_t/∂x_t (m, d) at the run's states."""
        return self._of_cell(self._factors(run, t), self._V, False)

    def _factors(self, run: FixedPointRun, t: int) -> dict[str, LimbArray]:
        factors = run.factors[t - 1].items()
        return {name: of_integers(values, run.bits, self._count, run.defect) for name, values in factors}

    def _rnn(self, x: dict[str, LimbArray], W: LimbArray, is_recurrent: bool) -> LimbArray:
        return column(x["h"]) * W

    def _lstm(self, x: dict[str, LimbArray], W: LimbArray, is_recurrent: bool) -> LimbArray:
        n = self._target.hidden_size
        i, f, g, o = (column(x[gate]) * W[j * n : (j + 1) * n] for j, gate in enumerate("ifgo"))
        C, E = i + f + g, x["E"]
        to_h = column(E) * C + o
        if not is_recurrent:
            return stacked([[to_h], [C]])
        return stacked([[to_h, diagonal(E * x["F"])], [C, diagonal(x["F"])]])

    def _gru(self, x: dict[str, LimbArray], W: LimbArray, is_recurrent: bool) -> LimbArray:
        n, after = self._target.hidden_size, self._target.reset == "after"
        R, Z, N = (W[j * n : (j + 1) * n] for j in range(3))
        z_part, r_part = column(x["z"]) * Z, column(x["r"]) * R
        if after:
            J = z_part + column(x["n" if is_recurrent else "w"]) * N + r_part
        else:
            inner = self._W[2 * n : 3 * n] @ (r_part + diagonal(x["R"]) if is_recurrent else r_part)
            J = z_part + column(x["w"]) * (inner if is_recurrent else inner + N)
        return J + diagonal(x["Z"]) if is_recurrent else J
