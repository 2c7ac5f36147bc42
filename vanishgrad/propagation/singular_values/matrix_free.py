r"""Matrix-free singular values: the largest of ∂s_T/∂s_k and of its blocks, at a few lags, from products with vectors.

Golub, Kahan and Lanczos for all lags at once: a sweep back in time multiplies one row for each block and lag, a sweep
forward one column. The Ritz value of the rows so far comes with its own residual ρ = ‖A v - σ u‖/σ, formed and not
estimated: some singular value of A lies within ½ρ of σ, relative (Parlett 1998, theorem 11.7.1 for A Aᵀ). ½ρ²/gap would
be less, but the Ritz values' gap is not that of a cluster, of which forget gates near 1 make many. That it is the
largest one is what a random start makes all but certain: Lanczos overlooks a direction only if the start has none of it
(Kuczyński and Woźniakowski 1992), or one within 1e-7, which it may take for the one beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array, bits, like
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.scaling import LN_2
from vanishgrad.propagation.singular_values.lanczos import unit
from vanishgrad.propagation.singular_values.scaled_vectors import LinearisedSteps, ScaledVectors

TOLERANCE = 1e-10
"""Accepted error of a norm, relative, as far as the gap to the next one is known."""
RESIDUAL = 1e-8
"""Accepted error by the residual alone, which is the bound that is reported: some singular value lies within."""
LARGEST_RESIDUAL = 1e-5
"""The same where only the largest value of all trials is wanted: its square over the gap is within `TOLERANCE`."""
MIN_ROWS, MAX_ROWS = 3, 64
"""Rows from which on a value is accepted, and at which the search for one is given up."""
NOISE = 0.1
"""How much of a random vector is mixed into a start that is known from another lag."""
FARTHEST = 1e30
"""What an image is taken to be of its Ritz value at most: beyond, squares overflow, and neither says anything."""
INPUT_BLOCK = "x"
"""The source of ∂h_T/∂x_k."""


@dataclass(frozen=True)
class VectorBlock:
    """Rows and columns of ∂s_T/∂s_k by part, all of them with None; `INPUT_BLOCK` as source is ∂h_T/∂x_k."""

    to: str | None
    source: str | None


class Leading(NamedTuple):
    """The leading singular value and vectors of one block at one lag, trial by trial.

    Attributes
    ----------
    log_norm : (B,) array
        ln σ₁: -inf where exactly zero.
    error : (B,) array
        Relative; see above.
    left : (B, p) array
        The left singular vector.
    rows : int
        Lanczos steps that it took.
    settled : bool
        Whether every trial's error is within `TOLERANCE`, or roundoff, as far as its value is wanted.
    """

    log_norm: Array
    error: Array
    left: Array
    rows: int
    settled: bool


def leading(
    cell: Cell,
    path: Trajectory,
    wanted: Sequence[tuple[VectorBlock, int]],
    starts: Mapping[tuple[VectorBlock, int], Array],
    seed: int = 0,
    largest_only: bool = False,
) -> dict[tuple[VectorBlock, int], Leading]:
    """Return the largest singular value of each block at each lag that is wanted.

    Parameters
    ----------
    cell : Cell
    path : Trajectory
    wanted : sequence of (block, lag)
        Lags from 1 on, of `INPUT_BLOCK` from 0 on.
    starts : mapping
        Left vectors, (B, p), that are known to be near, for instance from another lag.
    seed : int
        Of the random starts.
    largest_only : bool
        Whether only the largest value of all trials is wanted: the others then need not settle.

    Notes
    -----
    A sweep in each direction for every Lanczos step, up to the largest lag that has not converged: 8 n² B
    multiplications and additions a step for each vector of an LSTM. O(B m) numbers for each vector.
    """
    random = np.random.default_rng(seed)
    searches = [
        _Search(cell, path, block, lag, starts.get((block, lag)), random, largest_only) for block, lag in wanted
    ]
    searches.sort(key=lambda search: search.lag)
    active, steps = searches, LinearisedSteps(cell, path)
    while active:
        _pull(cell, path, steps, active)
        _push(cell, path, steps, active)
        active = [search for search in active if not search.done]
    return {(search.block, search.lag): search.found() for search in searches}


class _Search:
    """The Lanczos rows of one block at one lag: Q (B, j, p) orthonormal, Y = Q A (B, j, q) and its exponents (B, j)."""

    def __init__(
        self,
        cell: Cell,
        path: Trajectory,
        block: VectorBlock,
        lag: int,
        start: Array | None,
        random: np.random.Generator,
        largest_only: bool,
    ) -> None:
        whole = slice(0, cell.state_size)
        self.block, self.lag, self.done, self._largest_only = block, lag, False, largest_only
        self.rows = whole if block.to is None else cell.slices[block.to]
        self.columns = whole if block.source in (None, INPUT_BLOCK) else cell.slices[block.source]
        self._random, dtype = random, np.dtype(f"float{bits(path.start)}")
        self._tolerance = max(TOLERANCE, 16 * float(np.finfo(dtype).eps))
        batch, p = path.start.shape[0], self.rows.stop - self.rows.start
        self._Q = np.zeros((batch, 0, p), dtype)
        self._Y = np.zeros((batch, 0, 0), dtype)
        self._exponents = np.zeros((batch, 0), dtype=np.int64)
        noise = unit(random.standard_normal((batch, p)).astype(dtype))
        self.row = noise if start is None else unit(start + NOISE * noise)
        self.column, self._theta, self._error = self.row, np.zeros(batch), np.full(batch, np.inf)

    def take_image(self, y: Array, exponents: Array) -> None:
        """Take the row's image, and turn to the leading Ritz pair."""
        y = y.astype(self.row.dtype)
        self._Q = np.concatenate([self._Q, self.row[:, None]], axis=1)
        self._Y = np.concatenate([self._Y.reshape(*self._Q[:, 1:].shape[:2], y.shape[-1]), y[:, None]], axis=1)
        self._exponents = np.concatenate([self._exponents, exponents[:, None]], axis=1)
        shift = np.clip(self._exponents - self._top[:, None], -1000, 0).astype(float)  # a row of zeros may be above
        Y = self._Y * (2.0**shift)[..., None]
        values, vectors = np.linalg.eigh(Y @ np.swapaxes(Y, 1, 2))
        z = vectors[..., -1]
        self._theta = np.maximum(values[:, -1], 0)
        self._gap = 1 - np.maximum(values[:, -2], 0) / _some(self._theta) if values.shape[1] > 1 else np.ones(len(z))
        self._left = unit(np.einsum("bj,bjp->bp", z, self._Q)).astype(y.dtype)
        self.column = unit(np.einsum("bj,bjq->bq", z, Y)).astype(y.dtype)

    @property
    def _top(self) -> Array:
        """The largest exponent of a row that is not zero."""
        some = np.any(self._Y != 0, axis=-1)
        top: Array = np.max(np.where(some, self._exponents, np.iinfo(np.int64).min // 2), axis=1)
        return np.where(np.any(some, axis=1), top, 0)

    @property
    def _log_norm(self) -> Array:
        """The logarithm of the Ritz value σ, (B,)."""
        with np.errstate(divide="ignore"):
            log_norm: Array = np.log(self._theta) / 2 + self._top * LN_2
        return log_norm

    def take_product(self, product: Array, exponents: Array) -> None:
        """Take A v of the leading right vector v: its residual is the error, and the next row."""
        product, sigma = product.astype(self.row.dtype), np.sqrt(self._theta)
        shift = np.clip(exponents - self._top, -1000, 1000).astype(float)
        image = product * np.minimum(2.0**shift / _some(sigma), FARTHEST)[:, None]
        residual = np.where(sigma > 0, 1, 0)[:, None] * (image - self._left)
        rho = np.linalg.norm(residual, axis=-1)
        rows, is_complete = self._Q.shape[1], self._Q.shape[1] == self._Q.shape[2]
        # The gap is that of Ritz values, which know nothing of a cluster: by it a value settles, but is not right.
        by_gap = rho**2 / np.maximum(self._gap, 1 / FARTHEST)
        self._error = np.where(self._theta > 0, np.minimum(rho / 2, by_gap) if is_complete else rho / 2, 0)
        residual_limit = LARGEST_RESIDUAL if self._largest_only else RESIDUAL
        settled = (self._theta == 0) | ((by_gap <= self._tolerance) & (rho / 2 <= max(residual_limit, self._tolerance)))
        if self._largest_only:
            settled |= self._log_norm + np.log1p(rho) < np.max(self._log_norm)
        self._settled = bool(np.all(settled & ((rows >= MIN_ROWS) | (self._theta == 0))))
        self.done = self._settled or rows >= min(MAX_ROWS, self._Q.shape[2])
        if self.done:
            self._final, self._steps = self._log_norm, rows
            self._Q, self._Y = self._Q[:, :0], self._Y[:, :0]
        else:
            self.row = self._next_row((residual / _some(rho)[:, None]).astype(product.dtype))

    def _next_row(self, residual: Array) -> Array:
        """Return the residual without what the rows have of it, noise where nothing is left."""
        noise = self._random.standard_normal(residual.shape).astype(residual.dtype)
        row = np.where((np.linalg.norm(residual, axis=-1) > 0)[:, None], residual, noise)
        for _ in range(2):
            row = unit(row)
            row = row - np.einsum("bj,bjp->bp", np.einsum("bjp,bp->bj", self._Q, row), self._Q)
        return unit(row)

    def found(self) -> Leading:
        """Return what was found, once done."""
        return Leading(self._final, self._error, self._left, self._steps, self._settled)


def _pull(cell: Cell, path: Trajectory, steps: LinearisedSteps, searches: Sequence[_Search]) -> None:
    """Send every search's row back to its lag; searches in the order of their lags."""
    batch, m = path.start.shape
    values = np.zeros((batch, len(searches), m), searches[0].row.dtype)
    for i, search in enumerate(searches):
        values[:, i, search.rows] = search.row
    vectors, first = ScaledVectors.on(path.start, values), 0
    for t, linearisation in steps.backward(max(path.steps - searches[-1].lag, 1)):
        while first < len(searches) and searches[first].lag == path.steps - t:
            search = searches[first]
            if search.block.source == INPUT_BLOCK:
                of_input = vectors[:1].through_input(linearisation, t, cell.input_size)
                search.take_image(*of_input.vector(0, slice(None)))
            else:
                search.take_image(*vectors.vector(0, search.columns))
            vectors = vectors[1:]
            first += 1
        if first == len(searches):
            return
        vectors.cotangent(linearisation, t)
    for i, search in enumerate(searches[first:]):
        search.take_image(*vectors.vector(i, search.columns))


def _push(cell: Cell, path: Trajectory, steps: LinearisedSteps, searches: Sequence[_Search]) -> None:
    """Send every search's column from its lag to the end; searches in the order of their lags."""
    batch, m = path.start.shape
    dtype, waiting = searches[0].row.dtype, list(searches)
    vectors = ScaledVectors.on(path.start, np.zeros((batch, 0, m), dtype))

    def enter(k: int, linearisation: EitherRange | None) -> None:
        nonlocal vectors
        while waiting and path.steps - waiting[-1].lag == k:
            search = waiting.pop()
            if search.block.source == INPUT_BLOCK and linearisation is not None:
                new = ScaledVectors.on(path.start, search.column[:, None]).from_input(linearisation, k, m)
            else:
                new = ScaledVectors.on(path.start, np.zeros((batch, 1, m), dtype))
                new.values[:, 0, search.columns] = like(path.start, search.column)
            vectors = vectors.and_also(new)

    first = path.steps - searches[-1].lag
    enter(0, None)
    for t, linearisation in steps.forward(max(first, 1)):
        vectors.tangent(linearisation, t)
        enter(t, linearisation)
    for i, search in enumerate(reversed(searches)):
        search.take_product(*vectors.vector(i, search.rows))


def _some(x: Array) -> Array:
    """Return 1 in the place of 0."""
    return np.where(x > 0, x, 1).astype(x.dtype)
