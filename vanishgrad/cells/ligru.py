"""LiGRU, the light gated recurrent unit: a GRU without reset gate, with relu (Ravanelli et al. 2018)."""

from __future__ import annotations

from vanishgrad.arrays import Array
from vanishgrad.cells.activations import RELU, SIGMOID, Activation
from vanishgrad.cells.elementwise import ElementwiseCell, Slopes
from vanishgrad.cells.published_law import Draw, Tensors, stacked_glorot


class LiGRU(ElementwiseCell):
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

    def state(self, record: Array, s: Array) -> Array:
        """Return h_t."""
        a_z, a_n = self.split(record)
        gate = self.gate_activation
        return gate.phi(a_z) * s + gate.complement(a_z) * self.activation.phi(a_n)

    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        a_z, a_n = self.split(a)
        gate, activation = self.gate_activation, self.activation
        of_z, kept = (before - activation.phi(a_n)) * gate.dphi(a_z), gate.phi(a_z)
        return Slopes((of_z, gate.complement(a_z) * activation.dphi(a_n)), {("h", "h"): kept}, conveyor=kept)
