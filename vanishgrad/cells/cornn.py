"""coRNN, the coupled oscillatory network: damped, driven oscillators (Rusch and Mishra 2021)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells.activations import TANH, Activation
from vanishgrad.cells.cell import Part
from vanishgrad.cells.elementwise import ElementwiseCell, Slopes
from vanishgrad.cells.published_law import Draw, Tensors, glorot_uniform
from vanishgrad.random_streams import Role


class CoRNN(ElementwiseCell):
    r"""c_t = c_{t-1} + Δ(φ(W_hh (h, c)_{t-1} + W_hx x_t + b) - γ h_{t-1} - ε c_{t-1}), h_t = h_{t-1} + Δ c_t.

    h is the paper's position y, c its velocity z. With U, V the columns of W_hh for h and for c, D = diag φ',

        ∂c_t/∂h = Δ(D U - γ I), ∂c_t/∂c = I + Δ(D V - ε I), ∂h_t/∂(h, c) = (I, 0) + Δ ∂c_t/∂(h, c) .

    Rusch and Mishra (2021), "Coupled oscillatory recurrent neural network (coRNN)", in the explicit form of
    torchrecurrent, whose law is the published one here: Glorot matrices, no biases, Δ = 0.1, γ = ε = 1.

    Parameters
    ----------
    W_hh : (S, n, 2 n) array
    """

    name = "cornn"
    seen_parts = 2
    curves = {"hidden": ("h", "h"), "cell": ("c", "c")}

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        activation: Activation = TANH,
        dt: float = 0.1,
        gamma: float = 1.0,
        epsilon: float = 1.0,
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        self.activation, self.dt, self.gamma, self.epsilon = activation, dt, gamma, epsilon

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return Glorot matrices, W_hh as one for h and one for c, and no biases."""
        blocks = [glorot_uniform(draw.of(Role.W_HH, *place), draw.n, draw.n) for place in ((), (1,))]
        W_hx = glorot_uniform(draw.of(Role.W_HX), draw.n, draw.d)
        return {"W_hh": np.concatenate(blocks, axis=1), "W_hx": W_hx, "b": np.zeros(draw.n)}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The position h, then the velocity c."""
        return (Part("h", self.hidden_size), Part("c", self.hidden_size))

    def state(self, record: Array, s: Array) -> Array:
        """Return (h_t, c_t)."""
        h, c = s[..., : self.hidden_size], s[..., self.hidden_size :]
        c = c + self.dt * (self.activation.phi(record) - self.gamma * h - self.epsilon * c)
        return namespace(c).concat([h + self.dt * c, c], axis=-1)

    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        D = self.dt * self.activation.dphi(a)
        ones, of_h, of_c = namespace(D).ones_like(D), -self.dt * self.gamma, 1 - self.dt * self.epsilon
        kept = {("h", "h"): 1 + self.dt * of_h, ("h", "c"): self.dt * of_c, ("c", "h"): of_h, ("c", "c"): of_c}
        return Slopes((D,), {pair: slope * ones for pair, slope in kept.items()}, {"h": self.dt, "c": 1.0})
