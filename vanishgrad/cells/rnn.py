"""Vanilla RNN, the recurrent network of Elman."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from vanishgrad.arrays import Array, matmul_into, multiply_into, namespace
from vanishgrad.cells.activations import TANH, Activation
from vanishgrad.cells.cell import Cell
from vanishgrad.cells.linearisation import Linearisation, Outer

if TYPE_CHECKING:
    from typing_extensions import Self


class RNN(Cell):
    r"""h_t = φ(a_t), a_t = W_hh h_{t-1} + W_hx x_t + b, so J_t = diag(φ'(a_t)) W_hh.

    With four axes, W_hh (B, T, n, n) is *untied*: a fresh matrix at every step.
    """

    name = "rnn"

    def __init__(self, W_hh: Array, W_hx: Array, b: Array, activation: Activation = TANH) -> None:
        super().__init__(W_hh, W_hx, b)
        self.activation = activation

    def recurrent_weights(self, t: int) -> Array:
        """Return W_hh of step t, (B | 1, n, n)."""
        return self.W_hh if self.W_hh.ndim == 3 else self.W_hh[:, t - 1]

    @property
    def steps(self) -> int | None:
        """For how many steps there are weights; None if tied."""
        return None if self.W_hh.ndim == 3 else int(self.W_hh.shape[1])

    def between(self, start: int, stop: int) -> Self:
        """Return the cell with the matrices of steps start + 1 … stop alone, if it is untied."""
        if self.steps is None:
            return self
        alone = copy.copy(self)
        alone.W_hh = self.W_hh[:, start:stop]
        return alone

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return h_t and a_t."""
        a = a_x + self.recurrent(t, s)
        return self.state(a, s), a

    def state(self, record: Array, s: Array) -> Array:
        """Return h_t."""
        return self.activation.phi(record)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _RNNLinearisation(self, states, records, start)


class _RNNLinearisation(Linearisation):
    def __init__(self, cell: RNN, states: Array, a: Array, start: int) -> None:
        self._cell = cell
        self._first = start + 1
        self._D = cell.activation.dphi(a)
        self._h = states[:-1]
        self._scratch: Array | None = None

    def _scaled(self, t: int, W: Array) -> Array:
        if self._scratch is None or self._scratch.shape != W.shape:
            self._scratch = namespace(W).empty(W.shape, dtype=W.dtype)
        multiply_into(W, self._D[t - self._first][:, None], self._scratch)
        return self._scratch

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(self._scaled(t, W), self._cell.recurrent_weights(t), out)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        D = self._D[t - self._first][..., None]
        multiply_into(D, self._cell.recurrent_weights(t) @ V, out)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(self._scaled(t, W), self._cell.W_hx, out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        multiply_into(self._D[t - self._first][..., None], self._cell.W_hx @ X, out)

    def dense(self, t: int) -> Array:
        J: Array = self._D[t - self._first][..., None] * self._cell.recurrent_weights(t)
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        step = t - self._first
        delta = w * self._D[step]
        return Outer("W_hh", delta, self._h[step]), Outer("b", delta)
