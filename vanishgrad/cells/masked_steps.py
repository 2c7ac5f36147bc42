"""Masked steps: the state is handed on, so J_t = I, and neither the input nor the weights reach it.

What is so of a step stands in the last column of a run's records, behind what the cell keeps; a run without masked
steps has no such column. So it goes wherever a record goes, and only `Cell.linearise` looks at it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vanishgrad.arrays import Array, is_extended, like, namespace, on_host
from vanishgrad.cells.linearisation import Linearisation, Outer, Split
from vanishgrad.extended_range import to_float

TAKEN, HANDED_ON, NOT_BEGUN = 1, 0, -1
"""A step that is taken; one that hands the state on; one that hands on s_0, since none has been taken yet."""


def step_marks(taken: Array) -> Array:
    """Return `TAKEN`, `HANDED_ON` or `NOT_BEGUN` of steps (B, T) of which it is known whether they are taken."""
    begun = np.logical_or.accumulate(taken, axis=1)
    return np.where(taken, TAKEN, np.where(begun, HANDED_ON, NOT_BEGUN)).astype(np.int8)


def marks_of(records: Array, record_size: int) -> Array | None:
    """Return the marks (T, B) of records, on the host; None of a run without masked steps."""
    if records.shape[-1] == record_size:
        return None
    column: Any = records[..., record_size]
    return to_float(column) if is_extended(column) else on_host(column)


def marks_with_previous(marks: Array, start: int, length: int) -> Array:
    """Return the marks of step `start` and of the steps behind it, (length + 1, B), of those of a run, (B, T)."""
    previous = marks[:, start - 1] if start else np.full(len(marks), NOT_BEGUN)
    return np.concatenate([previous[None], marks[:, start : start + length].T])


def with_marks(records: Array, marks: Array) -> Array:
    """Return the records of steps (L, B, r) with their marks (L, B) behind them."""
    xp = namespace(records)
    column = xp.astype(like(records, marks[..., None].astype(np.float64)), records.dtype)
    whole: Array = xp.concat([records, column], axis=-1)
    return whole


class MaskedLinearisation(Linearisation):
    """The Jacobians of a stretch some of whose steps are masked.

    Parameters
    ----------
    steps : Linearisation
        As if all were taken.
    marks : (T', B) array
    start : int
        The stretch's steps are start + 1, …
    conveyed : slice
        Where the conveyed part stands in the state.
    """

    def __init__(self, steps: Linearisation, marks: Array, start: int, conveyed: slice) -> None:
        self._steps, self._first, self._conveyed = steps, start + 1, conveyed
        self._taken, self._begun = marks == TAKEN, marks != NOT_BEGUN

    def taken(self, t: int) -> Array:
        """Return which sequences take step t, (B,)."""
        taken: Array = self._taken[t - self._first]
        return taken

    def _where(self, t: int, unmasked: Array, handed_on: Array | float) -> Array:
        """Return `unmasked` of the sequences that take step t, `handed_on` of the others."""
        taken = self.taken(t)
        if taken.all():
            return unmasked
        across = taken.reshape(-1, *[1] * (unmasked.ndim - 1))
        product: Array = namespace(unmasked).where(like(unmasked, across), unmasked, handed_on)
        return product

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        self._steps.cotangent(t, W, out)
        if not self.taken(t).all():
            out[...] = self._where(t, out, W)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        self._steps.tangent(t, V, out)
        if not self.taken(t).all():
            out[...] = self._where(t, out, V)

    def factors(self, t: int, identity: Array) -> tuple[Array, Array] | None:
        factors = self._steps.factors(t, identity)
        if factors is None or self.taken(t).all():
            return factors
        X, K = factors
        if K.shape != identity.shape:
            return super().factors(t, identity)
        return self._where(t, X, identity), self._where(t, K, identity)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        self._steps.input_cotangent(t, W, out)
        if not self.taken(t).all():
            out[...] = self._where(t, out, 0.0)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        self._steps.input_tangent(t, X, out)
        if not self.taken(t).all():
            out[...] = self._where(t, out, 0.0)

    def dense(self, t: int) -> Array:
        J = self._steps.dense(t)
        return self._where(t, J, namespace(J).eye(J.shape[-1], dtype=J.dtype))

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        return self._steps.weight_gradient(t, self._where(t, w, 0.0))

    def conveyor(self, t: int) -> Array | None:
        diagonal = self._steps.conveyor(t)
        return None if diagonal is None else self._where(t, diagonal, 1.0)

    def detours(self, t: int, W: Array) -> Split | None:
        """A_t = I and B_t = 0 of a masked step."""
        split = self._steps.detours(t, W)
        if split is None:
            return None
        returns = {gate: self._where(t, term, 0.0) for gate, term in split.returns.items()}
        return Split(self._where(t, split.direct, W), returns)

    def total(self, t: int, W: Array) -> Array | None:
        """h_t moves with c_t as at the step that is handed on; before any has been taken, it does not."""
        total = self._steps.total(t, W)
        begun = self._begun[t - self._first]
        if total is None or begun.all():
            return total
        result: Array = namespace(total).where(like(total, begun)[:, None, None], total, W[..., self._conveyed])
        return result
