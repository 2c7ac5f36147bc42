r"""Rank-revealing LDU by complete pivoting: a matrix whose rows and columns lie many decades apart as X diag(d) Y.

Gaussian elimination of D₁ B D₂ is that of B, whatever the scales, if the pivots are chosen by their size with them. So
X and Y are well conditioned, and each d has its own digits as far as the minors of B have any (Demmel, Gu, Eisenstat,
Slapničar, Veselić and Drmač, Computing the singular value decomposition with high relative accuracy, 1999).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.extended_range import ExtendedRange, eye, to_float, zeros
from vanishgrad.extended_range.array import ABSENT
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.scaling import LN_2

FLUSHED = 1e-300
"""Error of an entry that its row's and its column's scale leave no room for."""
MAX_ERROR = 1 / 16
"""Of a pivot, relative, from which it and all that come after it are lost."""
GRADED_BITS = 26
"""Binary orders of magnitude between rows, or columns, from which a step is graded: half of what a float64 has."""


@dataclass(frozen=True, eq=False)
class RankRevealing:
    """A batch of matrices X diag(e^log_d) Y, none of whose entries in X and Y is above 1.

    Attributes
    ----------
    X : (B, m, r) array
        Unit lower triangular once its rows are in the order of the pivots.
    log_d : (B, r) array
        -inf from the first pivot on that is zero, or that rounding alone may have made.
    Y : (B, r, q) array
        Unit upper triangular once its columns are in the order of the pivots.
    loss : (B, r) array
        Error of each of `log_d` in units of u.
    rows, columns : (B, r) array
        Those of each pivot.
    rest : (B, m) array
        Logarithm of a bound of each row of what is left where pivots are lost; -inf where that is exactly zero.
    """

    X: Array
    log_d: Array
    Y: Array
    loss: Array
    rows: Array
    columns: Array
    rest: Array


def rank_revealing(
    B: Array, log_rows: Array, log_columns: Array, error: Array, eps: float, in_order: bool = False
) -> RankRevealing:
    r"""Return diag(e^log_rows) B diag(e^log_columns) = X diag(d) Y.

    With B = L D U in the order of the pivots, errors E of B become L⁻¹ E U⁻¹, which is how the loss is known: E are
    those of the entries, and the elimination's own, 2u|L||D||U|.

    Parameters
    ----------
    B : (B, m, q) array
    log_rows : (B, m) array
        -inf for a row that is zero.
    log_columns : (B, q) array
        -inf for a column that is zero.
    error : (B, m, q) array
        Of the entries, absolute; 0 for a zero that is exact.
    eps : float
        Twice the unit roundoff u that losses are counted in.
    in_order : bool
        Whether columns are taken from left to right, as a nested frame of vectors needs it; entries of Y may then be
        above 1.

    Notes
    -----
    r passes over a matrix of m q entries, and r³ more for the errors.
    """
    S = np.where(np.isneginf(log_rows)[..., None] | np.isneginf(log_columns)[:, None], 0.0, B).astype(np.float64)
    batch, m, q = S.shape
    r, trials = min(m, q), np.arange(batch)
    rows, columns = np.zeros((batch, r), dtype=np.int64), np.zeros((batch, r), dtype=np.int64)
    L, U, D = np.zeros((batch, m, r)), np.zeros((batch, r, q)), np.zeros((batch, r))
    free_row, free_column = np.ones((batch, m), dtype=bool), np.ones((batch, q), dtype=bool)
    log_rows, log_columns = (np.where(np.isneginf(logs), 0, logs) for logs in (log_rows, log_columns))
    scales = log_rows[..., None] + log_columns[:, None]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for k in range(r):
            sizes = np.where(free_row[..., None] & free_column[:, None], np.log(np.abs(S)) + scales, -np.inf)
            if in_order:
                sizes[:, :, np.arange(q) != k] = -np.inf
            place = np.nanargmax(np.where(np.isnan(sizes), -np.inf, sizes).reshape(batch, -1), axis=1)
            empty = ~np.isfinite(sizes.reshape(batch, -1)[trials, place])
            p, c = place // q, place % q
            # A zero pivot takes the next row and column that are free, so that X and Y stay triangular.
            p, c = np.where(empty, free_row.argmax(axis=1), p), np.where(empty, free_column.argmax(axis=1), c)
            rows[:, k], columns[:, k] = p, c
            pivot = S[trials, p, c]
            whole = ~empty & np.isfinite(pivot)
            divisor = np.where(whole, pivot, 1.0)[:, None]
            L[:, :, k] = np.where(free_row & whole[:, None], S[trials, :, c] / divisor, 0)
            U[:, k] = np.where(free_column & whole[:, None], S[trials, p] / divisor, 0)
            L[trials, p, k], U[trials, k, c] = 1, 1
            D[:, k] = np.where(whole, pivot, 0)
            S -= L[:, :, k, None] * (D[:, k, None] * U[:, k])[:, None]
            free_row[trials, p] = free_column[trials, c] = False
        relative = _relative_errors(L, D, U, (rows, columns), (log_rows, log_columns), error, eps, in_order)
        lost = np.logical_or.accumulate((D == 0) | ~(relative < MAX_ERROR), axis=1)
        row_scale, column_scale = _at(log_rows, rows), _at(log_columns, columns)
        log_d = np.where(lost, -np.inf, np.log(np.abs(D)) + row_scale + column_scale)
        X = _scaled(L, log_rows[..., None] - row_scale[:, None])
        Y = _scaled(U, log_columns[:, None] - column_scale[..., None]) * np.where(D < 0, -1, 1)[..., None]
        rest = _rest(B, (L, U), (rows, columns), (log_rows, log_columns), error, eps, lost)
    return RankRevealing(X, log_d, Y, np.where(lost, 0, 2 * relative / eps), rows, columns, rest)


def after_factors(
    factors: RankRevealing, A: Array, log_columns: Array, loss: Array, eps: float, in_order: bool = False
) -> RankRevealing:
    """Return the factors of diag(e^log_d) A diag(e^log_columns), the step's own errors of log_d included.

    A (B, r, q) is what X, or Y, makes of vectors that are off by a rounding and by `loss`, (B, q), in units of u.
    """
    error = eps * (2 + loss[:, None] / 2) * np.maximum(1, np.abs(A))
    inner = rank_revealing(A, factors.log_d, log_columns, error, eps, in_order)
    rows = np.maximum.accumulate(_at(factors.loss, inner.rows), axis=1)
    return replace(inner, loss=np.where(np.isfinite(inner.log_d), inner.loss + rows, 0))


def step_factors(step: EitherRange, t: int, trials: Array, m: int, eps: float) -> tuple[RankRevealing, Array] | None:
    """Return the factors of J_t in those of some trials, (B,), in which it is graded, and which those are, (B,).

    None where there are none. Entries are made in extended range; each is taken to be right to m roundings.
    """
    identity: Any = zeros((len(trials), m, m))
    identity[...] = eye(m)
    factors: Any = step.factors(t, identity)
    if factors is None:
        return None
    left, J = factors
    rows = _exponents(J.e, axis=2)
    columns = _exponents(np.where(J.m != 0, J.e - rows, ABSENT), axis=1)
    spreads = [np.ptp(each, axis=(1, 2)) for each in (rows, columns)]
    trials = trials & (np.maximum(*spreads) > GRADED_BITS)
    if not trials.any():
        return None
    left, J, rows, columns = left[trials], J[trials], rows[trials], columns[trials]
    B = to_float(ExtendedRange(J.m, J.e - rows - columns))
    error = np.where(B != 0, m * eps * np.abs(B), np.where(J.m != 0, FLUSHED, 0))
    own = rank_revealing(B, rows[..., 0] * LN_2, columns[:, 0] * LN_2, error, eps)
    return replace(own, X=to_float(left) @ own.X), trials


def _exponents(e: Array, axis: int) -> Array:
    """Return the largest exponents along an axis; of what is zero, the largest of all, which tells no grading."""
    largest = e.max(axis=axis, keepdims=True)
    return np.where(largest == ABSENT, largest.max(axis=3 - axis, keepdims=True), largest)


def _relative_errors(
    L: Array,
    D: Array,
    U: Array,
    places: tuple[Array, Array],
    logs: tuple[Array, Array],
    error: Array,
    eps: float,
    in_order: bool,
) -> Array:
    """Return how far each pivot, its column of X and its row of Y may be off, relative to the pivot, (B, r).

    With G = |L⁻¹| |E| |U⁻¹|, d_k moves by G_kk, column k of X by what is below it and row k of Y by what is behind it.
    A row of Y counts only if columns were not taken in order.
    """
    (rows, columns), (log_rows, log_columns) = places, logs
    lower = np.take_along_axis(L, rows[..., None], axis=1)
    upper = np.take_along_axis(U, columns[:, None], axis=2)
    E = np.take_along_axis(np.take_along_axis(error, rows[..., None], axis=1), columns[:, None], axis=2)
    E = E + eps * (np.abs(lower) @ (np.abs(D)[..., None] * np.abs(upper)))
    left, right = np.abs(_inverse(lower)), np.abs(_inverse(np.swapaxes(upper, 1, 2)))
    G = left @ E @ np.swapaxes(right, 1, 2)
    r, c = _at(log_rows, rows), _at(log_columns, columns)
    below = np.tril(G / np.abs(D)[:, None] * np.exp(r[..., None] - r[:, None]))
    behind = np.triu(G / np.abs(D)[..., None] * np.exp(c[:, None] - c[..., None]))
    return np.maximum(below.max(axis=1), 0 if in_order else behind.max(axis=2))


def _rest(
    B: Array,
    factors: tuple[Array, Array],
    places: tuple[Array, Array],
    logs: tuple[Array, Array],
    error: Array,
    eps: float,
    lost: Array,
) -> Array:
    """Return the logarithm of a bound of each row, (B, m), of the Schur complement of the pivots that are not lost."""
    rest = np.full(B.shape[:2], -np.inf)
    trials = lost.any(axis=1)
    if not trials.any() or B.shape[1] > B.shape[2]:
        return rest
    rows, columns = (each[trials] for each in places)
    L, U = factors[0][trials], factors[1][trials]
    lower, upper = np.take_along_axis(L, rows[..., None], axis=1), np.take_along_axis(U, columns[:, None], axis=2)
    eye, gone = np.eye(lower.shape[1]), lost[trials]
    lower, upper = np.where(gone[:, None], eye, lower), np.where(gone[..., None], eye, upper)
    left, right = _inverse(lower), np.swapaxes(_inverse(np.swapaxes(upper, 1, 2)), 1, 2)
    of_b, of_error = (
        np.take_along_axis(np.take_along_axis(each[trials], rows[..., None], axis=1), columns[:, None], axis=2)
        for each in (B, error)
    )
    rounding = 2 * B.shape[1] * eps * (np.abs(left) @ np.abs(of_b) @ np.abs(right))
    size = np.abs(left @ of_b @ right) + np.abs(left) @ of_error @ np.abs(right) + np.where(rounding > 0, rounding, 0)
    log_rows, log_columns = _at(logs[0][trials], rows), _at(logs[1][trials], columns)
    sizes = np.log(np.where(gone[:, None] & gone[..., None], size, 0)) + log_columns[:, None]
    bound = np.max(sizes, axis=2) + np.log(B.shape[2]) / 2 + log_rows
    of_trials = np.empty_like(bound)
    np.put_along_axis(of_trials, rows, bound, axis=1)
    rest[trials] = of_trials
    return rest


def _inverse(L: Array) -> Array:
    """Return the inverse of unit lower triangular matrices by substitution, row after row."""
    X = np.zeros_like(L)
    for k in range(L.shape[1]):
        X[:, k, k] = 1
        if k:
            X[:, k, :k] = -(L[:, k, None, :k] @ X[:, :k, :k])[:, 0]
    return X


def _scaled(factor: Array, logs: Array) -> Array:
    """Return a factor times e^logs, whose entries are then at most 1 although either may be out of range."""
    some = factor != 0
    sizes = np.log(np.where(some, np.abs(factor), 1)) + np.where(some, logs, 0)
    return np.where(some, np.sign(factor) * np.exp(sizes), 0)


def _at(values: Array, places: Array) -> Array:
    return np.take_along_axis(values, places, axis=1)
