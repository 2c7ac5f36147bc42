r"""Enclosures of a float64 matrix's largest and smallest singular value, and a quick upper bound of the largest.

A computed product A B of inner length k is within γ_k ‖A‖_F ‖B‖_F of the exact one in the 2-norm (Higham, *Accuracy and
Stability*, section 3.1), in any order of summation.
"""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.cholesky import frobenius_up, gamma, norm_up
from vanishgrad.certificates.intervals import ROUNDOFF, UP

CHUNK = 32
"""Terms of a sum that is taken by itself."""
KRYLOV = 20
"""Vectors of the space in which a leading eigenvector is sought."""
MAX_RESIDUAL = 1e-6
"""Of an eigenvector, relatively: beyond it a full decomposition takes the Krylov space's place."""
NARROW = 1 + 1e-10
"""A bound by the Gram matrix is good enough up to that above the one from below."""
GUESS = 1 + 1e-11
"""What a lower bound is raised by for a Cholesky factor to exist at once."""
MAX_DEFECT = 0.5
"""Largest ‖I - X A‖ for which X counts as an inverse."""


def product_error(A: Array, B: Array) -> float:
    """Return an upper bound of ‖fl(A B) - A B‖₂."""
    return float(gamma(A.shape[1] + 2)) * frobenius_up(A) * frobenius_up(B) * UP


def accurate_product(A: Array, B: Array) -> tuple[Array, float]:
    """Return A B, summed over chunks of its inner length k, and an upper bound of its error in the 2-norm.

    γ_c+2 of a chunk of c terms and γ of adding the k / c chunks make a sixth of γ_k at k = 256.
    """
    length, count = A.shape[1], A.shape[1] // CHUNK
    if count < 2:
        return A @ B, product_error(A, B)
    whole = count * CHUNK
    chunks = A[:, :whole].reshape(len(A), count, CHUNK).transpose(1, 0, 2) @ B[:whole].reshape(count, CHUNK, -1)
    total: Array = chunks.sum(axis=0)
    if whole < length:
        total = total + A[:, whole:] @ B[whole:]
    return total, float(gamma(CHUNK + count + 4)) * frobenius_up(A) * frobenius_up(B) * UP


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
    """Return bounds of σ_max: by its Gram matrix, or what a Cholesky factor shows where that is wide."""
    return _largest(A)[:2]


def _largest(A: Array) -> tuple[float, float, Array]:
    """Return bounds of σ_max, and a right vector that A stretches so."""
    size = float(np.abs(A).max(initial=0.0))
    if not size > 0:
        return 0.0, 0.0, np.ones(A.shape[1])
    exponent = math.frexp(size)[1]
    scaled = np.ldexp(A, -exponent)
    if A.shape[1] > A.shape[0]:
        low, high, v = _largest(scaled.T)
        v = scaled.T @ v
    else:
        G = scaled.T @ scaled
        low, high, v = norm_by_gram(G, product_error(scaled.T, scaled))
        low = max(low, _image_norm(scaled, v)[0])
        if high > low * NARROW:
            high = min(high, norm_up(scaled, low * GUESS))
    return float(np.ldexp(low, exponent)), float(np.ldexp(high, exponent)), v


def norm_by_gram(G: Array, rounding: float) -> tuple[float, float, Array]:
    r"""Return bounds of ‖A‖₂ from a G within `rounding` of AᵀA in the 2-norm, and the vector that shows the lower one.

    For a unit v, λ = vᵀGv, r = Gv - λv and μ a bound of the norm of G on what is orthogonal to v, ‖G‖₂ is at most the
    larger eigenvalue of [[λ, ‖r‖], [‖r‖, μ]]: λ + ‖r‖² / (λ - μ) or less. v is the best of a Krylov space; what λ, r
    and μ are off by in float64 is below 32 (m + 8) u ‖G‖_F.
    """
    v = _krylov_vector(G)
    w = G @ v
    if not np.linalg.norm(w - (v @ w) * v) <= MAX_RESIDUAL * np.linalg.norm(w):
        v = np.linalg.eigh(G)[1][:, -1]
        w = G @ v
    value, size = float(v @ w), frobenius_up(G)
    r, own = w - value * v, 32 * (len(G) + 8) * ROUNDOFF * size * UP
    rest = G - np.outer(v, w) - np.outer(r, v)
    others = frobenius_up(rest)
    if others > value / 2:
        others = min(others, math.sqrt(frobenius_up(rest @ rest) + product_error(rest, rest)) * UP)
    top, below, coupling = value + own, others + own, float(np.linalg.norm(r)) * UP + own
    square = (top + below) / 2 + math.hypot((top - below) / 2, coupling)
    low = math.sqrt(max(0.0, value - own - rounding)) / UP
    return low, math.sqrt((square + rounding) * UP) * UP, v


def _krylov_vector(G: Array) -> Array:
    """Return a unit vector near the leading eigenvector of G: Rayleigh and Ritz on v, Gv, …, orthonormal."""
    v = G[:, int(np.argmax(np.diagonal(G)))]
    basis = np.empty((min(KRYLOV, len(G)), len(G)))
    for count in range(len(basis)):
        v = v - basis[:count].T @ (basis[:count] @ v)
        v = v - basis[:count].T @ (basis[:count] @ v)
        length = float(np.linalg.norm(v))
        if not 0 < length < math.inf:
            basis = basis[:count]
            break
        basis[count] = v / length
        v = G @ basis[count]
    if not len(basis):
        return np.full(len(G), len(G) ** -0.5)
    vector = basis.T @ np.linalg.eigh(basis @ G @ basis.T)[1][:, -1]
    unit: Array = vector / np.linalg.norm(vector)
    return unit


def smallest_singular_value(A: Array, w: Array | None = None) -> tuple[float, float, Array]:
    r"""Return bounds of σ_min of a square matrix, and the vector w of the upper one.

    ‖A w‖ from above, (1 - ‖I - X A‖) / ‖X‖ from below, X = fl(A⁻¹). The lower one is 0 where the condition is beyond
    10¹⁴ or so, and where a w is given: A is then too near to a singular matrix for X to be tried.
    """
    if not np.abs(A).max(initial=0.0) > 0:
        return 0.0, 0.0, np.ones(len(A))
    X = _inverse(A) if w is None else None
    if X is None:
        w = _least_vector(A) if w is None else w
        return 0.0, _image_norm(A, w)[1], w
    _, norm, u = _largest(X)
    w = X @ u
    w = w / np.linalg.norm(w)
    defect = frobenius_up(X @ A - np.eye(len(A))) + product_error(X, A)
    return ((1 - defect) / norm / UP if defect < MAX_DEFECT else 0.0), _image_norm(A, w)[1], w


def _inverse(A: Array) -> Array | None:
    try:
        X: Array = np.linalg.inv(A)
    except np.linalg.LinAlgError:
        return None
    return X if np.isfinite(X).all() and 0 < np.abs(X).max() < 1e150 else None


def _least_vector(A: Array) -> Array:
    """Return the right singular vector of the least singular value, roughly."""
    scaled = np.ldexp(A, -math.frexp(float(np.abs(A).max()))[1])
    vector: Array = np.linalg.eigh(scaled.T @ scaled)[1][:, 0]
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
