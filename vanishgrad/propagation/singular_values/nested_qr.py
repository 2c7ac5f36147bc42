r"""QR decomposition in extended range of a frame whose columns are nested: A = Q R, columns in the order given.

Gaussian elimination with the pivots' rows chosen, A = X U with U unit upper triangular, leaves columns of X that are
zero in the rows of earlier pivots; X is well conditioned but for the sizes of its rows and columns, and Gram and
Schmidt's process on it adds what is of one size. So every entry of Q has its own digits, one that is 1e-1000 of its
column's largest too, which Householder's reflections lose; it may be the one that leads a step later. |R_ii| are those
of X, for U's diagonal is 1. How many digits are left is seen from copies that are rounded at random to fewer digits at
each step (stochastic arithmetic, Vignes 1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.extended_range import (
    ExtendedRange,
    extended,
    linalg,
    log,
    matrix_transpose,
    on_one_scale,
    scaled,
    where,
    zeros,
)
from vanishgrad.extended_range import abs as absolute
from vanishgrad.extended_range import exp as exponential
from vanishgrad.extended_range import sum as total
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.scaling import LN_2
from vanishgrad.propagation.singular_values.rank_revealing import step_factors

COPIES = 3
"""The frame, and two that are rounded at random."""
EPS = float(np.finfo(float).eps)
ROUNDING = 2.0**-44
"""Of the copies, relative: 2^8 roundings, so that what these leave of a number is told by what it leaves."""
KNOWN_TO = 0.5
"""Nats by which the copies' ln|R_ii| may differ where it is a number at all: then it is off by less than 1/100."""
HALF = 2.0**-18
"""Nats by which they differ where half the digits of R_ii are left."""
SMALLEST = 2.0**-26
"""Entry beside its row's largest that Householder's QR leaves half of its digits."""
DEEPEST = 2.0**-480
"""Entry whose square is within the range of floating point."""
INDEPENDENT = 1e-3
"""Square of the least singular value of unit vectors that may go on as they are: they lose less than two digits."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Vectors in extended range as columns, (3B, m, K): those of B trials, and twice the same, rounded at random."""

    vectors: ExtendedRange

    @staticmethod
    def of(V: Array) -> Frame:
        """Return vectors that are exact."""
        return Frame(extended(np.concatenate([V] * COPIES)))

    def image(self, step: EitherRange, t: int) -> Frame:
        """Return J_t times this."""
        batch, m, k = self.shape
        before = self.rounded(2 * t).vectors
        beside: Any = zeros((batch, m, COPIES * k))
        images: Any = zeros((batch, m, COPIES * k))
        for copy in range(COPIES):
            beside[..., copy * k : (copy + 1) * k] = before[copy * batch : (copy + 1) * batch]
        step.tangent(t, beside, images)
        vectors: Any = zeros((COPIES * batch, m, k))
        for copy in range(COPIES):
            vectors[copy * batch : (copy + 1) * batch] = images[..., copy * k : (copy + 1) * k]
        return Frame(vectors).rounded(2 * t + 1)

    def rounded(self, seed: int, size: Array | float = ROUNDING) -> Frame:
        """Return this with the entries of the copies changed at random by so much, relative."""
        changes = size * np.random.default_rng(seed).uniform(-1, 1, self.vectors.shape)
        changes[: self.shape[0]] = 0
        return Frame(scaled(self.vectors.m * (1 + changes), self.vectors.e))

    @property
    def shape(self) -> tuple[int, int, int]:
        """B, m, K."""
        count, m, k = self.vectors.shape
        return count // COPIES, m, k

    def narrowed(self) -> tuple[Array, Array] | None:
        """Return floats, each column divided by e^log_scale, (B, K), and those.

        None where `leaves_room` has it so, or where an entry has lost half of its digits.
        """
        own, whole = self.vectors[: self.shape[0]], self.vectors
        columns, log_scales = self._on_one_scale_by_column()
        if not leaves_room(columns) or not np.array_equal(columns != 0, own.m != 0):
            return None
        for copy in range(1, COPIES):
            other = whole[copy * len(columns) : (copy + 1) * len(columns)]
            if not np.all(absolute(other - own) <= absolute(own) * HALF):
                return None
        return columns, log_scales

    @property
    def independent(self) -> bool:
        """Whether the vectors, divided by their norms, are far from dependent."""
        columns = self._on_one_scale_by_column()[0]
        sizes = np.linalg.vector_norm(columns, axis=1, keepdims=True)
        columns = columns / np.where(sizes > 0, sizes, 1)
        return bool(np.all(np.linalg.eigvalsh(np.swapaxes(columns, 1, 2) @ columns)[:, 0] >= INDEPENDENT))

    def _on_one_scale_by_column(self) -> tuple[Array, Array]:
        batch, m, k = self.shape
        lines = matrix_transpose(self.vectors[:batch]).reshape(batch * k, 1, m)
        columns, exponents = on_one_scale(lines)
        floats = np.ascontiguousarray(np.swapaxes(columns.reshape(batch, k, m), 1, 2))
        return floats, exponents.reshape(batch, k) * LN_2


@dataclass(frozen=True, eq=False)
class NestedQR:
    """A decomposition of some trials.

    Attributes
    ----------
    Q : Frame
    log_r : (B, K) array
        ln|R_ii|, -inf where that is zero or may be rounding alone.
    doubtful : (B, K) array
        Whether less than half of its digits are left.
    trials : (B,) array
        The numbers of the trials.
    """

    Q: Frame
    log_r: Array
    doubtful: Array
    trials: Array


def leaves_room(V: Array) -> bool:
    """Return whether Householder's QR keeps half the digits of all entries of V, (B, m, K), that are not exactly zero.

    It moves each by a rounding of its row's largest one. A row of zeros remains one, a zero beside others does not.
    """
    sizes = np.abs(V)
    if sizes.min(initial=1) >= SMALLEST:
        return True
    largest = sizes.max(axis=2, keepdims=True)
    return bool(np.all((sizes >= SMALLEST * largest) & ((largest >= DEEPEST) | (largest == 0))))


def nested_qr(frame: Frame) -> NestedQR:
    """Return the decomposition of a frame: K passes over it."""
    Q, empty = _eliminated(frame.vectors)
    (count, _, k), batch = Q.shape, frame.shape[0]
    r: Any = zeros((count, k))
    for i in range(k):
        r[:, i] = linalg.vector_norm(Q[..., i], axis=1)
        own = Q[..., i : i + 1] / r[:, i][:, None, None]
        Q[..., i : i + 1] = own
        if i + 1 < k:
            rest = Q[..., i + 1 :]
            Q[..., i + 1 :] = rest - own * total(own * rest, axis=1, keepdims=True)
    log_r = np.where(empty, -np.inf, log(r)).reshape(COPIES, batch, k)
    with np.errstate(invalid="ignore"):
        difference = np.abs(log_r[1:] - log_r[0]).max(axis=0)
    known = difference <= KNOWN_TO
    return NestedQR(Frame(Q), np.where(known, log_r[0], -np.inf), ~(difference <= HALF), np.arange(batch))


def nested_qr_of_image(step: EitherRange, t: int, before: Frame, image: Frame) -> NestedQR:
    """Return the decomposition of J_t times a frame, by the factors of J_t where that keeps more digits."""
    return with_factors(nested_qr(image), step, t, before)


def with_factors(whole: NestedQR, step: EitherRange, t: int, before: Frame) -> NestedQR:
    """Return a decomposition of J_t times a frame whose columns from the first doubtful one are by J_t's factors.

    Those before have small entries that the factors need not have. Trials in which no more R_ii are known stay.
    """
    doubtful = whole.doubtful
    own = by_factors(step, t, before, np.any(doubtful, axis=1)) if doubtful.any() else None
    if own is None:
        return whole
    better = np.isfinite(own.log_r).sum(axis=1) >= np.isfinite(whole.log_r[own.trials]).sum(axis=1)
    behind = np.zeros_like(doubtful)
    behind[own.trials] = np.logical_or.accumulate(doubtful[own.trials], axis=1) & better[:, None]
    vectors, log_r, less = _copy(whole.Q.vectors), whole.log_r.copy(), doubtful.copy()
    vectors[_of_copies(own.trials, len(doubtful))] = own.Q.vectors
    log_r[own.trials], less[own.trials] = own.log_r, own.doubtful
    vectors = where(np.tile(behind, (COPIES, 1))[:, None], vectors, whole.Q.vectors)
    log_r, less = np.where(behind, log_r, whole.log_r), np.where(behind, less, doubtful)
    return NestedQR(Frame(vectors), log_r, less, whole.trials)


def by_factors(step: EitherRange, t: int, before: Frame, trials: Array) -> NestedQR | None:
    """Return the decomposition of J_t times a frame in those of some trials, (B,), in which J_t is graded.

    Its factors X diag(d) Y keep apart what its columns, decades apart, would add up in the image.
    """
    factors = step_factors(step, t, trials, before.shape[1], EPS)
    if factors is None:
        return None
    own, among = factors
    places = np.flatnonzero(among)
    X, log_d, Y, loss = (np.concatenate([each] * COPIES) for each in (own.X, own.log_d, own.Y, own.loss))
    d = where(np.isneginf(log_d), zeros(log_d.shape), exponential(extended(np.maximum(log_d, -1e12))))
    images = extended(Y) @ before.rounded(2 * t).vectors[_of_copies(places, len(trials))]
    rows = Frame(d[..., None] * images).rounded(2 * t + 1, np.minimum(ROUNDING * (1 + loss), 0.5)[..., None])
    L, empty = _eliminated(rows.vectors)
    inner = nested_qr(Frame(extended(X) @ L).rounded(2 * t))
    nothing = empty[: len(places)]
    return NestedQR(inner.Q, np.where(nothing, -np.inf, inner.log_r), inner.doubtful | nothing, places)


def _of_copies(trials: Array, batch: int) -> Array:
    return np.concatenate([trials + copy * batch for copy in range(COPIES)])


def _eliminated(A: ExtendedRange) -> tuple[ExtendedRange, Array]:
    """Return X, (B, m, K), with A = X U, and where a column was zero, (B, K).

    Instead of such a column X has a unit vector, in a row that has no pivot.
    """
    S = _copy(A)
    batch, m, k = S.shape
    trials, free, empty = np.arange(batch), np.ones((batch, m), dtype=bool), np.zeros((batch, k), dtype=bool)
    for i in range(k):
        column = where(free, S[..., i], zeros((batch, m)))
        sizes = np.maximum(log(absolute(column)), -np.finfo(float).max)
        p = np.argmax(np.where(free, sizes, -np.inf), axis=1)
        pivot, in_row = column[trials, p], np.arange(m) == p[:, None]
        empty[:, i] = pivot.m == 0
        nothing = empty[:, i, None]
        S[..., i] = where(nothing & in_row, np.ones((batch, m)), column)
        if i + 1 < k:
            factor = (column / where(nothing, np.ones((batch, 1)), pivot[:, None]))[..., None]
            rest = S[..., i + 1 :] - factor * S[trials, p, i + 1 :][:, None]
            S[..., i + 1 :] = where((in_row & ~nothing)[..., None], zeros(rest.shape), rest)
        free[trials, p] = False
    return S, empty


def _copy(x: ExtendedRange) -> ExtendedRange:
    return ExtendedRange(x.m.copy(), x.e.copy())
