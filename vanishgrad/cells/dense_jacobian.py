"""Dense one-step Jacobians of a cell that measures and is not trained: blocks formed when a step is asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array, floating, is_extended, matmul_into
from vanishgrad.cells.cell import Cell
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.extended_range import extended

if TYPE_CHECKING:
    from typing_extensions import Self


class DenseCell(Cell):
    """A cell whose step and Jacobian are taken in floating point; products of them may leave it."""

    has_weights = False
    only_numpy = True

    def with_tensors(self, changed: Callable[[Array], Array]) -> Self:
        """Return the cell with each of its tensors changed, in floating point."""
        return super().with_tensors(lambda tensor: floating(changed(tensor)))

    def state(self, record: Array, s: Array) -> Array:
        """Return s_t from the record of step t and s_{t-1}, in the range of s_{t-1}."""
        new = self.next_state(floating(record), floating(s))
        in_range: Any = extended(new) if is_extended(s) else new
        return in_range

    @abstractmethod
    def next_state(self, record: Array, s: Array) -> Array:
        """Return s_t in floating point, real or complex."""


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
        matmul_into(W, _in_range_of(W, self._at(t)[0]), out)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        matmul_into(_in_range_of(V, self._at(t)[0]), V, out)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(W, _in_range_of(W, self._at(t)[1]), out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        matmul_into(_in_range_of(X, self._at(t)[1]), X, out)

    def dense(self, t: int) -> Array:
        return self._at(t)[0].copy()

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        """Nothing: it is measured, and not trained."""
        return ()


def _in_range_of(operand: Array, J: Array) -> Array:
    in_range: Any = extended(J) if is_extended(operand) else J
    return in_range


def scaled_rows(factors: Array, matrix: Array) -> Array:
    """Return diag(factors) matrix, of factors (B, n) and a matrix (B | 1, n, q)."""
    rows: Array = factors[..., None] * matrix
    return rows


def diagonal(factors: Array) -> Array:
    """Return diag(factors), (B, n, n)."""
    D: Array = factors[..., None] * np.eye(factors.shape[-1], dtype=factors.dtype)
    return D
