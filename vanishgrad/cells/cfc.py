"""CfC, the closed-form continuous-time network: a gate between two candidates (Hasani et al. 2022)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, for_each_sequence, times
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell import Part
from vanishgrad.cells.dense_jacobian import DenseCell, DenseLinearisation, scaled_rows
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.published_law import Draw, Tensors, glorot_uniform
from vanishgrad.random_streams import Role

HEIGHT, SLOPE = 1.7159, 0.666
"""LeCun's tanh, 1.7159 tanh(0.666 a): the backbone's activation."""


class CfC(DenseCell):
    r"""h_t = (1 - σ(s)) ⊙ tanh(a_1) + σ(s) ⊙ tanh(a_2), s = Δ a_a + a_b, (a_1, a_2, a_a, a_b) = W_out v + b_out.

    v = 1.7159 tanh(0.666 (W_hh h_{t-1} + W_hx x_t + b)) is a hidden layer, the backbone, through which all of h passes:
    nothing is kept. J_t = G D(1.7159 · 0.666 tanh') W_hh with

        G = D((1 - σ) tanh'_1) W_1 + D(σ tanh'_2) W_2 + D((tanh a_2 - tanh a_1) σ')(Δ W_a + W_b) .

    Hasani, Lechner, Amini, Liebenwein, Ray, Tschaikowski, Teschl and Rus (2022), "Closed-form continuous-time neural
    networks". Published law: ncps', Glorot matrices, biases of an nn.Linear, a backbone of 128 units, Δ = 1.

    Parameters
    ----------
    W_hh : (S, k, n) array
        Of the k units of the backbone.
    W_hx : (S, k, d) array
    b : (S, k) array
    W_out : (S, 4·n, k) array
    b_out : (S, 4·n) array
    dt : float
        Δ, the time between two inputs.
    backbone : int
        k, of the law.
    """

    name = "cfc"
    tensors = ("W_hh", "W_hx", "b", "W_out", "b_out")
    activation: Activation = TANH
    gate_activation: Activation = SIGMOID

    def __init__(
        self, W_hh: Array, W_hx: Array, b: Array, W_out: Array, b_out: Array, dt: float = 1.0, backbone: int = 128
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        self.W_out, self.b_out, self.dt = W_out if W_out.ndim > 2 else W_out[None], np.atleast_2d(b_out), dt
        self.backbone = int(self.W_hx.shape[-2])

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return the backbone, Glorot as one matrix of the input and the state."""
        k, width = int(draw.keys["backbone"]), draw.d + draw.n
        W = glorot_uniform(draw.of(Role.W_HX), k, width)
        b = draw.of(Role.OTHER_TENSOR).uniform(-1, 1, k) * width**-0.5
        return {"W_hh": W[:, draw.d :], "W_hx": W[:, : draw.d], "b": b}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return the four heads of the backbone."""
        k, n = int(draw.keys["backbone"]), draw.n
        heads = [glorot_uniform(draw.of(Role.OTHER_TENSOR, 1, gate), n, k) for gate in range(4)]
        return {
            "W_out": np.concatenate(heads),
            "b_out": draw.of(Role.OTHER_TENSOR, 2).uniform(-1, 1, 4 * n) * k**-0.5,
        }

    @property
    def hidden_size(self) -> int:
        """The number n of units."""
        return int(self.W_out.shape[-2]) // 4

    @property
    def parts(self) -> tuple[Part, ...]:
        """The state h."""
        return (Part("h", self.hidden_size),)

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return h_t and the pre-activations of the backbone."""
        record = a_x + times(self.W_hh, s)
        return self.state(record, s), record

    def heads(self, record: Array) -> tuple[Array, Array, Array]:
        """Return a_1, a_2 and s, each (B, n)."""
        v = HEIGHT * TANH.phi(SLOPE * record)
        a = times(self.W_out, v) + for_each_sequence(self.b_out, v.shape[0])
        n = self.hidden_size
        return a[:, :n], a[:, n : 2 * n], self.dt * a[:, 2 * n : 3 * n] + a[:, 3 * n :]

    def next_state(self, record: Array, s: Array) -> Array:
        """Return h_t."""
        a_1, a_2, gate = self.heads(record)
        h: Array = SIGMOID.phi(-gate) * TANH.phi(a_1) + SIGMOID.phi(gate) * TANH.phi(a_2)
        return h

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _CfCLinearisation(self, states, records, start)


class _CfCLinearisation(DenseLinearisation):
    """G times the backbone's slopes and weights."""

    def __init__(self, cell: CfC, states: Array, records: Array, start: int) -> None:
        super().__init__(states, records, start)
        self._cell = cell

    def blocks(self, record: Array, before: Array, after: Array) -> tuple[Array, Array]:
        cell, batch = self._cell, len(record)
        a_1, a_2, gate = cell.heads(record)
        W_1, W_2, W_a, W_b = np.split(for_each_sequence(cell.W_out, batch), 4, axis=1)
        share = SIGMOID.phi(gate)
        G = scaled_rows(SIGMOID.phi(-gate) * TANH.dphi(a_1), W_1) + scaled_rows(share * TANH.dphi(a_2), W_2)
        G = G + scaled_rows((TANH.phi(a_2) - TANH.phi(a_1)) * SIGMOID.dphi(gate), cell.dt * W_a + W_b)
        G = G * (HEIGHT * SLOPE * TANH.dphi(SLOPE * record))[:, None]
        return G @ for_each_sequence(cell.W_hh, batch), G @ for_each_sequence(cell.W_hx, batch)
