r"""Norm bound ‖diag(l) W diag(r)⁻¹‖₂ ≤ μ, decided on integers.

With B = diag(l) W and D = diag(r), the question is whether M = μ² D² - BᵀB is positive semidefinite. Columns are
scaled by
powers of two, which changes nothing, so that r lies in [1, 2).

For *any* matrix R, M = RᵀR + E; if E is diagonally dominant, E_ii ≥ Σ_{j≠i} |E_ij|, then E ⪰ 0 (Gershgorin) and so M
⪰ 0. R is
the floating Cholesky factor of M less half its least eigenvalue, rounded to integers: a guess, which nothing relies on.
And for *any* v, vᵀMv < 0 refutes it; v is the floating eigenvector.

B is cut to multiples of 2⁻⁷⁸ of its largest entry. What is cut changes BᵀB entrywise by at most m (2 max|B| + 1) units
(m rows, units of the cut), which both tests allow for.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.integer_products import gram
from vanishgrad.certificates.checking.rational import integers

ENTRY_BITS = 78
"""Binary digits of the largest entry."""
DIGITS = 52
"""Binary digits after the point of the guess R."""


def norm_at_most(left: Array, W: Array, right: Array, mu: float) -> bool | None:
    """Return whether ‖diag(left) W diag(right)⁻¹‖₂ ≤ μ, or None if that cannot be told; left ≥ 0, right > 0."""
    if mu < 0:
        return False
    exponents = np.frexp(right)[1] - 1
    B, unit = _cut(left, W, exponents)
    largest = max((abs(each) for each in B.flat), default=0)
    if largest == 0:
        return True
    diagonal = [
        _floor((Fraction(mu) * Fraction(float(r)) / Fraction(2) ** int(e) * unit) ** 2)
        for r, e in zip(right, exponents, strict=True)
    ]
    M = -gram(B)
    M[np.diag_indices(len(M))] += np.array(diagonal, dtype=object)
    slack = len(B) * (2 * largest + 1)
    return _semidefinite(M, slack, largest)


def _semidefinite(M: Array, slack: int, largest: int) -> bool | None:
    """Return whether M + F ⪰ 0 for every |F| ≤ `slack` entrywise (True), for none (False), or None."""
    if _dominant(M, slack):
        return True
    shift = 2 * (largest.bit_length() - 1)
    floating = _floats(M, shift)
    if not np.isfinite(floating).all():
        return None
    values, vectors = np.linalg.eigh(floating)
    if _negative(M, slack, np.rint(np.ldexp(vectors[:, 0], 30)).astype(np.int64).astype(object)):
        return False
    if values[0] <= 0:
        return None
    try:
        R = np.linalg.cholesky(floating - values[0] / 2 * np.eye(len(M))).T
    except np.linalg.LinAlgError:
        return None
    E = M - _shifted(gram(integers(np.rint(np.ldexp(R, DIGITS))).values), shift - 2 * DIGITS)
    return True if _dominant(E, slack + 1) else None


def _floats(M: Array, shift: int) -> Array:
    """Return M · 2^-shift, roughly."""
    drop = max(0, shift - 60)
    with np.errstate(over="ignore"):
        return np.ldexp((M >> drop).astype(np.float64), drop - shift)


def _shifted(M: Array, shift: int) -> Array:
    """Return M · 2^shift rounded down to integers."""
    return M << shift if shift >= 0 else M >> -shift


def _dominant(E: Array, slack: int) -> bool:
    """Return whether E_ii ≥ Σ_{j≠i} |E_ij| + n `slack` for every i."""
    size = np.abs(E).sum(axis=1)
    diagonal = np.diagonal(E)
    return bool(np.all(2 * diagonal - size - len(E) * slack >= 0) and np.all(diagonal >= 0))


def _negative(M: Array, slack: int, v: Array) -> bool:
    """Return whether vᵀ(M + F)v < 0 for every |F| ≤ `slack`, and for a diagonal that was cut by less than 1."""
    return bool(v @ (M @ v) + (slack + 1) * int(np.abs(v).sum()) ** 2 < 0)


def _cut(left: Array, W: Array, exponents: Array) -> tuple[Array, Fraction]:
    """Return diag(left) W diag(2^-exponents) as integers of KEPT digits, and how many of them make 1."""
    a, b = integers(left), integers(W)
    shift = (exponents.max() - exponents).astype(object)
    B = (a.values[:, None] * b.values) << shift[None, :]
    scale = a.scale + b.scale + int(exponents.max())
    digits = max((abs(each).bit_length() for each in B.flat), default=0)
    cut = digits - ENTRY_BITS
    return np.sign(B) * (np.abs(B) >> cut if cut > 0 else np.abs(B) << -cut), Fraction(2) ** (scale - cut)


def _floor(value: Fraction) -> int:
    return value.numerator // value.denominator
