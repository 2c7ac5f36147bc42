r"""Enclosures of a float64 matrix's largest and smallest singular value, and a quick upper bound of the largest.

A computed product A B of inner length k is within γ_k ‖A‖_F ‖B‖_F of the exact one in the 2-norm (Higham, *Accuracy and
Stability*, section 3.1), in any order of summation.
"""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.cholesky import frobenius_up, gamma, norm_up
from vanishgrad.certificates.intervals import UP

MAX_DEFECT = 0.5
"""Largest ‖I - X A‖ for which X counts as an inverse."""


def product_error(A: Array, B: Array) -> float:
    """Return an upper bound of ‖fl(A B) - A B‖₂."""
    return float(gamma(A.shape[1] + 2)) * frobenius_up(A) * frobenius_up(B) * UP


def quick_norm_up(A: Array) -> float:
    r"""Return an upper bound of ‖A‖₂, at most m^(1/8) times as large: ‖A‖⁸ ≤ ‖(AᵀA)²‖_F². Two products."""
    size = float(np.abs(A).max(initial=0.0))
    if not 0 < size < math.inf:
        return 0.0 if size == 0 else math.inf
    exponent = math.frexp(size)[1]
    A = np.ldexp(A, -exponent)
    G = A.T @ A if A.shape[0] >= A.shape[1] else A @ A.T
    fourth = frobenius_up(G @ G) + product_error(G, G)
    square = math.sqrt(fourth) * UP + product_error(A.T, A)
    return float(np.ldexp(math.sqrt(square) * UP + 2.0**-1000, exponent))


def largest_singular_value(A: Array) -> tuple[float, float]:
    """Return bounds of σ_max: ‖A v‖ for the leading eigenvector of AᵀA, and what a Cholesky factor shows."""
    if not np.abs(A).max(initial=0.0) > 0:
        return 0.0, 0.0
    v = _extreme_vector(A, A.shape[1] - 1)
    low = _image_norm(A, v)[0]
    return low, norm_up(A, math.nextafter(low, math.inf))


def smallest_singular_value(A: Array, is_regular: bool = True) -> tuple[float, float]:
    r"""Return bounds of σ_min of a square matrix: ‖A w‖ from above, (1 - ‖I - X A‖) / ‖X‖ from below, X = fl(A⁻¹).

    The lower one is 0 where the condition is beyond 10¹⁴ or so, or where A is said to be singular.
    """
    if not np.abs(A).max(initial=0.0) > 0:
        return 0.0, 0.0
    try:
        X = np.linalg.inv(A) if is_regular else None
    except np.linalg.LinAlgError:
        X = None
    if X is None or not np.isfinite(X).all() or not 0 < np.abs(X).max() < 1e150:
        return 0.0, _image_norm(A, _extreme_vector(A, 0))[1]
    w = X @ _extreme_vector(X, len(X) - 1)
    high = _image_norm(A, w / np.linalg.norm(w))[1]
    defect = frobenius_up(X @ A - np.eye(len(A))) + product_error(X, A)
    return ((1 - defect) / largest_singular_value(X)[1] / UP if defect < MAX_DEFECT else 0.0), high


def _extreme_vector(A: Array, place: int) -> Array:
    """Return the right singular vector at a place of the ascending order, roughly."""
    from scipy.linalg import eigh

    scaled = np.ldexp(A, -math.frexp(float(np.abs(A).max()))[1])
    G = scaled.T @ scaled
    vector: Array = eigh(G, subset_by_index=[place, place], check_finite=False)[1][:, 0]
    return vector


def _image_norm(A: Array, v: Array) -> tuple[float, float]:
    """Return bounds of ‖A v‖ / ‖v‖."""
    size = float(np.abs(A).max())
    exponent = math.frexp(size)[1]
    A = np.ldexp(A, -exponent)
    image, length = float(np.linalg.norm(A @ v)), float(np.linalg.norm(v))
    error = product_error(A, v[:, None]) + 2.0**-1000
    low, high = (image / UP - error) / length / UP, (image * UP + error) / length * UP
    return float(np.ldexp(max(low, 0.0), exponent)), float(np.ldexp(high, exponent))
