"""The leading pair of singular vectors of matrices, lag after lag of a sweep."""

from __future__ import annotations

from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.propagation.singular_values.lanczos import unit

ITERATIONS = 32
CLOSE = 1e-10
"""Relative distance from σ₁ at which a pair is taken for the leading one, in float64."""


class LeadingPairs:
    """Unit vectors u, v with uᵀ A v = σ₁, for a batch of matrices that change a little from call to call.

    Power iterations from the last u and a little noise; where they do not come within `CLOSE` of the given σ₁, an SVD.

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
        least = (1 - max(CLOSE, 16 * float(np.finfo(A.dtype).eps))) * sigma
        for _ in range(ITERATIONS):
            v = unit((u[:, None] @ A)[:, 0])
            moved = (A @ v[..., None])[..., 0]
            found = np.linalg.vector_norm(moved, axis=-1)
            u = unit(moved)
            if np.all(found >= least):
                break
        for b in np.flatnonzero(found < least):
            left, _, right = np.linalg.svd(A[b])
            u[b], v[b] = left[:, 0], right[0]
        self._u = u
        return u, v
