r"""Rational arithmetic: float64 as integers over a power of two, and rational bounds of σ and tanh from integers alone.

e⁻ᵃ for a ≥ 0: with r = a / 2^s < 2⁻⁸ the alternating series Σ (-r)^k / k! is summed in units of 2⁻ᵖ. Cutting each term
down leaves it off by δ_{k+1} ≤ δ_k / 256 + 2 ≤ 3 units, and the first term that vanishes bounds the tail by 3; r
itself is cut
by less than a unit. So the sum of N terms is off by at most 4 N + 8 units. Squaring s times gives e⁻ᵃ, the lower
bound rounded
down, the upper one up.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array

BITS = 128
"""Binary digits of e⁻ᵃ that are right at least."""
MAX_EXPONENT = 2000
"""From here on e⁻ᵃ is only said to be below 2⁻²⁰⁰⁰."""


class Bounds(NamedTuple):
    """Lower and upper bounds; of numbers or of arrays."""

    lo: Fraction
    hi: Fraction


class Integers(NamedTuple):
    """An array of Python integers, in units of 2^-scale."""

    values: Array
    scale: int


def integers(array: Array) -> Integers:
    """Return finite float64 numbers exactly."""
    mantissa, exponent = np.frexp(array)
    whole, power = np.ldexp(mantissa, 53).astype(np.int64), exponent.astype(np.int64) - 53
    # Trailing zeros of the mantissa need no unit of their own.
    lowest = np.where(whole != 0, whole & -whole, 1)
    zeros = np.rint(np.log2(lowest.astype(np.float64))).astype(np.int64)
    whole, power = whole >> zeros, np.where(whole != 0, power + zeros, 0)
    scale = max(0, -int(power.min(initial=0)))
    shift = (power + scale).astype(object)
    return Integers(whole.astype(object) << shift if array.size else whole.astype(object), scale)


def fractions(array: Array) -> Array:
    """Return float64 numbers as an array of Fraction."""
    return vector(Fraction(float(each)) for each in array)


def vector(values: Iterable[Fraction]) -> Array:
    """Return an array of Fraction."""
    listed = list(values)
    out = np.empty(len(listed), dtype=object)
    out[:] = listed
    return out


def product(A: Integers, x: Array) -> Array:
    """Return A x exactly, for x an array of Fraction whose denominators are powers of two."""
    scale = max((each.denominator.bit_length() - 1 for each in x), default=0)
    whole = np.array([each.numerator << (scale - each.denominator.bit_length() + 1) for each in x], dtype=object)
    unit = 1 << (A.scale + scale)
    return vector(Fraction(int(each), unit) for each in A.values @ whole)


def exp_negative(a: Fraction) -> tuple[int, int, int]:
    """Return (lo, hi, p) with lo ≤ 2^p e^-a ≤ hi, for a ≥ 0."""
    if a > MAX_EXPONENT:
        return 0, 1 << (BITS + 40), MAX_EXPONENT + BITS + 40
    halvings = (int(a) + 1).bit_length() + 8
    p = BITS + 40 + int(a) * 3 // 2
    r = (a.numerator << p) // (a.denominator << halvings)
    term, total, count = 1 << p, 0, 0
    while term:
        total += -term if count % 2 else term
        count += 1
        term = (term * r >> p) // count
    lo, hi = total - 4 * count - 8, total + 4 * count + 8
    for _ in range(halvings):
        lo, hi = lo * lo >> p, (hi * hi >> p) + 1
    return max(lo, 0), min(hi, 1 << p), p


def sigma(a: Fraction) -> Bounds:
    """Return bounds of σ(a): 1 / (1 + e) or e / (1 + e), e = e^-|a|."""
    lo, hi, p = exp_negative(abs(a))
    one = 1 << p
    if a >= 0:
        return Bounds(Fraction((one << p) // (one + hi), one), Fraction(-(-(one << p) // (one + lo)), one))
    return Bounds(Fraction((lo << p) // (one + lo), one), Fraction(-(-(hi << p) // (one + hi)), one))


def tanh(a: Fraction) -> Bounds:
    """Return bounds of tanh a for a ≥ 0: (1 - e) / (1 + e), e = e^-2a."""
    lo, hi, p = exp_negative(2 * a)
    one = 1 << p
    return Bounds(Fraction(((one - hi) << p) // (one + hi), one), Fraction(-(-((one - lo) << p) // (one + lo)), one))
