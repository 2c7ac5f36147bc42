r"""Vectors of decimal numbers with a bound of the error's 2-norm, for the prover's run along an input sequence.

The decimal module follows the General Decimal Arithmetic specification: with P digits, every operation is the exact one
times (1 + δ), |δ| ≤ ε/2, ε = 10^(1-P), exp included. So an operation moves an entry by at most ε/2 of its result,
and a dot product of n terms by at most n ε Σ |w||x|; a vector of n entries that move by d moves by √n d. With
2-norms an error
grows through W by the verified ‖W‖₂ only. Error bounds are made of a few of the same operations, and are raised by
10⁻¹⁰.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, getcontext

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.cholesky import norm_up

MORE = Decimal("1.0000000001")


class TooCoarse(Exception):
    """An error bound has reached 1: with that few digits nothing is known."""


def context(digits: int) -> Context:
    """Return the arithmetic of so many digits."""
    return Context(prec=digits, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)


def epsilon() -> Decimal:
    """Return ε of the arithmetic in force."""
    return Decimal(1).scaleb(1 - getcontext().prec)


@dataclass(frozen=True, eq=False)
class Approximate:
    """A vector of decimals within `error`, in the 2-norm, of the real one."""

    values: Array
    error: Decimal

    @property
    def size(self) -> Decimal:
        """The largest |value|."""
        return max(abs(each) for each in self.values)

    @property
    def roundoff(self) -> Decimal:
        """√n ε: how far a vector moves whose entries move by ε."""
        return Decimal(len(self.values)).sqrt() * epsilon()

    def __add__(self, other: Approximate) -> Approximate:
        """Return the sum."""
        values = self.values + other.values
        return Approximate(values, (self.error + other.error + self.roundoff * (self.size + other.size)) * MORE)

    def __mul__(self, other: Approximate) -> Approximate:
        """Return the product entry by entry."""
        x, y = self.size, other.size
        error = x * other.error + y * self.error + self.error * other.error + self.roundoff * x * y
        return Approximate(self.values * other.values, error * MORE)

    def __rsub__(self, whole: int) -> Approximate:
        """Return `whole` minus the vector."""
        return Approximate(whole - self.values, (self.error + self.roundoff * (self.size + abs(whole))) * MORE)

    def __getitem__(self, place: slice) -> Approximate:
        """Return some entries."""
        return Approximate(self.values[place], self.error)

    def through(self, function: Callable[[Decimal], Decimal], slope: Decimal) -> Approximate:
        """Return σ or tanh, each right to 16 ε, of slope at most `slope`."""
        if self.error >= 1:
            raise TooCoarse
        values = np.array([function(each) for each in self.values], dtype=object)
        return Approximate(values, (slope * self.error + 16 * self.roundoff) * MORE)


def exactly(array: Array) -> Array:
    """Return float64 numbers as decimals, exactly."""
    return np.array([Decimal(float(each)) for each in array.ravel()], dtype=object).reshape(array.shape)


def concatenate(*vectors: Approximate) -> Approximate:
    """Return vectors one after the other."""
    error = sum((each.error**2 for each in vectors), Decimal(0)).sqrt() * MORE
    return Approximate(np.concatenate([each.values for each in vectors]), error)


class DecimalWeights:
    """A matrix of exact decimals with a verified bound of its 2-norm, and its largest row sum."""

    def __init__(self, array: Array) -> None:
        self._values = exactly(array)
        self._norm = Decimal(norm_up(array))
        self._row_sum = Decimal(float(np.abs(array).sum(axis=1).max(initial=0.0))) * MORE

    def __matmul__(self, x: Approximate) -> Approximate:
        """Return W x."""
        rows, width = self._values.shape
        rounding = Decimal(rows).sqrt() * (width + 1) * epsilon() * self._row_sum * x.size
        return Approximate(self._values @ x.values, (self._norm * x.error + rounding) * MORE)


def logistic(a: Decimal) -> Decimal:
    """Return σ(a): three roundings."""
    return 1 / (1 + (-a).exp())


def hyperbolic(a: Decimal) -> Decimal:
    """Return tanh a = 2 σ(2a) - 1: σ is off by at most 2 ε, 2a by ε |2a| / 2 times the slope, at most ε in all."""
    return 2 * logistic(2 * a) - 1
