"""Dense one-step Jacobians of a cell that measures and is not trained: blocks formed when a step is asked for."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from vanishgrad.arrays import Array, floating, matmul_into
from vanishgrad.cells.linearisation import Linearisation, Outer


class DenseLinearisation(Linearisation):
    """J_t and ∂s_t/∂x_t as matrices, those of the step that was asked for last held.

    Parameters
    ----------
    states : (S + 1, B, m) array
    records : (S, B, r) array
    start : int
        The step before the first.
    """

    def __init__(self, states: Array, records: Array, start: int) -> None:
        self._states, self._records, self._first = floating(states), floating(records), start + 1
        self._held: tuple[int, Array, Array] | None = None

    @abstractmethod
    def blocks(self, record: Array, before: Array, after: Array) -> tuple[Array, Array]:
        """Return J_t (B, m, m) and ∂s_t/∂x_t (B, m, d) from a record (B, r), s_{t-1} and s_t (B, m)."""

    def _at(self, t: int) -> tuple[Array, Array]:
        if self._held is None or self._held[0] != t:
            step = t - self._first
            J, by_input = self.blocks(self._records[step], self._states[step], self._states[step + 1])
            self._held = t, np.ascontiguousarray(J), np.ascontiguousarray(by_input)
        return self._held[1:]

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(W, self._at(t)[0], out)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        matmul_into(self._at(t)[0], V, out)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(W, self._at(t)[1], out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        matmul_into(self._at(t)[1], X, out)

    def dense(self, t: int) -> Array:
        return self._at(t)[0].copy()

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        """Nothing: it is measured, and not trained."""
        return ()


def scaled_rows(factors: Array, matrix: Array) -> Array:
    """Return diag(factors) matrix, of factors (B, n) and a matrix (B | 1, n, q)."""
    rows: Array = factors[..., None] * matrix
    return rows


def diagonal(factors: Array) -> Array:
    """Return diag(factors), (B, n, n)."""
    D: Array = factors[..., None] * np.eye(factors.shape[-1], dtype=factors.dtype)
    return D
