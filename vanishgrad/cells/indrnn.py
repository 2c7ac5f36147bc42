"""IndRNN, the independently recurrent network: each unit sees its own past alone (Li et al. 2018)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, for_each_sequence
from vanishgrad.cells.activations import TANH, Activation
from vanishgrad.cells.elementwise import ElementwiseCell, Slopes
from vanishgrad.cells.linearisation import Outer
from vanishgrad.cells.published_law import Draw, Tensors, glorot_uniform, no_columns
from vanishgrad.random_streams import Role


class IndRNN(ElementwiseCell):
    r"""h_t = φ(a_t), a_t = u ⊙ h_{t-1} + W_hx x_t + b, so J_t = diag(φ'(a_t) u): diagonal.

    Li, Li, Cook, Zhu and Gao (2018), "Independently recurrent neural network (IndRNN)". Published law:
    torchrecurrent's, u from N(0, 1), a Glorot W_hx, no biases; the paper has u uniform up to a bound that T sets.

    Parameters
    ----------
    u : (S, n) array
        The recurrent weights, one for each unit.
    """

    name = "indrnn"
    seen_parts = 0
    tensors = ("W_hx", "b", "u")

    def __init__(self, W_hx: Array, b: Array, u: Array, activation: Activation = TANH) -> None:
        super().__init__(no_columns(W_hx), W_hx, b)
        self.u = u if u.ndim > 1 else u[None]
        self.activation = activation

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return a Glorot W_hx and no biases."""
        return {"W_hx": glorot_uniform(draw.of(Role.W_HX), draw.n, draw.d), "b": np.zeros(draw.n)}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return u from N(0, 1)."""
        return {"u": draw.of(Role.OTHER_TENSOR).standard_normal(draw.n)}

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return h_t and a_t."""
        a = a_x + for_each_sequence(self.u, s.shape[0]) * s
        return self.state(a, s), a

    def state(self, record: Array, s: Array) -> Array:
        """Return h_t."""
        return self.activation.phi(record)

    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        D = self.activation.dphi(a)
        return Slopes((D,), {("h", "h"): D * for_each_sequence(self.u, a.shape[1])})

    def own_gradients(self, w: Array, a: Array, before: Array) -> tuple[Outer, ...]:
        return (Outer("u", w * self.activation.dphi(a) * before),)
