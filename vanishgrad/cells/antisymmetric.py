"""AntisymmetricRNN: the Euler step of a stable differential equation (Chang et al. 2019)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells.activations import TANH, Activation
from vanishgrad.cells.elementwise import ElementwiseCell, Slopes
from vanishgrad.cells.linearisation import Outer
from vanishgrad.cells.published_law import Draw, Tensors, glorot_uniform
from vanishgrad.random_streams import Role


class AntisymmetricRNN(ElementwiseCell):
    r"""h_t = h_{t-1} + ε φ(A h_{t-1} + W_hx x_t + b), A = W_hh - W_hhᵀ - γ I, so J_t = I + ε diag(φ') A.

    A's eigenvalues have the real part -γ; the Euler step adds a growth of the order ε²‖A‖². Chang, Chen, Haber and Chi
    (2019), "AntisymmetricRNN: a dynamical system view on recurrent neural networks". Published law: torchrecurrent's,
    W_hh from N(0, 1), a Glorot W_hx, no biases, ε = 1, γ = 0, at which the gradient explodes.
    """

    name = "antisymmetric"

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        activation: Activation = TANH,
        epsilon: float = 1.0,
        gamma: float = 0.0,
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        self.activation, self.epsilon, self.gamma = activation, epsilon, gamma

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return W_hh from N(0, 1), a Glorot W_hx and no biases."""
        W_hh, W_hx = draw.of(Role.W_HH).standard_normal((draw.n, draw.n)), draw.of(Role.W_HX)
        return {"W_hh": W_hh, "W_hx": glorot_uniform(W_hx, draw.n, draw.d), "b": np.zeros(draw.n)}

    def recurrent_weights(self, t: int) -> Array:
        """Return A, (B | 1, n, n)."""
        xp = namespace(self.W_hh)
        A: Array = self.W_hh - xp.matrix_transpose(self.W_hh) - self.gamma * xp.eye(self.hidden_size, dtype=self.dtype)
        return A

    def state(self, record: Array, s: Array) -> Array:
        """Return h_t."""
        return s + self.epsilon * self.activation.phi(record)

    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        D = self.epsilon * self.activation.dphi(a)
        return Slopes((D,), {("h", "h"): namespace(a).ones_like(D)})

    def recurrent_gradient(self, delta: Array, seen: Array) -> tuple[Outer, ...]:
        """Return δ hᵀ - h δᵀ, row by row: W_hh stands in A twice."""
        one = namespace(delta).ones_like(delta[:, :1])
        rows = range(self.hidden_size)
        return tuple(Outer("W_hh", one, delta[:, j : j + 1] * seen - seen[:, j : j + 1] * delta) for j in rows)
