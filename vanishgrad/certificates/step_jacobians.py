r"""One-step Jacobians ∂s_t/∂s_{t-1} and ∂s_t/∂x_t in limbs or float64, and how far they are from those of the real run.

With A ≥ ‖W_hh‖₂ and M as in `fixed_point_run`, a state that is off by e ≤ 1 / (1 + A) moves the Jacobian by at most
β e in the 2-norm, β = (M + 4)(M + 9)(1 + A)^q, q = 2, and q = 4 for a GRU (before), whose candidate holds a product of
two weights. Each factor is a product of gates, slopes and at most one entry of size M; |σ′| ≤ ¼, |σ″| ≤ 0.1, |tanh′| ≤
1, |tanh″| ≤ 0.77, and a pre-activation moves by A e, that of a GRU's candidate by (1 + M A / 4) A e (q = 2: (1 + M / 4)
A e). ∂s_t/∂x_t moves by (1 + ‖W_hx‖_F) β e at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from vanishgrad.arrays import Array
from vanishgrad.certificates import float_arrays, limb_arrays
from vanishgrad.certificates.fixed_point_run import FixedPointRun
from vanishgrad.certificates.float_arrays import FloatArray
from vanishgrad.certificates.intervals import UP
from vanishgrad.certificates.limb_arrays import LimbArray
from vanishgrad.certificates.matrix_norms import quick_norm_up
from vanishgrad.certificates.subject import CertifiedCell


def curvature(target: CertifiedCell, largest: float, weight_norm: float) -> float:
    """Return β for M = `largest` and A = `weight_norm`."""
    power = 4 if target.reset == "before" else 2
    return (largest + 4) * (largest + 9) * (1 + weight_norm) ** power * UP


Numbers = TypeVar("Numbers", LimbArray, FloatArray)


@dataclass(frozen=True)
class Arithmetic(Generic[Numbers]):
    """How float64 numbers, whole numbers over 2^bits that are off, and blocks become arrays of one kind."""

    of_floats: Callable[[Array], Numbers]
    of_integers: Callable[[Array, int, float], Numbers]
    stacked: Callable[[Sequence[Sequence[Numbers]]], Numbers]


FLOATS = Arithmetic(float_arrays.of_floats, float_arrays.of_integers, float_arrays.stacked)


def limbs(count: int) -> Arithmetic[LimbArray]:
    """Return the arithmetic of arrays of so many limbs."""
    return Arithmetic(
        lambda array: limb_arrays.of_floats(array, count),
        lambda values, bits, error: limb_arrays.of_integers(values, bits, count, error),
        limb_arrays.stacked,
    )


class StepJacobians(Generic[Numbers]):
    """The Jacobians of a cell's steps in an arithmetic."""

    def __init__(self, target: CertifiedCell, arithmetic: Arithmetic[Numbers]) -> None:
        self._target = target
        self._arithmetic: Arithmetic[Numbers] = arithmetic
        self._W: Numbers = arithmetic.of_floats(target.tensors["W_hh"])
        self._V: Numbers = arithmetic.of_floats(target.tensors["W_hx"])
        self._of_cell: Callable[[dict[str, Numbers], Numbers, bool], Numbers] = target.of_cell(
            self._rnn, self._lstm, self._gru
        )

    def curvature(self, run: FixedPointRun) -> float:
        """Return β."""
        return curvature(self._target, run.largest, quick_norm_up(self._target.tensors["W_hh"]))

    def recurrent(self, run: FixedPointRun, t: int) -> Numbers:
        """Return ∂s_t/∂s_{t-1} (m, m) at the run's states, t from 1."""
        return self._of_cell(self._factors(run, t), self._W, True)

    def entry(self, run: FixedPointRun, t: int) -> Numbers:
        """Return ∂s_t/∂x_t (m, d) at the run's states."""
        return self._of_cell(self._factors(run, t), self._V, False)

    def _factors(self, run: FixedPointRun, t: int) -> dict[str, Numbers]:
        factors = run.factors[t - 1].items()
        return {name: self._arithmetic.of_integers(values, run.bits, run.defect) for name, values in factors}

    def _rnn(self, x: dict[str, Numbers], W: Numbers, is_recurrent: bool) -> Numbers:
        return x["h"].column * W

    def _lstm(self, x: dict[str, Numbers], W: Numbers, is_recurrent: bool) -> Numbers:
        n = self._target.hidden_size
        i, f, g, o = (x[gate].column * W[j * n : (j + 1) * n] for j, gate in enumerate("ifgo"))
        C, E = i + f + g, x["E"]
        to_h = E.column * C + o
        if not is_recurrent:
            return self._arithmetic.stacked([[to_h], [C]])
        return self._arithmetic.stacked([[to_h, (E * x["F"]).diagonal], [C, x["F"].diagonal]])

    def _gru(self, x: dict[str, Numbers], W: Numbers, is_recurrent: bool) -> Numbers:
        n, after = self._target.hidden_size, self._target.reset == "after"
        R, Z, N = (W[j * n : (j + 1) * n] for j in range(3))
        z_part, r_part = x["z"].column * Z, x["r"].column * R
        if after:
            J = z_part + x["n" if is_recurrent else "w"].column * N + r_part
        else:
            inner = self._W[2 * n : 3 * n] @ (r_part + x["R"].diagonal if is_recurrent else r_part)
            J = z_part + x["w"].column * (inner if is_recurrent else inner + N)
        return J + x["Z"].diagonal if is_recurrent else J
