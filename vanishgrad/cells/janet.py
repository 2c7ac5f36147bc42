"""JANET, "just another network": an LSTM with nothing but its forget gate (van der Westhuizen and Lasenby 2018)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, for_each_sequence, namespace
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.elementwise import ElementwiseCell, Slopes
from vanishgrad.cells.linearisation import Outer
from vanishgrad.cells.published_law import Draw, Tensors, stacked_glorot


class JANET(ElementwiseCell):
    r"""h_t = σ(s) ⊙ h_{t-1} + (1 - σ(s - β)) ⊙ n̂ with s = W^f h_{t-1} + …, n̂ = φ(W^n h_{t-1} + …).

    The forget gate keeps; β, a learned number, lets more be written than is forgotten.

        J_t = diag σ(s) + diag(h_{t-1} σ'(s) - n̂ σ'(s - β)) W^f + diag((1 - σ(s - β)) φ') W^n .

    van der Westhuizen and Lasenby (2018), "The unreasonable effectiveness of the forget gate", whose own start is the
    law chrono. Published law: torchrecurrent's, stacked Glorot matrices, no biases, β = 1.

    Parameters
    ----------
    beta : (S, 1) array, optional
        1 by default.
    """

    name = "janet"
    tensors = ("W_hh", "W_hx", "b", "beta")
    gate_activation: Activation

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        beta: Array | None = None,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        self.beta = namespace(self.b).ones_like(self.b[:, :1]) if beta is None else np.atleast_2d(beta)
        self.activation, self.gate_activation = activation, gate_activation

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return stacked Glorot matrices and no biases."""
        return stacked_glorot(draw)

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return β = 1."""
        return {"beta": np.ones(1)}

    def _shifted(self, a_f: Array) -> Array:
        """Return s - β."""
        return a_f - for_each_sequence(self.beta, a_f.shape[-2])

    def state(self, record: Array, s: Array) -> Array:
        """Return h_t."""
        a_f, a_n = self.split(record)
        gate = self.gate_activation
        return gate.phi(a_f) * s + gate.complement(self._shifted(a_f)) * self.activation.phi(a_n)

    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        a_f, a_n = self.split(a)
        gate, activation, shifted = self.gate_activation, self.activation, self._shifted(a_f)
        of_f = before * gate.dphi(a_f) - activation.phi(a_n) * gate.dphi(shifted)
        kept = gate.phi(a_f)
        return Slopes((of_f, gate.complement(shifted) * activation.dphi(a_n)), {("h", "h"): kept}, conveyor=kept)

    def own_gradients(self, w: Array, a: Array, before: Array) -> tuple[Outer, ...]:
        a_f, a_n = self.split(a)
        of_beta = w * self.activation.phi(a_n) * self.gate_activation.dphi(self._shifted(a_f))
        return (Outer("beta", namespace(w).sum(of_beta, axis=-1, keepdims=True)),)
