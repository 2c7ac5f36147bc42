r"""Ball arithmetic: vectors known to within a radius in the 2-norm, in fixed point on Python integers, in units of 2⁻ᵖ.

So are the rows of a matrix, all together in Frobenius' norm.

Products are cut down to units, which moves an entry by less than one and a vector of n by less than √n; every radius is
raised by that. The norms of matrices are floating guesses that exact arithmetic has confirmed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.integer_products import product
from vanishgrad.certificates.checking.norm_bound import norm_at_most
from vanishgrad.certificates.checking.rational import Integers, integers
from vanishgrad.certificates.checking.verdict import Undecided


class Coarse(Exception):
    """A radius has reached 1: with that few digits nothing is known."""


@dataclass(frozen=True, eq=False)
class Ball:
    """A vector (n,), or rows (R, n), within `radius` units of `middle` in the 2-norm, 2^p units to one."""

    middle: Array
    radius: int
    p: int

    def __add__(self, other: Ball) -> Ball:
        """Return the sum."""
        return Ball(self.middle + other.middle, self.radius + other.radius, self.p)

    def __mul__(self, other: Ball) -> Ball:
        """Return the product entry by entry: ‖xy - x̂ŷ‖ ≤ max|x̂| r_y + max|ŷ| r_x + r_x r_y; of rows, with √R r_y."""
        repeated = other.radius * (self.root if self.middle.ndim > other.middle.ndim else 1)
        radius = self.size * repeated + other.size * self.radius + self.radius * repeated
        return Ball(self.middle * other.middle >> self.p, (radius >> self.p) + 1 + self.root, self.p)

    def __rsub__(self, whole: int) -> Ball:
        """Return `whole` minus the vector."""
        return Ball((whole << self.p) - self.middle, self.radius, self.p)

    @property
    def size(self) -> int:
        """The largest |middle|."""
        return max((abs(each) for each in self.middle.flat), default=0)

    @property
    def root(self) -> int:
        """At least the root of the number of entries."""
        return math.isqrt(self.middle.size) + 1

    def part(self, start: int, stop: int) -> Ball:
        """Return some entries."""
        return Ball(self.middle[..., start:stop], self.radius, self.p)

    def mapped(self, function: Callable[[int, int], int], steepness: Fraction) -> Ball:
        """Return a function of each entry, right to 4 units, whose derivative is at most `steepness`."""
        if self.radius >> self.p:
            raise Coarse
        values = np.array([function(each, self.p) for each in self.middle], dtype=object)
        return Ball(values, -(-self.radius * steepness.numerator // steepness.denominator) + 4 * self.root, self.p)


def ball(array: Array, p: int) -> Ball:
    """Return float64 numbers to a unit."""
    exact = integers(array)
    shift = p - exact.scale
    if shift >= 0:
        return Ball(exact.values << shift, 0, p)
    return Ball(exact.values >> -shift, math.isqrt(len(array)) + 1, p)


def joined(*balls: Ball) -> Ball:
    """Return vectors one after the other."""
    radius = math.isqrt(sum(each.radius**2 for each in balls)) + 1
    return Ball(np.concatenate([each.middle for each in balls], axis=-1), radius, balls[0].p)


class Matrix:
    """Float64 weights as exact integers, with a bound of their 2-norm: by default nearly the norm, else Frobenius'."""

    def __init__(self, weights: Array, tight: bool = True) -> None:
        exact: Integers = integers(weights)
        self._values, self._scale = exact
        self._norm = Fraction(norm_bound(weights) if tight else frobenius_bound(weights))

    def __matmul__(self, x: Ball) -> Ball:
        """Return W x, of each row: ‖W (x - x̂)‖ ≤ ‖W‖ r."""
        radius = self._norm.numerator * x.radius // self._norm.denominator
        exact = self._values @ x.middle if x.middle.ndim == 1 else product(self._values, x.middle.T).T
        image = Ball(exact >> self._scale, radius + 1, x.p)
        return Ball(image.middle, image.radius + image.root, x.p)


def norm_bound(weights: Array) -> float:
    """Return a bound of ‖W‖₂ that is confirmed exactly: nearly the norm, or else more than Frobenius' norm."""
    guess = float(np.linalg.norm(weights, 2)) * (1 + 2.0**-20)
    one = np.ones(weights.shape[1])
    if norm_at_most(np.ones(len(weights)), weights, one, guess):
        return guess
    return frobenius_bound(weights)


def frobenius_bound(weights: Array) -> float:
    """Return a bound of Frobenius' norm, by one too large at most."""
    values, scale = integers(weights)
    squares = sum(int(each) ** 2 for each in values.flat)
    return float((math.isqrt(squares) >> scale) + 2) * (1 + 2.0**-50)


def exponential(a: int, p: int) -> int:
    """Return 2^p e^-a, a ≥ 0 in units, to 1.5 units: a Taylor series of a / 2^s, squared s times, s near √p.

    The N terms are off by at most 4 N + 8 guarded units (as in rational.py), the squarings make 2^s (4 N + 10) of
    that, and
    s + 16 guard digits leave less than half a unit up to N = 8000; cutting them off costs one more.
    """
    halvings = max(0, a.bit_length() - p) + 8 + math.isqrt(p)
    guard = halvings + 16
    r, one = (a << guard) >> halvings, 1 << (p + guard)
    term, total, count = one, 0, 0
    while term:
        total += -term if count % 2 else term
        count += 1
        term = (term * r >> (p + guard)) // count
    for _ in range(halvings):
        total = total * total >> (p + guard)
    return total >> guard


def sigma(a: int, p: int) -> int:
    """Return 2^p σ(a) to 3 units: e is off by 1.5, the slope in it is at most 1, and the quotient is cut."""
    one = 1 << p
    e = exponential(abs(a), p)
    return ((one if a >= 0 else e) << p) // (one + e)


def tanh(a: int, p: int) -> int:
    """Return 2^p tanh a to 4 units: the slope of (1 - e) / (1 + e) is at most 2."""
    e = exponential(2 * abs(a), p)
    value = (((1 << p) - e) << p) // ((1 << p) + e)
    return value if a >= 0 else -value


def rectified(x: Ball) -> tuple[Ball, Ball]:
    """Return relu and its derivative.

    Raises
    ------
    Undecided
        If an entry may be on either side of 0.
    """
    if any(abs(each) <= x.radius for each in x.middle):
        raise Undecided("every pre-activation is to one side of relu's kink")
    on = np.array([int(each > 0) for each in x.middle], dtype=object)
    return Ball(x.middle * on, x.radius, x.p), Ball(on << x.p, 0, x.p)
