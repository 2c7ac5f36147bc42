r"""Newton and Kantorovich: a ball that holds exactly one zero of G, shown with any matrix R, in exact integers.

T(z) = z - R G(z). If ‖T′‖ ≤ α < 1 in the ball of radius r around ẑ, and ‖R G(ẑ)‖ + α r ≤ r, then T maps the ball into
itself and contracts, so that it has one fixed point there, a zero of G since R is regular (I - R G′ has norm below 1).
Conversely a zero in the ball has ‖R G(ẑ)‖ ≤ (1 + α) r. R is the floating inverse of G′(ẑ): a guess, on which nothing
relies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.ball_arithmetic import Ball
from vanishgrad.certificates.checking.integer_products import product
from vanishgrad.certificates.checking.rational import integers
from vanishgrad.certificates.checking.verdict import Undecided

KEPT = 2.0**-60
"""Entries of R below this fraction of the largest are left out: a wider range would only cost digits."""
CONTRACTION = Fraction(1, 1 << 10)
"""Largest α that is accepted: the two tests of a radius then leave one part in 500 undecided."""


@dataclass(frozen=True, eq=False)
class ApproximateInverse:
    """R = rows / 2^scale with bounds of ‖R‖_F and of ‖I - R G′‖_F."""

    rows: Array
    scale: int
    norm: Fraction
    defect: Fraction

    def holds_zero(self, residual: Ball, radius: Fraction, curvature: Fraction) -> bool | None:
        """Return whether the ball of a radius holds a zero, or None if that cannot be told.

        `residual` encloses G(ẑ); G′ moves by at most `curvature` times the distance from ẑ.
        """
        alpha = self.defect + self.norm * curvature * radius
        if alpha > CONTRACTION:
            return None
        unit = 1 << (self.scale + residual.p)
        size, stray = frobenius(self.rows @ residual.middle), self.norm * Fraction(residual.radius, 1 << residual.p)
        if Fraction(size, unit) + stray <= (1 - alpha) * radius:
            return True
        return False if Fraction(size - 1, unit) - stray > (1 + alpha) * radius else None


def approximate_inverse(G: Array, p: int, blur: Fraction) -> ApproximateInverse:
    """Return R for a derivative G (N, N), in units of 2⁻ᵖ and known within `blur` in Frobenius' norm.

    Raises
    ------
    Undecided
        If G has no floating inverse.
    """
    try:
        inverse = np.linalg.inv((G / (1 << p)).astype(np.float64))
    except (np.linalg.LinAlgError, OverflowError):
        raise Undecided("the derivative is regular") from None
    if not np.isfinite(inverse).all():
        raise Undecided("the derivative is regular")
    rows, scale = integers(np.where(np.abs(inverse) < KEPT * np.abs(inverse).max(), 0, inverse))
    defect = -product(rows, G)
    defect[np.diag_indices(len(G))] += 1 << (scale + p)
    norm = Fraction(frobenius(rows), 1 << scale)
    return ApproximateInverse(rows, scale, norm, Fraction(frobenius(defect), 1 << (scale + p)) + norm * blur)


def frobenius(array: Array) -> int:
    """Return an upper bound of the root of the sum of squares of integers, by less than 1 too large."""
    return math.isqrt(sum(int(each) ** 2 for each in array.flat)) + 1
