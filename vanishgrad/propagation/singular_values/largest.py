"""The largest singular value of matrices, and its vectors, one by one or lag after lag of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.propagation.singular_values.lanczos import Batch, Ritz, leading_ritz, unit

GRAM_SIZE = 16
"""Up to this many rows or columns the spectrum of the Gram matrix is cheaper than iterating."""

RESOLVED = 1e-4
"""Singular values down to this share of the largest are right to 1e-8 by the Gram matrix."""
SAME = 1e-10
"""What has converged is this close to a bound below that it attains: then the bound, which is exact, is the value."""
PAIR_ITERATIONS = 32
PAIR_ERROR = 1e-10
"""Relative distance from σ₁ at which vectors are taken for the leading pair, in float64."""


class LeadingSingularValues:
    """The largest singular value σ₁ of several matrices, a few lags of a sweep at a time.

    Lanczos for all matrices of these lags together starts from the better Ritz vector of the last lead and the last
    runner-up, and a little of a fresh random vector and of the rows of largest norm. A value is accepted only where it
    has converged to no less than every row norm, every column norm and ‖·‖_F/√min(p, q), which bound σ₁ from below;
    all others are exact SVDs. Matrices that have been diagonal since the first call give max|d|.

    Parameters
    ----------
    shapes : mapping of name → (p, q)
    batch : int
        B, the matrices of each name at each lag.
    dtype : float64 or float32
    seed : int
        Of the random vectors: the same calls give the same bytes.

    Notes
    -----
    The relative error is the square of RESIDUAL (lanczos.py) over the relative gap between σ₁ and σ₂, in practice
    1e-14. Two that come closer than 1e-7 without one having been lead and the other runner-up may pass for one: then
    the error is their gap. Keeps 2 p numbers for each matrix.
    """

    def __init__(
        self, shapes: Mapping[str, tuple[int, int]], batch: int, dtype: Any = np.float64, seed: int = 0
    ) -> None:
        self._iterated = {name: shape for name, shape in shapes.items() if min(shape) > GRAM_SIZE}
        self._diagonal = np.ones((len(self._iterated), batch), dtype=bool)
        self._random = np.random.default_rng(seed)
        self._steps = np.ones((len(self._iterated), batch, 1), dtype=int)
        self._dtype, self._batch = np.dtype(dtype), batch
        rows = [p for p, _ in self._iterated.values()]
        self._lead, self._runner_up = (unit(self._noise(rows, batch)) for _ in range(2))

    def turn(self, rotations: Mapping[str, Callable[[Array], Array]]) -> None:
        """Go on with matrices Q A in the place of A; each name's function maps its left vectors, (B, p), to Q x."""
        lead, runner_up = (
            {name: rotations[name](vectors[i, :, :p]) for i, (name, (p, _)) in enumerate(self._iterated.items())}
            for vectors in (self._lead, self._runner_up)
        )
        keep = [min(lead[name].shape[1], q) > GRAM_SIZE for name, (_, q) in self._iterated.items()]
        self._steps, self._diagonal = self._steps[keep], self._diagonal[keep]
        names = [name for name, stays in zip(self._iterated, keep, strict=True) if stays]
        self._iterated = {name: (lead[name].shape[1], self._iterated[name][1]) for name in names}
        self._lead, self._runner_up = (
            unit(self._padded([vectors[name] for name in names])) for vectors in (lead, runner_up)
        )

    def __call__(self, matrices: Mapping[str, Array]) -> dict[str, Array]:
        """Return σ₁, (L·B,), of each of some of the matrices, (L·B, p, q), those of the first lag first."""
        iterated = [name for name in self._iterated if name in matrices]
        norms = self._leading(iterated, [matrices[name] for name in iterated]) if iterated else {}
        return {
            name: norms[name] if name in norms else largest_singular_value(matrix) for name, matrix in matrices.items()
        }

    def left_vector(self, name: str) -> Array | None:
        """Return what the next search of a matrix starts from, (p,), of the first of its batch; None without search."""
        if name not in self._iterated:
            return None
        vector: Array = self._lead[list(self._iterated).index(name), 0, : self._iterated[name][0]]
        return vector

    def _padded(self, vectors: list[Array]) -> Array:
        """Return vectors (count, p) of each matrix as one array (matrices, count, largest p)."""
        longest = max((vector.shape[1] for vector in vectors), default=0)
        padded = np.zeros((len(vectors), max(map(len, vectors), default=0), longest), self._dtype)
        for i, vector in enumerate(vectors):
            padded[i, :, : vector.shape[1]] = vector
        return padded

    def _noise(self, rows: list[int], count: int) -> Array:
        return self._padded([self._random.random((count, p), dtype=self._dtype) - 0.5 for p in rows])

    @np.errstate(over="ignore", invalid="ignore")  # what overflows is left to the SVD
    def _leading(self, names: list[str], matrices: list[Array]) -> dict[str, Array]:
        places, lags = [list(self._iterated).index(name) for name in names], len(matrices[0]) // self._batch
        floor, weight = self._floor_and_weight(matrices)
        skip = self._still_diagonal(places, matrices, lags)
        info = np.finfo(self._dtype)
        # Lanczos squares A Aᵀ's entries, which are of the order of the floor.
        skip |= ~((floor > info.tiny**0.5 / info.eps) & (floor < info.max**0.5 * info.eps))
        # Half of the probe is fresh noise, half the rows of largest norm.
        noise = self._noise([A.shape[1] for A in matrices], lags * self._batch)
        probe = unit(unit(noise) + unit(np.where(np.isfinite(weight), weight, 0)))
        before = (self._lead, self._runner_up, self._steps)
        lead, runner_up, steps = (np.tile(each[places, :, : noise.shape[2]], (1, lags, 1)) for each in before)
        last = slice(-self._batch, None)
        ritz = leading_ritz(Batch(matrices), lead, runner_up, probe, skip, steps[..., 0], last)
        accepted = ritz.converged & (ritz.values >= (1 - max(64 * info.eps, SAME)) * floor)
        self._remember(places, ritz)
        sigma = np.sqrt(np.maximum(ritz.values, floor)).astype(self._dtype)
        return {name: _replaced(sigma[i], accepted[i], matrices[i]) for i, name in enumerate(names)}

    def _remember(self, places: list[int], ritz: Ritz) -> None:
        """Keep what the lags that follow start from: the vectors of the last lag."""
        length = ritz.lead.shape[2]
        self._lead[places, :, :length], self._runner_up[places, :, :length] = ritz.lead, ritz.runner_up
        steps, converged = (each[:, -self._batch :, None] for each in (ritz.steps, ritz.converged))
        self._steps[places] = np.where(converged, steps, self._steps[places])

    def _floor_and_weight(self, matrices: list[Array]) -> tuple[Array, Array]:
        """Return a lower bound of σ₁², (matrices, L·B), and the squared row norms divided by the largest, padded."""
        by_row = [np.vecdot(A, A) for A in matrices]
        by_column = [np.einsum("bij,bij->bj", A, A) for A in matrices]
        heaviest = np.stack([np.max(each, axis=-1) for each in by_row])
        frobenius = np.stack(
            [np.sum(each, axis=-1) / min(A.shape[1:]) for each, A in zip(by_row, matrices, strict=True)]
        )
        floor = np.maximum(np.maximum(heaviest, frobenius), np.stack([np.max(each, axis=-1) for each in by_column]))
        return floor, self._padded(by_row) / np.maximum(heaviest, np.finfo(self._dtype).tiny)[..., None]

    def _still_diagonal(self, places: list[int], matrices: list[Array], lags: int) -> Array:
        """Return which have been diagonal at every lag so far, (matrices, L·B); once none is, it costs nothing."""
        diagonal = np.zeros((len(matrices), lags, self._batch), dtype=bool)
        for i, (place, A) in enumerate(zip(places, matrices, strict=True)):
            if self._diagonal[place].any():
                diagonal[i] = self._diagonal[place] & _is_diagonal(A).reshape(lags, self._batch)
        diagonal = np.logical_and.accumulate(diagonal, axis=1)
        self._diagonal[places] = diagonal[:, -1]
        return diagonal.reshape(len(matrices), -1)


class LeadingPairs:
    """Leading singular vectors: u, v with uᵀ A v = σ₁, for a batch of matrices that change a little from call to call.

    Power iteration from the last u and a little noise; where it does not come within `PAIR_ERROR` of the given σ₁, an
    SVD.

    Parameters
    ----------
    batch, size : int
        B matrices with `size` rows.
    dtype : float64 or float32
    seed : int
    """

    def __init__(self, batch: int, size: int, dtype: Any = np.float64, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._u = unit(self._random.standard_normal((batch, size)).astype(dtype))

    def __call__(self, A: Array, sigma: Array) -> tuple[Array, Array]:
        """Return u (B, p) and v (B, q) of matrices (B, p, q) with largest singular values `sigma`, (B,)."""
        u = unit(self._u + 1e-3 * unit(self._random.standard_normal(self._u.shape).astype(A.dtype)))
        least = (1 - max(PAIR_ERROR, 16 * float(np.finfo(A.dtype).eps))) * sigma
        for _ in range(PAIR_ITERATIONS):
            v = unit((u[:, None] @ A)[:, 0])
            image = (A @ v[..., None])[..., 0]
            reached = np.linalg.vector_norm(image, axis=-1)
            u = unit(image)
            if np.all(reached >= least):
                break
        for b in np.flatnonzero(reached < least):
            left, _, right = np.linalg.svd(A[b])
            u[b], v[b] = left[:, 0], right[0]
        self._u = u
        return u, v


def _replaced(sigma: Array, accepted: Array, matrix: Array) -> Array:
    if not np.all(accepted):
        sigma[~accepted] = largest_singular_value(matrix[~accepted])
    return sigma


def largest_singular_value(matrix: Array) -> Array:
    """Return σ₁, (B,), of matrices (B, p, q) of any scale, to a few units of roundoff.

    max|d| for diagonal matrices, exactly; 0 for zero. O(p q min(p, q)) each.
    """
    sigma: Array = np.max(np.abs(matrix), axis=(1, 2))
    others = ~_is_diagonal(matrix)
    if np.any(others):
        size = sigma[others]
        scaled = matrix[others] / size[:, None, None]
        spectrum = _by_gram if min(matrix.shape[1:]) <= GRAM_SIZE else _by_svd
        sigma[others] = size * spectrum(scaled).max(axis=-1)
    return sigma


def _by_svd(matrix: Array) -> Array:
    """Return all singular values, (B, min(p, q))."""
    return np.linalg.svd(matrix, compute_uv=False)


def _by_gram(matrix: Array) -> Array:
    """Return the same as roots of the Gram matrix's eigenvalues: their squares are right to roundoff of the largest."""
    transposed = np.swapaxes(matrix, 1, 2)
    gram = matrix @ transposed if matrix.shape[1] <= matrix.shape[2] else transposed @ matrix
    return np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))


def _is_diagonal(matrix: Array) -> Array:
    on_diagonal = np.count_nonzero(np.diagonal(matrix, axis1=1, axis2=2), axis=-1)
    return np.asarray(np.count_nonzero(matrix, axis=(1, 2)) == on_diagonal)


def count_at_least(matrix: Array, threshold: Array, leading: Array) -> Array:
    """Return how many singular values of each matrix, (B, p, q), are at least its threshold, (B,), as integers (B,).

    `leading` (B,) are the largest: below the threshold there is nothing to count, and up to 1/`RESOLVED` above it the
    Gram matrix tells as well as a full SVD.
    """
    counts = np.zeros(len(matrix), dtype=int)
    some, resolved = leading >= threshold, threshold >= RESOLVED * leading
    for selection, spectrum in ((some & resolved, _by_gram), (some & ~resolved, _by_svd)):
        if np.any(selection):
            size = leading[selection, None]
            sigma = spectrum(matrix[selection] / size[..., None])
            counts[selection] = np.count_nonzero(sigma >= threshold[selection, None] / size, axis=-1)
    return counts
