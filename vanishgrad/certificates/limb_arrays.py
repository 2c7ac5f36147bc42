r"""Multiple-precision arrays of float64 limbs, whose products BLAS computes without an error (Ozaki's splitting).

A number is Σ_i l_i β^(exponent - 1 - i), i < K, β = 2²⁰, with whole numbers l_i of size up to β / 2, and up to 2 β for
the first. A sum of products of two limbs, q for each of up to K pairs of places, is below 2⁵³ for q K ≤ 2¹³ and q ≤
2¹¹, so that every partial sum of a float64 product of matrices of limbs is exact, in whatever order it is taken. Limbs
below the last that is kept are left out; `error` bounds what that, and the operands' errors, can do to an entry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.intervals import MAX_UNDERFLOW, UP

LIMB_BITS = 20
BASE = 2.0**LIMB_BITS
MAX_TERMS, MAX_LENGTH = 1 << 13, 1 << 11
"""Most products of limbs in one sum, and longest rows."""


@dataclass(frozen=True, eq=False)
class LimbArray:
    """Numbers of K limbs, each within `error` of the real one.

    Attributes
    ----------
    limbs : (K, ...) array
    exponent : int
        Of the base: the first limb counts β^(exponent - 1).
    error : float
    """

    limbs: Array
    exponent: int
    error: float = 0.0

    @property
    def count(self) -> int:
        """The number K of limbs."""
        return len(self.limbs)

    @property
    def unit(self) -> float:
        """An upper bound of what a 1 in the last limb counts."""
        return _power(self.exponent - self.count)

    @property
    def size(self) -> float:
        """An upper bound of every |entry|, of the real numbers too."""
        return (float(np.abs(self.floats).max(initial=0.0)) + self.float_error) * UP

    @cached_property
    def floats(self) -> Array:
        """The numbers as float64, within `float_error` of the real ones."""
        total = np.zeros(self.limbs.shape[1:])
        for place in reversed(range(self.count)):
            total += np.ldexp(self.limbs[place], LIMB_BITS * (self.exponent - 1 - place))
        return total

    @cached_property
    def float_error(self) -> float:
        """An upper bound of the error of `floats`: K roundings of less than twice the largest entry, and `error`."""
        largest = float(np.abs(self.floats).max(initial=0.0)) + 2 * self.unit
        return (2 * self.count * 2.0**-53 * largest + self.error) * UP + MAX_UNDERFLOW

    @property
    def spread(self) -> float:
        """An upper bound of what a matrix's entries are off by together, in Frobenius' norm."""
        return math.sqrt(self.limbs[0].size) * self.error * UP

    @property
    def float_spread(self) -> float:
        """The same of `floats`."""
        return math.sqrt(self.limbs[0].size) * self.float_error * UP

    @property
    def exact(self) -> LimbArray:
        """The same numbers, taken for the real ones."""
        return LimbArray(self.limbs, self.exponent)

    @property
    def column(self) -> LimbArray:
        """A vector as a column, which scales the rows of a matrix."""
        return replace(self, limbs=self.limbs[:, :, None])

    @property
    def diagonal(self) -> LimbArray:
        """A vector x as diag(x)."""
        n = self.limbs.shape[1]
        limbs = np.zeros((self.count, n, n))
        limbs[:, np.arange(n), np.arange(n)] = self.limbs
        return replace(self, limbs=limbs)

    def __getitem__(self, rows: slice) -> LimbArray:
        """Return some rows."""
        return replace(self, limbs=self.limbs[:, rows])

    def __add__(self, other: LimbArray) -> LimbArray:
        """Return the sum."""
        exponent = max(self.exponent, other.exponent) + 1
        a, b = (each.placed(exponent, self.count + 2) for each in (self, other))
        return _kept(a.limbs + b.limbs, exponent, self.count, (a.error + b.error) * UP)

    def __mul__(self, other: LimbArray) -> LimbArray:
        """Return the product entry by entry."""
        count = self.count
        groups = [self.limbs[0] * other.limbs[s] for s in range(count)]
        for i in range(1, count):
            for s in range(i, count):
                groups[s] += self.limbs[i] * other.limbs[s - i]
        return self._product(other, groups, 1)

    def __matmul__(self, other: LimbArray) -> LimbArray:
        """Return the product of matrices."""
        q, count = other.limbs.shape[1], self.count
        assert fits(q, count)
        left = np.concatenate(list(self.limbs), axis=1)
        right = np.concatenate(list(other.limbs[::-1]))
        groups = [left[:, : (s + 1) * q] @ right[(count - 1 - s) * q :] for s in range(count)]
        return self._product(other, groups, q)

    def _product(self, other: LimbArray, groups: Sequence[Array], terms: int) -> LimbArray:
        """Return what groups of limb products stand for: those with i + j = s count β^(both exponents - 2 - s).

        Left out are the products with i + j ≥ K.
        """
        exponent, count = self.exponent + other.exponent + 1, self.count
        limbs = np.zeros((count + 2, *groups[0].shape))
        for s, group in enumerate(groups):
            limbs[s + 2] = group
        a, b = self._largest_limbs, other._largest_limbs
        cut = sum(a[i] * b[j] * _power(exponent - 3 - i - j) for i in range(count) for j in range(count - i, count))
        inherited = 0.0
        if self.error or other.error:
            inherited = self.size * other.error + other.size * self.error
        return _kept(limbs, exponent, count, terms * (cut + inherited) * UP)

    @property
    def _largest_limbs(self) -> list[float]:
        return [max(float(each.max(initial=0.0)), -float(each.min(initial=0.0))) for each in self.limbs]

    def placed(self, exponent: int, length: int) -> LimbArray:
        """Return the same with a larger exponent and so many limbs."""
        shift = exponent - self.exponent
        limbs = np.zeros((length, *self.limbs.shape[1:]))
        stay = max(0, min(self.count, length - shift))
        limbs[shift : shift + stay] = self.limbs[:stay]
        cut = 0.0 if stay == self.count else 2 * _power(exponent - length)
        return LimbArray(limbs, exponent, (self.error + cut) * UP)


def fits(length: int, count: int) -> bool:
    """Return whether products of matrices of inner length `length` are exact with so many limbs."""
    return length <= MAX_LENGTH and length * count <= MAX_TERMS


def _power(exponent: int) -> float:
    """Return β^exponent, or more where that is tiny."""
    return math.ldexp(1.0, max(LIMB_BITS * exponent, -1020))


def _exponent(digits: int) -> int:
    """Return the least exponent for which numbers below 2^digits have a first limb of size 2 β at most."""
    return -((1 - digits) // LIMB_BITS)


def _kept(limbs: Array, exponent: int, count: int, error: float) -> LimbArray:
    """Return numbers with carried limbs, the first as large as it may be, cut to so many limbs."""
    limbs = _carried(limbs)
    lead = 0
    while lead < len(limbs) - 1 and np.abs(limbs[lead]).max(initial=0.0) <= 1:
        limbs[lead + 1] += limbs[lead] * BASE
        lead += 1
    kept, exponent = limbs[lead : lead + count], exponent - lead
    if limbs[lead + count :].any():
        error = (error + _power(exponent - count)) * UP
    if len(kept) < count:
        kept = np.concatenate([kept, np.zeros((count - len(kept), *kept.shape[1:]))])
    return LimbArray(kept, exponent, error)


def _carried(limbs: Array) -> Array:
    """Return the same numbers with limbs of size up to β / 2, but for the first: exact, as whole numbers below 2⁵³."""
    out = np.array(limbs)
    for place in reversed(range(1, len(out))):
        carry = out[place] * (1 / BASE)
        np.rint(carry, out=carry)
        out[place - 1] += carry
        carry *= BASE
        out[place] -= carry
    return out


def of_floats(array: Array, count: int) -> LimbArray:
    """Return float64 numbers, as far as the limbs go."""
    largest = float(np.abs(array).max(initial=0.0))
    exponent = _exponent(math.frexp(largest)[1])
    rest = np.ldexp(array, -LIMB_BITS * exponent)
    is_exact = not np.any((rest == 0) & (array != 0))
    limbs = np.zeros((count, *array.shape))
    for place in range(count):
        rest = rest * BASE
        limbs[place] = np.rint(rest)
        rest = rest - limbs[place]
    return LimbArray(_carried(limbs), exponent, 0.0 if is_exact and not rest.any() else _power(exponent - count))


def of_integers(values: Array, bits: int, count: int, error: float) -> LimbArray:
    """Return whole numbers over 2^bits, within `error` of the real ones."""
    length = max((int(each).bit_length() for each in values.flat), default=0) - bits
    exponent = _exponent(length)
    shift = LIMB_BITS * (count - exponent) - bits
    whole = values << shift if shift >= 0 else values >> -shift
    limbs = np.zeros((count, *values.shape))
    for place in reversed(range(count)):
        limbs[place] = (whole & (int(BASE) - 1) if place else whole).astype(np.float64)
        whole = whole >> LIMB_BITS
    return LimbArray(_carried(limbs), exponent, (error + (_power(exponent - count) if shift < 0 else 0.0)) * UP)


def stacked(blocks: Sequence[Sequence[LimbArray]]) -> LimbArray:
    """Return a matrix of blocks."""
    parts = [each for row in blocks for each in row]
    exponent, count = max(each.exponent for each in parts), parts[0].count
    placed = [[each.placed(exponent, count) for each in row] for row in blocks]
    limbs = np.concatenate([np.concatenate([each.limbs for each in row], axis=2) for row in placed], axis=1)
    return LimbArray(limbs, exponent, max(each.error for row in placed for each in row))
