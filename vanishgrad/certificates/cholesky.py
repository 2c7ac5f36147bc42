r"""A verified upper bound of ‖A‖₂ from one floating Cholesky factor.

Write C = μ² I - AᵀA and let R be *any* matrix, here the floating Cholesky factor of C. For the residual E = C - RᵀR,
xᵀCx = ‖Rx‖² + xᵀEx ≥ -‖E‖₂ ‖x‖², so

    ‖A‖₂² ≤ μ² + ‖E‖₂ .

E is computed in float64. A dot product of length n, in any order of summation, with or without FMA, has error at most
γ_n |a|ᵀ|b| (Higham, *Accuracy and Stability*, section 3.1), so the computed RᵀR is off by at most
γ_n |R|ᵀ|R|, whose 2-norm is at most γ_n ‖R‖_F², and the computed AᵀA likewise; the two subtractions add 3u of their
operands.
Hence

    ‖E‖₂ ≤ ‖fl(E)‖_F + γ_{n+4} (‖A‖_F² + ‖R‖_F² + n μ²) .

For R the exact factor ‖A‖_F² + ‖R‖_F² = n μ²: this is, up to a factor, the constant γ_{n+1}/(1 - γ_{n+1}) · tr of
Higham's
Theorem 10.3 (Rump 2006 uses it so). Nothing has to be known of how LAPACK orders a factorisation; the product must
be a standard one (not Strassen's), in float64 with gradual underflow.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.intervals import MAX_UNDERFLOW, ROUNDOFF

HEADROOM = 1 + 2.0**-43
"""Kept between the bound and the claim, so that exact arithmetic has a margin to work in."""


def norm_up(A: Array, guess: float | None = None) -> float:
    """Return a verified upper bound of ‖A‖₂, (m, n); infinite if A is not finite.

    `guess` is nearly ‖A‖₂, where that is known already.

    Relative excess about n γ_n / 2: 1e-14 at n = 8, 4e-12 at n = 256. O(m n min(m, n)) for the singular value that it
    starts from where there is no guess, as much again for the products.
    """
    size = float(np.abs(A).max(initial=0.0))
    if not 0 < size < math.inf:
        return 0.0 if size == 0 else math.inf
    # A power of two scales exactly; entries that underflow are below TINY.
    exponent = math.frexp(size)[1]
    scaled = np.ldexp(A if A.shape[0] >= A.shape[1] else A.T, -exponent)
    nearly = float(np.linalg.norm(scaled, 2)) if guess is None else float(np.ldexp(guess, -exponent))
    with np.errstate(over="ignore"):
        return math.nextafter(float(np.ldexp(_scaled_norm_up(scaled, nearly) * HEADROOM, exponent)), math.inf)


def _scaled_norm_up(A: Array, nearly: float) -> float:
    m, n = A.shape
    gram, start = A.T @ A, nearly**2
    margin = 8 * ROUNDOFF * n
    while margin < 1:
        square = start * (1 + margin)
        C = square * np.eye(n) - gram
        try:
            R = np.linalg.cholesky(C).T
        except np.linalg.LinAlgError:
            margin *= 4
            continue
        residual = float(np.linalg.norm(C - R.T @ R)) * (1 + 4 * ROUNDOFF * n * n)
        masses = float(np.sum(A * A) + np.sum(R * R) + n * square) * (1 + 4 * ROUNDOFF * m * n)
        return root_up(
            Fraction(square) + Fraction(residual) + gamma(max(m, n) + 4) * Fraction(masses) + Fraction(MAX_UNDERFLOW)
        )
    return frobenius_up(A)


def gamma(k: int) -> Fraction:
    """Return γ_k = k u / (1 - k u) exactly."""
    return Fraction(k, 2**53 - k)


def frobenius_up(A: Array) -> float:
    """Return an upper bound of ‖A‖_F."""
    return float(np.linalg.norm(A)) * (1 + 4 * ROUNDOFF * (A.size + 4)) + MAX_UNDERFLOW


def root_up(square: Fraction) -> float:
    """Return a float64 that is not below the square root of an exact number."""
    root = math.sqrt(square)
    while Fraction(root) ** 2 < square:
        root = math.nextafter(root, math.inf)
    return root


def scaled_norm_up(W: Array, scale: Array) -> float:
    """Return a verified upper bound of ‖ΔWΔ⁻¹‖₂, Δ = diag `scale` > 0.

    Two roundings make fl(ΔWΔ⁻¹) differ from ΔWΔ⁻¹ by at most 3u of each entry, so by 3u ‖·‖_F.
    """
    with np.errstate(over="ignore", under="ignore"):
        scaled = scale[:, None] * W / scale[None, :]
    if not np.isfinite(scaled).all():
        return math.inf
    return math.nextafter(
        norm_up(scaled) + 3 * ROUNDOFF * frobenius_up(scaled) * (1 + 8 * ROUNDOFF) + MAX_UNDERFLOW, math.inf
    ) * (1 + 4 * ROUNDOFF)
