r"""Interval vectors and balls of matrices in float64, for claims about more matrices than integers have the time for.

Every operation of IEEE 754 is within u = 2⁻⁵³ of its exact result, so its neighbours on either side enclose it; a dot
product of k terms is within γ_k = k u / (1 - k u) of its absolute values' sum in any order; NumPy's exp and tanh are
believed to 2⁻⁴⁸ of their value. Radii are in Frobenius' norm, raised by more than their own rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vanishgrad.arrays import Array

UNIT, TINY = 2.0**-53, 2.0**-960
RAISED = 1 + 2.0**-36
"""More than the rounding of a radius: of sums of 10⁶ squares, their root and a few products."""
FUNCTION = 2.0**-48


@dataclass(frozen=True, eq=False)
class Interval:
    """Real numbers between `lo` and `hi`, entry by entry."""

    lo: Array
    hi: Array

    def __add__(self, other: Interval) -> Interval:
        """Return the sum."""
        return _outward(self.lo + other.lo, self.hi + other.hi)

    def __mul__(self, other: Interval) -> Interval:
        """Return the product: the ends are among the four products of ends."""
        corners = [a * b for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return _outward(np.minimum.reduce(corners), np.maximum.reduce(corners))

    def __neg__(self) -> Interval:
        """Return the negative."""
        return Interval(-self.hi, -self.lo)

    def __rsub__(self, number: float) -> Interval:
        """Return a number minus the interval."""
        return _outward(number - self.hi, number - self.lo)

    def __getitem__(self, place: Any) -> Interval:
        """Return some entries."""
        return Interval(self.lo[place], self.hi[place])

    @property
    def middle(self) -> Array:
        """A number near the middle of each entry."""
        value: Array = self.lo / 2 + self.hi / 2
        return value

    @property
    def radius(self) -> Array:
        """How far an entry may be from `middle`."""
        value: Array = np.nextafter(np.maximum(self.hi - self.middle, self.middle - self.lo), np.inf)
        return value


def _outward(lo: Array, hi: Array) -> Interval:
    return Interval(np.nextafter(lo, -np.inf), np.nextafter(hi, np.inf))


def point(values: Array) -> Interval:
    """Return float64 numbers."""
    return Interval(values, values)


def image(W: Array, x: Interval) -> Interval:
    """Return W x, for x (…, k)."""
    middle, size = x.middle @ W.T, np.abs(W.T)
    stray = np.abs(x.middle) @ size * (2 * (W.shape[1] + 4) * UNIT) + x.radius @ size
    stray = stray * RAISED + TINY
    return _outward(middle - stray, middle + stray)


def sigma(a: Interval) -> Interval:
    """Return σ, which increases."""
    with np.errstate(over="ignore"):
        lo, hi = (1 / (1 + np.exp(-each)) for each in (a.lo, a.hi))
    return Interval(np.maximum(lo * (1 - FUNCTION) - TINY, 0), np.minimum(hi * (1 + FUNCTION) + TINY, 1))


def tanh(a: Interval) -> Interval:
    """Return tanh, which increases."""
    lo, hi = np.tanh(a.lo), np.tanh(a.hi)
    return Interval(np.maximum(lo - np.abs(lo) * FUNCTION - TINY, -1), np.minimum(hi + np.abs(hi) * FUNCTION + TINY, 1))


def frobenius(A: Array) -> float:
    """Return an upper bound of Frobenius' norm."""
    return float(np.linalg.norm(A)) * RAISED + TINY


@dataclass(frozen=True, eq=False)
class MatrixBall:
    """All real matrices within `radius` of `middle`."""

    middle: Array
    radius: float

    def __add__(self, other: MatrixBall) -> MatrixBall:
        """Return the sum."""
        middle = self.middle + other.middle
        return MatrixBall(middle, (self.radius + other.radius + UNIT * frobenius(middle)) * RAISED)

    def __matmul__(self, other: MatrixBall) -> MatrixBall:
        """Return the product."""
        a, b = frobenius(self.middle), frobenius(other.middle)
        rounding = 2 * (self.middle.shape[1] + 4) * UNIT * a * b
        radius = a * other.radius + self.radius * (b + other.radius) + rounding
        return MatrixBall(self.middle @ other.middle, radius * RAISED)


def scaled(x: Interval, W: Array) -> MatrixBall:
    """Return diag(x) W for one vector x."""
    rows, middle = np.linalg.norm(W, axis=1), x.middle[:, None] * W
    return MatrixBall(middle, (float(np.linalg.norm(x.radius * rows)) + UNIT * frobenius(middle)) * RAISED + TINY)


def diagonal(x: Interval) -> MatrixBall:
    """Return diag(x) for one vector x."""
    return MatrixBall(np.diag(x.middle), float(np.linalg.norm(x.radius)) * RAISED + TINY)


def blocks(parts: list[list[MatrixBall]]) -> MatrixBall:
    """Return a matrix of blocks."""
    radius = sum(each.radius for row in parts for each in row)
    return MatrixBall(np.block([[each.middle for each in row] for row in parts]), radius * RAISED)
