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
from vanishgrad.propagation.singular_values.rank_revealing import RankRevealing, after_factors

LARGEST_LOG = 80.0
"""Nats up to which an error may exceed what it is of: more tells no more, and float32 has room for it."""


@dataclass(frozen=True, eq=False)
class Graded:
    """A batch of square matrices Q diag(e^log_d) V.

    Attributes
    ----------
    Q : (B, m, m) array
        Orthonormal.
    log_d : (B, m) array
        -inf where the matrix is singular; an upper bound where the loss is 1/(m·eps), which rounding left alone.
    V : (B, m, m) array
        Rows of norm of order 1.
    loss : (B, m) array
        Estimated error of each of `log_d`, in units of m·u.
    """

    Q: Array
    log_d: Array
    V: Array
    loss: Array

    def before(
        self, M: Array, log_scales: Array | float = 0.0, noise: Array | None = None, limit: Array | None = None
    ) -> Graded:
        """Return M · this, with M given as M Q, (B, m, m), each column divided by e^log_scales, (B, m).

        `noise` and `limit` are those of `graded_qr`.
        """
        step = graded_qr(M, self.log_d + log_scales, self.loss, noise, limit)
        return replace(step, V=step.V @ self.V)

    @property
    def unknown(self) -> Array:
        """How many directions, (B,), have an upper bound alone."""
        known_to = 1 / (self.Q.shape[1] * float(np.finfo(self.Q.dtype).eps))
        count: Array = np.sum(np.isfinite(self.log_d) & (self.loss >= known_to), axis=1)
        return count

    def before_transposed(self, factors: RankRevealing) -> Graded:
        """Return Mᵀ · this, with M = X diag(d) Y given by its factors: d meets Q before Y adds up what it scales."""
        m, dtype = self.Q.shape[1], self.Q.dtype
        eps = float(np.finfo(dtype).eps)
        inner = after_factors(factors, np.swapaxes(factors.X, 1, 2) @ self.Q, self.log_d, m * self.loss, eps)
        before = np.maximum.accumulate(np.take_along_axis(self.loss, inner.columns, axis=1), axis=1)
        loss = before + inner.loss / m
        lost = np.isneginf(inner.log_d)
        # What is lost has an upper bound for each row, and any direction in it.
        rest, own_row = np.take_along_axis(inner.rest, inner.rows, axis=1), np.eye(m)[inner.rows].swapaxes(1, 2)
        log_d = np.where(lost, rest, inner.log_d + np.log1p(m * eps * loss))
        loss = np.where(lost, 1 / (m * eps), loss)
        image = (np.swapaxes(factors.Y, 1, 2) @ np.where(lost[:, None], own_row, inner.X)).astype(dtype)
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
        noise = np.linalg.vector_norm(Q, axis=(1, 2))[:, None] * np.maximum(self.loss, 1)
        step = graded_qr(Q, self.log_d, self.loss, noise)
        return replace(step, V=step.V @ V)

    def transposed(self, steps: int) -> Graded:
        """Return the factors of V^T diag(e^log_d): this transposed, but for Q, when V is made of so many steps."""
        turned = graded_qr(np.swapaxes(self.V, 1, 2), self.log_d, self.loss / steps)
        return replace(turned, loss=turned.loss * steps)


def identity(batch: int, size: int, dtype: np.dtype) -> Graded:
    """Return the identity."""
    eye = np.broadcast_to(np.eye(size, dtype=dtype), (batch, size, size))
    return Graded(eye, np.zeros((batch, size)), eye, np.zeros((batch, size)))


def graded_qr(M: Array, log_d: Array, loss: Array, noise: Array | None = None, limit: Array | None = None) -> Graded:
    r"""Return M diag(e^log_d) = Q diag(d') V.

    The columns are ordered by their norm times d, so that R = Q^T M diag(d) has V = diag(R)^{-1} R bounded as a
    pivoted QR has it, and no number larger than 1 times a column's norm is ever formed.

    What rounding may have made is kept as an upper bound whose loss says that it is none of the numbers: a direction
    whose r_jj is not above the rounding of what it is left of, or a singular value of M not above the rounding of the
    factorisation, m·eps·‖M‖_F. It may lead again at a later step, and what is behind it is then lost, not wrong. Beyond
    the rank that zero rows and columns leave, all is exactly zero.

    Parameters
    ----------
    M : (B, m, m) array
    log_d : (B, m) array
    loss : (B, m) array
        Each grows by what a rounding of M of relative size u does to its row of V in units of m·u.
    noise : (B, m) array, optional
        Error of each column of M in units of u, ‖M‖_F by default.
    limit : (B,) array of int, optional
        A rank that M cannot have more of.
    """
    m, eps = M.shape[1], float(np.finfo(M.dtype).eps)
    largest = np.max(np.abs(M), axis=(1, 2), keepdims=True)
    # Of order 1, so that no square of an entry that counts falls out of range.
    M = M / np.where(largest > 0, largest, 1)
    size = np.linalg.vector_norm(M, axis=(1, 2))[:, None]
    noise = np.broadcast_to(size, log_d.shape) if noise is None else noise / np.where(largest > 0, largest, 1)[..., 0]
    M = np.where(np.isneginf(log_d)[:, None], 0, M)
    limit = np.minimum(_exact_rank(M), m if limit is None else limit)
    norms = np.linalg.vector_norm(M, axis=1)
    with np.errstate(divide="ignore"):
        log_norms = np.log(norms) + log_d
    order = np.argsort(-log_norms, axis=1, kind="stable")
    Q, R = np.linalg.qr(_columns(M, order))
    rank = _rank(R, size)
    for _ in range(m):
        places = _without_dependent(R, rank, size)
        if np.all(np.diff(places, axis=1) > 0):
            break
        order = np.take_along_axis(order, places, axis=1)
        Q, R = np.linalg.qr(_columns(M, order))
    norms, log_norms, log_d, loss, noise = (
        np.take_along_axis(x, order, axis=1) for x in (norms, log_norms, log_d, loss, noise)
    )
    place = np.arange(m)
    r = np.where(place < rank[:, None], _diagonal(R), 0)
    lost = _sensitivity(R, r, noise, log_d)
    unknown = _at_the_end((r == 0) | (m * eps * lost > 1))
    r, lost = np.where(unknown, 0, r), np.where(unknown, 0, lost)
    V = _unit_rows(R, r, norms, log_norms)
    # A row has the errors of those behind it as far as they have a share of it.
    shares = np.triu(np.minimum(np.abs(V), 1), k=1)
    loss = np.maximum(loss, np.max(shares * loss[:, None], axis=2)) + lost
    with np.errstate(divide="ignore"):
        bound = np.log(m * eps * noise) + log_d
        log_r = np.log(r) + log_d
    ghost = unknown & (place < limit[:, None])
    bound = np.max(np.where(unknown, bound, -np.inf), axis=1, keepdims=True)
    log_r, loss = np.where(ghost, bound, log_r), np.where(ghost, 1 / (m * eps), loss)
    scattered = np.empty_like(V)
    np.put_along_axis(scattered, np.broadcast_to(order[:, None], V.shape), V, axis=2)
    with np.errstate(divide="ignore"):
        return Graded(Q, log_r + np.log(largest[..., 0]), scattered, loss)


def _exact_rank(M: Array) -> Array:
    """Return how many rows and columns there are, (B,), that are not exactly zero, of the fewer kind."""
    some = M != 0
    fewest: Array = np.minimum(some.any(axis=1).sum(axis=1), some.any(axis=2).sum(axis=1))
    return fewest


def _columns(M: Array, order: Array) -> Array:
    return np.take_along_axis(M, order[:, None], axis=2)


def _diagonal(R: Array) -> Array:
    return np.abs(np.diagonal(R, axis1=1, axis2=2))


def _sensitivity(R: Array, r: Array, noise: Array, log_d: Array) -> Array:
    """Return how the columns' errors move each row of V and its r_kk: those before it by R^{-1}, those behind by d."""
    some = np.where(r > 0, r, 1)
    before = np.triu(np.abs(R) / some[..., None], k=1).max(axis=1)
    own = np.maximum.accumulate(noise, axis=1) * (1 + before)
    with np.errstate(divide="ignore"):
        sizes = np.log(noise) + log_d
    largest = np.maximum.accumulate(sizes[:, ::-1], axis=1)[:, ::-1]
    beyond = np.concatenate([largest[:, 1:], np.full((len(r), 1), -np.inf)], axis=1)
    behind = np.exp(np.minimum(beyond - np.where(np.isneginf(log_d), 0, log_d), LARGEST_LOG))
    return np.where(r > 0, (own + behind) / some, 0)


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
