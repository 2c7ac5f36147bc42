"""Orthogonal parametrisations: the matrix exponential, the Cayley map and Householder reflections, as PyTorch has them.

Of a matrix X, tall or turned so, the first two take A = L - Lᵀ, L being X's lower triangle beside zeros: Q = exp A, or
Q = (I - A/2)⁻¹ (I + A/2). The third takes Q = H_1 … H_k diag(X), H_i the reflection whose vector stands below the
diagonal of column i. What is used is B Q, B being a stored orthogonal base. Lezcano-Casado (2019), trivializations.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vanishgrad.arrays import Array


def orthogonal(X: Array, base: Array | None, map_name: str) -> Array:
    """Return the orthogonal matrix of stored pieces, (n, k) float64; O(n³)."""
    tall = X.astype(np.float64)
    is_wide = tall.shape[0] < tall.shape[1]
    Q = MAPS[map_name](tall.T if is_wide else tall)
    if base is not None:
        Q = base.astype(np.float64) @ Q
    return Q.T if is_wide else Q


def usual_map(shape: tuple[int, ...]) -> str:
    """Return the map that PyTorch takes for a shape unless it is told another."""
    return "matrix_exp" if shape[0] == shape[1] else "householder"


def _skew(X: Array) -> Array:
    n, k = X.shape
    lower = np.hstack([np.tril(X), np.zeros((n, n - k))])
    return lower - lower.T


def _matrix_exp(X: Array) -> Array:
    from scipy.linalg import expm

    return np.asarray(expm(_skew(X)))[:, : X.shape[1]]


def _cayley(X: Array) -> Array:
    half, eye = _skew(X) / 2, np.eye(len(X))
    return np.linalg.solve(eye - half, eye + half)[:, : X.shape[1]]


def _householder(X: Array) -> Array:
    n, k = X.shape
    Q = np.eye(n, k)
    for column in reversed(range(k)):
        v = np.concatenate([np.zeros(column), [1.0], X[column + 1 :, column]])
        Q -= np.outer(v, 2 / (v @ v) * (v @ Q))
    return Q * np.trunc(np.diagonal(X))


MAPS: dict[str, Callable[[Array], Array]] = {
    "matrix_exp": _matrix_exp,
    "cayley": _cayley,
    "householder": _householder,
}
