"""minGRU and minLSTM, whose gates see the input alone, so that their Jacobian is diagonal (Feng et al. 2024)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells.activations import SIGMOID, Activation
from vanishgrad.cells.elementwise import ElementwiseConvexUpdate, Slopes
from vanishgrad.cells.published_law import Draw, Tensors, linear_uniform, no_columns
from vanishgrad.cells.trajectory import StoredTrajectory
from vanishgrad.random_streams import Role


def _positive(a: Array) -> Array:
    xp = namespace(a)
    return xp.where(xp.real(a) >= 0, a + 0.5, SIGMOID.phi(a))


def _dpositive(a: Array) -> Array:
    xp = namespace(a)
    slope: Array = xp.where(a >= 0, xp.ones_like(a), SIGMOID.dphi(a))
    return slope


POSITIVE = Activation("positive", _positive, _dpositive, 1.0, decay=1.0)
"""g(a) = a + ½ from 0 on, σ(a) below: what the parallel form needs to take a logarithm of."""


class MinGRU(ElementwiseConvexUpdate):
    r"""h_t = (1 - z) ⊙ h_{t-1} + z ⊙ g(W^n x_t + b_n), z = σ(W^z x_t + b_z), so J_t = diag(1 - z_t), from x_t alone.

    The conveyor is the whole Jacobian: no state reaches a gate. Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024),
    "Were RNNs all we needed?". Published law: minGRU-pytorch's, one nn.Linear without bias, U(±1/√d).
    """

    name = "mingru"
    seen_parts = 0
    tensors = ("W_hx", "b")
    activation = POSITIVE
    gate_activation: Activation = SIGMOID

    def __init__(self, W_hx: Array, b: Array) -> None:
        super().__init__(no_columns(W_hx), W_hx, b)

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return W_hx of an nn.Linear without bias."""
        rows = draw.gates * draw.n
        return {"W_hx": linear_uniform(draw.of(Role.W_HX), rows, draw.d), "b": np.zeros(rows)}

    def factors(self, record: Array) -> tuple[Array, Array]:
        """Return what is kept and what is written, which sum to 1."""
        a_z = record[..., self.rows("z")]
        return self.gate_activation.complement(a_z), self.gate_activation.phi(a_z)

    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        a_n, kept = a[..., self.rows("n")], self.factors(a)
        difference = self.split(a)[-1]
        of_gates = tuple(-difference * slope for slope in self.written_slopes(a))
        return Slopes((kept[1] * self.activation.dphi(a_n), *of_gates), {("h", "h"): kept[0]}, conveyor=kept[0])

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return 1 - z."""
        return self.gate_activation.complement(a[..., self.rows("z")])

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln(1 - z) = -ln(1 + e^a), to the last digit where z is 1 to rounding."""
        logs: Array = -np.logaddexp(0, a[..., self.rows("z")])
        return logs

    def written_slopes(self, a: Array) -> tuple[Array, ...]:
        """Return the derivative of what is written by each gate's pre-activation."""
        return (self.gate_activation.dphi(a[..., self.rows("z")]),)


class MinLSTM(MinGRU):
    r"""h_t = f' ⊙ h_{t-1} + i' ⊙ g(W^n x_t + b_n), f' = f/(f + i), i' = i/(f + i), f, i = σ(W x_t + b): J_t = diag f'.

    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), "Were RNNs all we needed?". Published law: minGRU-pytorch's, an
    nn.Linear without bias, U(±1/√d).
    """

    name = "minlstm"

    def factors(self, record: Array) -> tuple[Array, Array]:
        """Return f' and i'."""
        f, i = (self.gate_activation.phi(record[..., self.rows(gate)]) for gate in ("f", "i"))
        return f / (f + i), i / (f + i)

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return f'."""
        return self.factors(a)[0]

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln f' = -ln(1 + i/f) with i/f = (1 + e^{-a_f})/(1 + e^{-a_i})."""
        a_f, a_i = a[..., self.rows("f")], a[..., self.rows("i")]
        logs: Array = -np.logaddexp(0, np.logaddexp(0, -a_f) - np.logaddexp(0, -a_i))
        return logs

    def written_slopes(self, a: Array) -> tuple[Array, ...]:
        """Return ∂i'/∂a_f = -f' i' (1 - f) and ∂i'/∂a_i = f' i' (1 - i)."""
        kept, written = self.factors(a)
        rest_f, rest_i = (self.gate_activation.complement(a[..., self.rows(gate)]) for gate in ("f", "i"))
        return -kept * written * rest_f, kept * written * rest_i

    def gate_values(self, trajectory: StoredTrajectory) -> dict[str, Array]:
        """Return f' and i', which are what is kept and written, each (T, B, n)."""
        kept, written = self.factors(trajectory.records[..., : self.record_size])
        return {self.row.words["f"]: kept, self.row.words["i"]: written}
