r"""Lanczos from warm starts for the largest singular values of many small matrices at once.

The vectors of all matrices stand in one array, (matrices, B, length), padded with zeros: a step costs two products for
each kind of matrix and a handful of elementwise operations for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array

RESIDUAL = 1e-8
"""Accepted ‖A Aᵀx − θx‖/θ. θ is off by its square over the relative gap; a closer pair passes for one."""

CLEAR_RESIDUAL = 3e-6
"""Accepted where the second Ritz value leaves a gap over which its square is below `VALUE_ERROR`."""

VALUE_ERROR = 1e-11

PROBE = 0.03
"""How much of the probe is mixed into a start vector: about what a lag changes of a singular vector anyway."""

EXHAUSTED = 8
"""Roundings of the largest value so far, within which a vector is none that is new."""
COPY = 1e-8
"""Ritz values closer than this are one and the same."""


class Batch:
    """Matrices A, each (B, p, q), padded vectors of whose rows and columns are `rows` and `columns` long.

    Attributes
    ----------
    rows, columns : int
        The largest p and the largest q.
    """

    def __init__(self, matrices: Sequence[Array]) -> None:
        self._matrices, self._transposed = matrices, [np.swapaxes(A, 1, 2) for A in matrices]
        self.rows, self.columns = (max(A.shape[axis] for A in matrices) for axis in (1, 2))

    def pull(self, left: Array, idle: Array) -> Array:
        """Return left · A, (matrices, B, r, rows) → (matrices, B, r, columns), or 0 for idle matrices."""
        return _applied(self._matrices, left, idle, self.columns)

    def push(self, right: Array, idle: Array) -> Array:
        """Return right · Aᵀ, (matrices, B, r, columns) → (matrices, B, r, rows), or 0 for idle matrices."""
        return _applied(self._transposed, right, idle, self.rows)


def _applied(matrices: Sequence[Array], vectors: Array, idle: Array, length: int) -> Array:
    if len(matrices) == 1:
        return np.matmul(vectors, matrices[0])
    applied = np.zeros((*vectors.shape[:-1], length), vectors.dtype)
    for i, A in enumerate(matrices):
        if not idle[i]:
            np.matmul(vectors[i, ..., : A.shape[1]], A, out=applied[i, ..., : A.shape[2]])
    return applied


def unit(x: Array) -> Array:
    """Return vectors of length 1, or zero where they are zero."""
    return x * inverse(np.sqrt(np.vecdot(x, x)))[..., None]


def inverse(x: Array) -> Array:
    """Return 1/x, and 0 where x is 0."""
    return (x > 0) / np.where(x > 0, x, 1)


class Ritz(NamedTuple):
    """Leading Ritz values of A Aᵀ, whether they have converged, (matrices, B), and what the next lag starts from.

    `steps` (matrices, B) is what convergence took; `lead`, `runner_up` are unit left vectors (matrices, window, rows).
    """

    values: Array
    converged: Array
    steps: Array
    lead: Array
    runner_up: Array


def leading_ritz(
    batch: Batch, lead: Array, runner_up: Array, probe: Array, skip: Array, steps: Array, window: slice = slice(None)
) -> Ritz:
    """Return the leading Ritz values of A Aᵀ for all matrices.

    Rayleigh and Ritz turn the lead and the runner-up of the last lag in their span: so they change places, however
    close they are. Lanczos starts from the better one and a little of the probe: an exact singular vector alone would
    never see another overtake it. The next runner-up is the other one after a power step: so it follows the second
    singular vector from lag to lag. Convergence is first tested after `steps` (matrices, B). Nothing is done where
    `skip`; vectors are returned of the places `window` of each kind of matrix.
    """
    idle = np.all(skip, axis=1)
    u, v, other = _start(batch, lead, runner_up, probe, idle)
    pushed = batch.push(np.stack([v, other], axis=2), idle)
    image = pushed[:, :, 0]
    limit = 32 + max(batch.rows, batch.columns) // 4  # an SVD costs no less
    eps, least, size = float(np.finfo(u.dtype).eps), np.finfo(u.dtype).tiny, 0
    # In float32 a pair that has converged soon returns, unless every vector is made orthogonal to all before it.
    reorthogonal = eps > COPY
    places = slice(None) if reorthogonal else window
    basis = np.empty((limit, *u[:, places].shape), u.dtype)
    small, largest = _Tridiagonals(skip, steps, limit, eps), np.zeros(skip.shape, u.dtype)
    finished = idle.all()
    while True:
        basis[size] = u[:, places]
        size += 1
        alpha = np.vecdot(v, v)
        image -= alpha[..., None] * u
        if reorthogonal:
            for _ in range(2):  # once leaves, of a short image, what rounding adds
                shares = np.vecdot(basis[:size], image)
                image -= np.einsum("kmb,kmbr->mbr", shares, basis[:size])
            largest = np.maximum(largest, alpha)
        beta = np.sqrt(np.vecdot(image, image))
        if reorthogonal:
            # The space is exhausted: what is left is rounding, and lies within it.
            beta = np.where(beta > EXHAUSTED * eps * largest, beta, 0)
            image *= (beta > 0)[..., None]
        if small.append(alpha, beta):
            idle = small.done.all(axis=1)
            finished = idle.all()
        if finished or size == limit:
            break
        before, u = beta[..., None] * u, image / np.maximum(beta, least)[..., None]
        v = batch.pull(u[:, :, None], idle)[:, :, 0]
        image = batch.push(v[:, :, None], idle)[:, :, 0]
        image -= before
    leading, vectors = small.vectors[:, window, :size].astype(u.dtype), basis[:size]
    lead = np.einsum("mbk,kmbr->mbr", leading, vectors[:, :, window] if reorthogonal else vectors)
    return Ritz(small.values, small.done & ~skip, small.steps, unit(lead), unit(pushed[:, window, 1]))


def _start(batch: Batch, lead: Array, runner_up: Array, probe: Array, idle: Array) -> tuple[Array, Array, Array]:
    """Return a start vector (…, rows), its image (…, columns), and the image of the Ritz vector that was not chosen."""
    other = unit(runner_up - np.vecdot(lead, runner_up)[..., None] * lead)
    first, second, third = np.moveaxis(batch.pull(np.stack([lead, other, probe], axis=2), idle), 2, 0)
    masses, cross = np.vecdot(first, first) - np.vecdot(second, second), np.vecdot(first, second)
    angle = 0.5 * np.arctan2(2 * cross, masses)[..., None]
    cosine, sine = np.cos(angle), np.sin(angle)
    u = cosine * lead + sine * other + PROBE * probe
    scale = inverse(np.sqrt(np.vecdot(u, u)))[..., None]
    v = (cosine * first + sine * second + PROBE * third) * scale
    return u * scale, v, cosine * second - sine * first


class _Tridiagonals:
    """Lanczos matrices T, α on the diagonal and β beside it, and their leading eigenpairs, as they converge.

    They are looked at when seven eighths of the rest are due; `steps` then says when to look next, and for one that is
    done when to look at the next lag. Both are read off the Ritz vector: βⱼxⱼ is about the residual after j steps.
    """

    def __init__(self, skip: Array, steps: Array, limit: int, eps: float) -> None:
        self.done, self.steps = skip.copy(), steps.copy()
        self.values = np.zeros(skip.shape)
        self.vectors = np.zeros((*skip.shape, limit))
        self._accepted, self._clear = max(RESIDUAL, 32 * eps), max(CLEAR_RESIDUAL, 32 * eps)
        self._alpha, self._beta = np.zeros((limit, *skip.shape)), np.zeros((limit, *skip.shape))
        self._size = 0
        self._plan()

    def append(self, alpha: Array, beta: Array) -> bool:
        """Add a row, and return whether that was the time for a look."""
        self._alpha[self._size], self._beta[self._size] = alpha, beta
        self._size += 1
        if self._size < self._next_look:
            return False
        self._look(~self.done & (self.steps <= self._size))
        self._plan()
        return True

    def _plan(self) -> None:
        waiting = np.sort(self.steps[~self.done])
        self._next_look = int(waiting[7 * len(waiting) // 8]) if len(waiting) else len(self._alpha)

    def _look(self, due: Array) -> None:
        """Solve for the leading eigenpair of those that are due."""
        size = self._size
        alpha, beta = self._alpha[:size, due].T, self._beta[:size, due].T
        values = np.linalg.eigvalsh(tridiagonal(alpha, beta))
        theta = values[:, -1]
        # Without reorthogonalisation a converged pair may return: its copies are not the second singular value.
        distinct = np.where(values < (1 - COPY) * theta[:, None], values, -1)
        vectors = positive_vector(alpha, beta, theta)
        self.values[due], self.vectors[due, :size] = theta, vectors
        gap = theta - np.maximum(np.max(distinct, axis=-1), 0)
        enough = np.maximum(self._accepted * theta, np.minimum(self._clear * theta, np.sqrt(VALUE_ERROR * theta * gap)))
        residuals = beta * vectors
        converged = residuals <= enough[:, None]
        first, any_converged = np.argmax(converged, axis=1), converged[:, -1]
        steps = (
            first + 1 if any_converged.all() else np.where(any_converged, first + 1, size + _further(residuals, enough))
        )
        self.done[due], self.steps[due] = any_converged, steps


def _further(residuals: Array, enough: Array) -> Array:
    """Return how many more steps it takes residuals, (count, k), to fall to `enough` as they did in the last steps."""
    size = residuals.shape[1]
    back = (size + 1) // 2
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.log(residuals[:, -1 - back] / residuals[:, -1]) / back if size > back else np.zeros(len(residuals))
        steps = np.log(residuals[:, -1] / enough) / slope
    return np.clip(np.nan_to_num(np.ceil(steps)), 1, 1 + size // 2).astype(int)


def tridiagonal(alpha: Array, beta: Array) -> Array:
    """Return T, (count, k, k), from its diagonal and what stands below, both (count, k); the last β stands outside."""
    count, size = alpha.shape
    T = np.zeros((count, size, size))
    place = np.arange(size)
    T[:, place, place], T[:, place[1:], place[:-1]] = alpha, beta[:, :-1]
    return T


def positive_vector(alpha: Array, beta: Array, theta: Array) -> Array:
    """Return the unit eigenvector of T's largest eigenvalue θ, all of whose components are positive.

    x_{j-1}/x_j = d_j/β_{j-1} with the pivots d_j = θ - α_j - β_j²/d_{j+1} of θ - T from below, which are positive for
    j > 1: nothing cancels, and the small last component is right to its own roundoff.
    """
    least = np.finfo(float).eps * theta
    alpha, beta = alpha.T, np.maximum(beta.T, least)
    gaps, squares, pivots = theta - alpha, beta**2, np.empty_like(alpha)
    pivots[-1] = np.maximum(gaps[-1], least)
    for j in range(len(alpha) - 1, 0, -1):
        pivots[j - 1] = np.maximum(gaps[j - 1] - squares[j - 1] / pivots[j], least)
    logs = np.zeros_like(alpha)
    logs[:-1] = np.cumsum(np.log(pivots[:0:-1] / beta[-2::-1]), axis=0)[::-1]
    x = np.exp(logs - np.max(logs, axis=0)).T
    return x / np.sqrt(np.vecdot(x, x))[:, None]
