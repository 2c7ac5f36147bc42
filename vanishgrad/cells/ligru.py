"""LiGRU, the light gated recurrent unit: a GRU without reset gate, with relu (Ravanelli et al. 2018)."""

from __future__ import annotations

from vanishgrad.arrays import Array
from vanishgrad.cells.activations import RELU, SIGMOID, Activation
from vanishgrad.cells.elementwise import ElementwiseConvexUpdate, Slopes
from vanishgrad.cells.published_law import Draw, Tensors, stacked_glorot


class LiGRU(ElementwiseConvexUpdate):
    r"""h_t = z ⊙ h_{t-1} + (1 - z) ⊙ n̂ with z = σ(W^z h_{t-1} + …), n̂ = relu(W^n h_{t-1} + …).

        J_t = diag z + diag((h_{t-1} - n̂) z') W^z + diag((1 - z) 1[a > 0]) W^n .

    Ravanelli, Brakel, Omologo and Bengio (2018), "Light gated recurrent units for speech recognition"; the batch norm
    that the paper puts on W_hx x is the module's, not the recurrence's. Published law: torchrecurrent's, stacked Glorot
    matrices, no biases.
    """

    name = "ligru"
    gate_activation: Activation

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        activation: Activation = RELU,
        gate_activation: Activation = SIGMOID,
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        self.activation, self.gate_activation = activation, gate_activation

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return stacked Glorot matrices and no biases."""
        return stacked_glorot(draw)

    def factors(self, record: Array) -> tuple[Array, Array]:
        """Return z and 1 - z."""
        a_z = record[..., self.rows("z")]
        return self.gate_activation.phi(a_z), self.gate_activation.complement(a_z)

    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        a_z, a_n, difference = self.split(a)
        kept, written = self.factors(a)
        of_z = difference * self.gate_activation.dphi(a_z)
        return Slopes((of_z, written * self.activation.dphi(a_n)), {("h", "h"): kept}, conveyor=kept)
