r"""Interval arithmetic in outward-rounded float64: upper and lower bounds of sums, products, σ, tanh and sech².

An operation on float64 is off by at most u = 2⁻⁵³ of its exact result (underflow apart), whatever the platform. So

* a value made of sums, products and quotients of *non-negative* numbers by fewer than 64 operations is at least
  (1 - u)⁶⁴ of the exact one, and ``round_up`` (× (1 + 2⁻⁴⁶), + 2⁻¹⁰⁰⁰ for underflow) lies above it;
* a dot product of non-negative numbers of length k is at least (1 - γ_k) of the exact one in any order of summation,
  γ_k = k u / (1 - k u) (Higham, *Accuracy and Stability*, 2nd ed., section 3.1), FMA or not.

NumPy's exp and tanh are not correctly rounded: their vectorised forms promise 4 ulp, which is 2⁻⁵⁰ of the value. They
are widened by 2⁻⁴⁸ of the value, at least 16 ulp; a test compares them with 60-digit arithmetic. Only the exact
functions' monotonicity is used, never that of NumPy's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array

ROUNDOFF = 2.0**-53
MAX_UNDERFLOW = 2.0**-1000
"""More than any underflow of up to 2⁴⁰ operations on numbers below 2²⁰: each loses at most 2⁻¹⁰⁷⁵."""
UP = 1 + 2.0**-40
"""Raises a bound by more than its own rounding, of fewer than a thousand operations."""
SLACK = 2.0**-48


class Range(NamedTuple):
    """Lower and upper bounds of an array of real numbers."""

    lo: Array
    hi: Array


def round_up(value: Array) -> Array:
    """Return an upper bound of what a short expression of non-negative numbers stands for."""
    return value * (1 + 2.0**-46) + MAX_UNDERFLOW


def dot_up(A: Array, x: Array) -> Array:
    """Return an upper bound of A x for A, x ≥ 0."""
    return round_up(A @ x * (1 + 4 * ROUNDOFF * A.shape[-1]))


def affine(b: Array, A: Array, center: Array, radius: Array) -> Range:
    """Return bounds of b + A x + y over |x - center| entrywise up to a radius, and |y| ≤ `radius` already bounded.

    b (n,), A (n, d), center (..., d), radius (..., n).
    """
    middle = center @ A.T + b
    error = (A.shape[1] + 2) * 2 * ROUNDOFF * (np.abs(center) @ np.abs(A).T + np.abs(b))
    reach = round_up(radius + error)
    return Range(np.nextafter(middle - reach, -np.inf), np.nextafter(middle + reach, np.inf))


def _exp(a: Array) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(a)


def sigma_up(a: Array) -> Array:
    """Return an upper bound of σ(a) = 1 / (1 + e^-a); the relative error of e^-a is damped to at most itself."""
    return np.minimum(1 / (1 + _exp(-a)) * (1 + SLACK) + MAX_UNDERFLOW, 1)


def sigma_down(a: Array) -> Array:
    """Return a lower bound of σ(a)."""
    return np.maximum(1 / (1 + _exp(-a)) * (1 - SLACK) - MAX_UNDERFLOW, 0)


def tanh_up(a: Array) -> Array:
    """Return an upper bound of tanh a for a ≥ 0."""
    return np.minimum(np.tanh(a) * (1 + SLACK) + MAX_UNDERFLOW, 1)


def tanh_down(a: Array) -> Array:
    """Return a lower bound of tanh a for a ≥ 0."""
    return np.maximum(np.tanh(a) * (1 - SLACK) - MAX_UNDERFLOW, 0)


def sech2_up(a: Array) -> Array:
    """Return an upper bound of 1 - tanh² a for a ≥ 0, as 4 e / (1 + e)² with e = e^-2a: nothing cancels."""
    e = _exp(-2 * a) * (1 + SLACK)
    return np.minimum(round_up(4 * e / (1 + e) ** 2 * (1 + SLACK)), 1)


def magnitude(bounds: Range) -> Range:
    """Return bounds of |a|."""
    inside = (bounds.lo <= 0) & (bounds.hi >= 0)
    low = np.minimum(np.abs(bounds.lo), np.abs(bounds.hi))
    return Range(np.where(inside, 0.0, low), np.maximum(np.abs(bounds.lo), np.abs(bounds.hi)))


def sigma(bounds: Range) -> Range:
    """Return bounds of σ."""
    return Range(sigma_down(bounds.lo), sigma_up(bounds.hi))
