"""LEM, long expressive memory: two states with step sizes of the input's choosing (Rusch et al. 2022)."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from vanishgrad.arrays import Array, for_each_sequence, namespace, times
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell import Part
from vanishgrad.cells.dense_jacobian import DenseCell, DenseLinearisation, diagonal, scaled_rows
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.published_law import Draw, Tensors, glorot_uniform, no_columns
from vanishgrad.random_streams import Role

ReadsCell: TypeAlias = Literal["new", "old"]


class LEM(DenseCell):
    r"""c_t = (1 - τ₂) ⊙ c_{t-1} + τ₂ ⊙ tanh(a_c), h_t = (1 - τ₁) ⊙ h_{t-1} + τ₁ ⊙ tanh(a_h), τ = Δ σ(a).

    (a_1, a_2, a_c) = W_hh h_{t-1} + …, a_h = W_ch c + …: reads=new has c_t there, as in the paper, reads=old c_{t-1},
    as torchrecurrent: one set of weights, two Jacobians. h is the paper's y, c its z. With D = diag,

        ∂c_t/∂h = D((tanh a_c - c_{t-1}) τ₂') U_2 + D(τ₂ tanh') U_c, ∂c_t/∂c = D(1 - τ₂),
        ∂h_t/∂h = D(1 - τ₁) + D((tanh a_h - h_{t-1}) τ₁') U_1 [+ V ∂c_t/∂h], ∂h_t/∂c = V [∂c_t/∂c],
        V = D(τ₁ tanh') W_ch, brackets for reads=new.

    Rusch, Mishra, Erichson and Mahoney (2022), "Long expressive memory for sequence modeling". Published law:
    torchrecurrent's, each stacked matrix Glorot, no biases, Δ = 1.

    Parameters
    ----------
    W_hx : (S, 4·n, d) array
        Of a_1, a_2, a_c, a_h.
    b : (S, 4·n) array
    W_hh : (S, 3·n, n) array
    W_ch : (S, n, n) array
    """

    name = "lem"
    tensors = ("W_hx", "b", "W_hh", "W_ch")
    curves = {"hidden": ("h", "h"), "cell": ("c", "c")}
    gate_activation: Activation = SIGMOID

    def __init__(
        self,
        W_hx: Array,
        b: Array,
        W_hh: Array,
        W_ch: Array,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
        dt: float = 1.0,
        reads: ReadsCell = "new",
    ) -> None:
        super().__init__(no_columns(W_hx), W_hx, b)
        self.W_hh, self.W_ch = (each if each.ndim > 2 else each[None] for each in (W_hh, W_ch))
        self.activation, self.gate_activation, self.dt, self.reads = activation, gate_activation, dt, reads

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return Glorot matrices and no biases."""
        W_hh = glorot_uniform(draw.of(Role.W_HH), 3 * draw.n, draw.n)
        W_hx = glorot_uniform(draw.of(Role.W_HX), 4 * draw.n, draw.d)
        return {"W_hh": W_hh, "W_hx": W_hx, "b": np.zeros(4 * draw.n)}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return a Glorot matrix of c for h."""
        return {"W_ch": glorot_uniform(draw.of(Role.OTHER_TENSOR), draw.n, draw.n)}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The state h that is read out, then c."""
        return (Part("h", self.hidden_size), Part("c", self.hidden_size))

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return (h_t, c_t) and the pre-activations."""
        n, xp = self.hidden_size, namespace(a_x)
        of_h = a_x[..., : 3 * n] + times(self.W_hh, s[..., :n])
        c = s[..., n:] if self.reads == "old" else self._cell(of_h, s)
        record = xp.concat([of_h, a_x[..., 3 * n :] + times(self.W_ch, c)], axis=-1)
        return self.state(record, s), record

    def _cell(self, record: Array, s: Array) -> Array:
        n = self.hidden_size
        step = self.dt * self.gate_activation.phi(record[..., n : 2 * n])
        c: Array = (1 - step) * s[..., n:] + step * self.activation.phi(record[..., 2 * n : 3 * n])
        return c

    def next_state(self, record: Array, s: Array) -> Array:
        """Return (h_t, c_t)."""
        n = self.hidden_size
        step = self.dt * self.gate_activation.phi(record[..., :n])
        h = (1 - step) * s[..., :n] + step * self.activation.phi(record[..., 3 * n :])
        return namespace(h).concat([h, self._cell(record, s)], axis=-1)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _LEMLinearisation(self, states, records, start)


class _LEMLinearisation(DenseLinearisation):
    """The four blocks."""

    def __init__(self, cell: LEM, states: Array, records: Array, start: int) -> None:
        super().__init__(states, records, start)
        self._cell = cell

    def blocks(self, record: Array, before: Array, after: Array) -> tuple[Array, Array]:
        cell, n, batch = self._cell, self._cell.hidden_size, len(record)
        a_1, a_2, a_c, a_h = cell.split(record)
        gate, phi, h, c = cell.gate_activation, cell.activation, before[:, :n], before[:, n:]
        step_1, step_2 = cell.dt * gate.phi(a_1), cell.dt * gate.phi(a_2)
        of_1, of_2 = ((phi.phi(a) - s) * cell.dt * gate.dphi(g) for a, s, g in ((a_h, h, a_1), (a_c, c, a_2)))
        U_1, U_2, U_c = np.split(for_each_sequence(cell.W_hh, batch), 3, axis=1)
        X_1, X_2, X_c, X_h = np.split(for_each_sequence(cell.W_hx, batch), 4, axis=1)
        to_c, to_h = step_2 * phi.dphi(a_c), step_1 * phi.dphi(a_h)
        ch, cc = scaled_rows(of_2, U_2) + scaled_rows(to_c, U_c), diagonal(1 - step_2)
        cx = scaled_rows(of_2, X_2) + scaled_rows(to_c, X_c)
        V = scaled_rows(to_h, for_each_sequence(cell.W_ch, batch))
        hh, hx = diagonal(1 - step_1) + scaled_rows(of_1, U_1), scaled_rows(of_1, X_1) + scaled_rows(to_h, X_h)
        hc = V
        if cell.reads == "new":
            hh, hc, hx = hh + V @ ch, V @ cc, hx + V @ cx
        J = np.concatenate([np.concatenate([hh, hc], axis=2), np.concatenate([ch, cc], axis=2)], axis=1)
        return J, np.concatenate([hx, cx], axis=1)
