r"""Graded QR decomposition of a product of matrices: orthonormal · diagonal · well-conditioned, diagonal in logarithms.

A product of many Jacobians has singular values that lie hundreds of decades apart; formed as one matrix, all but the
largest sixteen decades are rounding. Kept as Q diag(d) V with Q orthonormal and V of condition of order 1, each of them
keeps its own digits, beyond the range of floating point too (Stewart, On graded QR decompositions of products of
matrices, 1997; Loh and others for quantum Monte Carlo, 1989).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.propagation.singular_values.rank_revealing import MAX_ERROR, RankRevealing, after_factors


@dataclass(frozen=True, eq=False)
class Graded:
    """A batch of square matrices Q diag(e^log_d) V.

    Attributes
    ----------
    Q : (B, m, m) array
        Orthonormal.
    log_d : (B, m) array
        -inf where the matrix is singular.
    V : (B, m, m) array
        Rows of norm of order 1.
    loss : (B, m) array
        Estimated error of each of `log_d`, in units of m·u.
    """

    Q: Array
    log_d: Array
    V: Array
    loss: Array

    def before(self, M: Array, log_scales: Array | float = 0.0) -> Graded:
        """Return M · this, with M given as M Q, (B, m, m), each column divided by e^log_scales, (B, m)."""
        step = graded_qr(M, self.log_d + log_scales, self.loss)
        return replace(step, V=step.V @ self.V)

    def before_transposed(self, factors: RankRevealing) -> Graded:
        """Return Mᵀ · this, with M = X diag(d) Y given by its factors: d meets Q before Y adds up what it scales."""
        m, dtype = self.Q.shape[1], self.Q.dtype
        eps = float(np.finfo(dtype).eps)
        inner = after_factors(factors, np.swapaxes(factors.X, 1, 2) @ self.Q, self.log_d, m * self.loss, eps)
        before = np.maximum.accumulate(np.take_along_axis(self.loss, inner.columns, axis=1), axis=1)
        loss = before + inner.loss / m
        log_d = np.where(np.maximum.accumulate(loss, axis=1) * m * eps < MAX_ERROR, inner.log_d, -np.inf)
        image = (np.swapaxes(factors.Y, 1, 2) @ inner.X).astype(dtype)
        step = graded_qr(image, log_d, loss)
        return replace(step, V=step.V @ (inner.Y @ self.V).astype(dtype))

    def __getitem__(self, trials: Array) -> Graded:
        """Return some of the matrices."""
        return Graded(self.Q[trials], self.log_d[trials], self.V[trials], self.loss[trials])

    def with_trials(self, trials: Array, others: Graded) -> Graded:
        """Return these with others in the place of some."""
        arrays = {field.name: np.array(getattr(self, field.name)) for field in fields(self)}
        for name, array in arrays.items():
            array[trials] = getattr(others, name)
        return Graded(**arrays)

    def block(self, rows: slice, columns: slice) -> Graded:
        """Return a block of the matrix, zeros around it."""
        Q, V = np.zeros_like(self.Q), np.zeros_like(self.V)
        Q[:, rows], V[:, :, columns] = self.Q[:, rows], self.V[:, :, columns]
        step = graded_qr(Q, self.log_d, self.loss, np.maximum(self.loss, 1))
        return replace(step, V=step.V @ V)

    def transposed(self, steps: int) -> Graded:
        """Return the factors of V^T diag(e^log_d): this transposed, but for Q, when V is made of so many steps."""
        turned = graded_qr(np.swapaxes(self.V, 1, 2), self.log_d, self.loss / steps)
        return replace(turned, loss=turned.loss * steps)


def identity(batch: int, size: int, dtype: np.dtype) -> Graded:
    """Return the identity."""
    eye = np.broadcast_to(np.eye(size, dtype=dtype), (batch, size, size))
    return Graded(eye, np.zeros((batch, size)), eye, np.zeros((batch, size)))


def graded_qr(M: Array, log_d: Array, loss: Array, blur: Array | None = None) -> Graded:
    r"""Return M diag(e^log_d) = Q diag(d') V.

    The columns are ordered by their norm times d, so that R = Q^T M diag(d) has V = diag(R)^{-1} R bounded as a
    pivoted QR has it, and no number larger than 1 times a column's norm is ever formed. A singular value of M that is
    not above the rounding of the factorisation, σ_i <= 2m·u·‖M‖_F, cannot be told from a zero, and is one: so a
    singular factor leaves exact zeros.

    Parameters
    ----------
    M : (B, m, m) array
    log_d : (B, m) array
    loss : (B, m) array
        Each grows by what a rounding of M of relative size u does to ln r_jj in units of u, at most about the condition
        number of M.
    blur : (B, m) array, optional
        Error of each column of M in units of m·u, 1 by default. A last r_jj that it reaches is a zero too.
    """
    largest = np.max(np.abs(M), axis=(1, 2), keepdims=True)
    # Of order 1, so that no square of an entry that counts falls out of range.
    M = M / np.where(largest > 0, largest, 1)
    size = np.linalg.vector_norm(M, axis=(1, 2))[:, None]
    M = np.where(np.isneginf(log_d)[:, None], 0, M)
    norms = np.linalg.vector_norm(M, axis=1)
    with np.errstate(divide="ignore"):
        log_norms = np.log(norms) + log_d
    order = np.argsort(-log_norms, axis=1, kind="stable")
    Q, R = np.linalg.qr(_columns(M, order))
    rank = _rank(R, size)
    for _ in range(M.shape[1]):
        places = _without_dependent(R, rank, size)
        if np.all(np.diff(places, axis=1) > 0):
            break
        order = np.take_along_axis(order, places, axis=1)
        Q, R = np.linalg.qr(_columns(M, order))
    norms, log_norms, log_d, loss = (np.take_along_axis(x, order, axis=1) for x in (norms, log_norms, log_d, loss))
    r = np.where(np.arange(M.shape[1]) < rank[:, None], _diagonal(R), 0)
    lost = _sensitivity(R, r, size)
    if blur is not None:
        lost = lost * np.maximum.accumulate(np.take_along_axis(blur, order, axis=1), axis=1)
        r = np.where(_at_the_end((r == 0) | (M.shape[1] * np.finfo(M.dtype).eps * lost > 1)), 0, r)
        lost = np.where(r > 0, lost, 0)
    ordered = _unit_rows(R, r, norms, log_norms)
    V = np.empty_like(ordered)
    np.put_along_axis(V, np.broadcast_to(order[:, None], V.shape), ordered, axis=2)
    with np.errstate(divide="ignore"):
        return Graded(Q, np.log(r) + np.log(largest[..., 0]) + log_d, V, loss + lost)


def _columns(M: Array, order: Array) -> Array:
    return np.take_along_axis(M, order[:, None], axis=2)


def _diagonal(R: Array) -> Array:
    return np.abs(np.diagonal(R, axis1=1, axis2=2))


def _sensitivity(R: Array, r: Array, size: Array) -> Array:
    """Return about ‖M‖_F times the norms of the columns of R^{-1}: how relative roundings of M move ln r_jj."""
    some = np.where(r > 0, r, 1)
    before = np.triu(np.abs(R) / some[..., None], k=1).max(axis=1)
    return np.where(r > 0, size * (1 + before) / some, 0)


def _rank(R: Array, size: Array) -> Array:
    """Return how many singular values are above rounding; they are worked out only where the diagonal is suspicious."""
    m, eps = R.shape[1], np.finfo(R.dtype).eps
    rank = np.full(len(R), m)
    doubtful = np.min(_diagonal(R), axis=1) <= np.sqrt(eps) * size[:, 0]
    if doubtful.any():
        sigma = np.linalg.svd(R[doubtful], compute_uv=False)
        rank[doubtful] = np.sum(sigma > m * eps * size[doubtful], axis=1)
    return rank


def _without_dependent(R: Array, rank: Array, size: Array) -> Array:
    """Return an order of the columns: of those that the rank counts, the first that depends on others comes last.

    One at a time: behind it, r_jj say nothing, since what is left of it is rounding whose direction they lose.
    """
    m = R.shape[1]
    counted = np.arange(m) < rank[:, None]
    depends = counted & (_diagonal(R) <= m * np.finfo(R.dtype).eps * size)
    first = depends & (np.cumsum(depends, axis=1) == 1)
    return np.argsort(first, axis=1, kind="stable")


def _at_the_end(condition: Array) -> Array:
    """Return where a condition holds, (B, m), from there to the last."""
    return np.logical_and.accumulate(condition[:, ::-1], axis=1)[:, ::-1]


def _unit_rows(R: Array, r: Array, norms: Array, log_norms: Array) -> Array:
    """Return diag(r)^{-1} R diag(d) with its rows' own d divided out; a zero row is a row of the identity."""
    zero = (r == 0)[..., None]
    # A column stands behind larger ones, or depends on larger ones: a ratio above 1 could only multiply rounding.
    anchor = np.where(zero, 0.0, log_norms[..., None])
    ratio = np.exp(np.minimum(log_norms[:, None, :] - anchor, 0)).astype(R.dtype)
    scaled = np.triu(R / np.where(norms > 0, norms, 1)[:, None] * ratio)
    eye = np.eye(r.shape[1], dtype=R.dtype)
    return np.where(zero, eye, scaled * (norms / np.where(r > 0, r, 1))[..., None])
