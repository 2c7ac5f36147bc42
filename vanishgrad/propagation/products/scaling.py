"""Scaling by powers of two, for numbers beyond the range of floating point: a block is 2^exponent times its array."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Protocol

from vanishgrad.arrays import Array, namespace

LN_2 = 0.6931471805599453
ABSENT = -(2**40)
"""The exponent of a block that is exactly zero, below every other."""
MARGIN = 24
"""Bits above the smallest normal number at which a product leaves floating point."""


def powers(block: Array, exponents: Array) -> Array:
    """Return the integers e, (B,), with max|value| in (2^(e-1), 2^e], ABSENT for a zero block."""
    xp = namespace(block)
    largest = xp.max(xp.abs(block), axis=(1, 2))
    some = largest > 0
    logs = xp.astype(xp.ceil(xp.log2(xp.where(some, largest, 1))), exponents.dtype)
    return xp.where(some, exponents + logs, ABSENT)


def shifted(block: Array, shift: Array) -> Array:
    """Return block · 2^shift; what falls out of range is 0, as it should."""
    xp, limit = namespace(block), range_bits(block) - 2
    within = xp.where(shift > limit, limit, shift)  # a clip by whole numbers looks their type's limits up, at each call
    factor = 2.0 ** xp.astype(xp.where(shift < -limit, 0, within), block.dtype) * (shift >= -limit)
    return block * factor[:, None, None]


def joined(blocks: list[list[Array]], exponents: Array) -> tuple[Array, Array]:
    """Return one matrix of order 1, (B, p, q), and its exponent from blocks · 2^exponents, (B, rows, columns)."""
    xp, places = namespace(exponents), [(i, j) for i, row in enumerate(blocks) for j in range(len(row))]
    top = xp.max(xp.stack([powers(blocks[i][j], exponents[:, i, j]) for i, j in places]), axis=0)
    scaled = [[shifted(block, exponents[:, i, j] - top) for j, block in enumerate(row)] for i, row in enumerate(blocks)]
    return xp.concat([xp.concat(row, axis=-1) for row in scaled], axis=1), top


def range_bits(x: Array) -> int:
    """Return how many powers of two lie between 1 and the smallest normal number."""
    return _range_bits(namespace(x), x.dtype)


@cache
def _range_bits(xp: Any, dtype: Any) -> int:
    return int(-math.log2(float(xp.finfo(dtype).smallest_normal)))


def size(x: Array) -> float:
    """Return max|x|."""
    xp = namespace(x)
    return float(xp.max(xp.abs(x)))


def depth(x: Array) -> float:
    """Return how many bits below 1 the smallest non-zero entry lies, at least 0."""
    xp = namespace(x)
    sizes = xp.abs(x)
    smallest = float(xp.min(sizes)) or float(xp.min(xp.where(sizes > 0, sizes, 1)))
    return max(0.0, -math.log2(smallest))


class Steepness(Protocol):
    """What knows how much smaller a step may make the entries of a product."""

    def depth(self, t: int, sparse: bool) -> float:
        """Return how many bits smaller the non-zero entries of W J_t may be than those of W, `sparse` or not."""


class RangeWatch:
    """Tells in time when a non-zero entry of a product would leave the range of floating point.

    It keeps a bound of how small entries may have become, which every step lowers by what its activations allow, and
    looks at the entries themselves only where that bound comes to the end of the range.

    Parameters
    ----------
    like : array
        Of the kind of the product.
    """

    def __init__(self, like: Array) -> None:
        self._limit = range_bits(like) - MARGIN
        self._depth, self._sparse = math.inf, True

    def lasts(self, P: Array, step: Steepness, t: int) -> bool:
        """Return whether every entry of P J_t will be within the range that is not exactly zero."""
        if not self._fits(step, t):
            self._depth, self._sparse = depth(P), bool(namespace(P).any(P == 0))
            if not self._fits(step, t):
                return False
        self._depth += step.depth(t, self._sparse)
        return True

    def lasted(self, P: Array) -> bool:
        """Return whether a step's result is dense, and so near to 1 that what the step may have lost is rounding."""
        self._depth, self._sparse = depth(P), bool(namespace(P).any(P == 0))
        return self.is_whole(P)

    def fits(self, P: Array) -> bool:
        """Return whether a step's exact result is in range, as it is from now on."""
        self._depth, self._sparse = depth(P), bool(namespace(P).any(P == 0))
        return self._depth <= self._limit

    def is_whole(self, x: Array) -> bool:
        """Return whether numbers are not zero, and so near to 1 that what was lost on the way to them is rounding."""
        return bool(namespace(x).all(x != 0)) and depth(x) <= self._limit / 2

    def covers(self, step: Steepness, t: int) -> bool:
        """Return whether what a step makes of the product now will be within the range, as far as is known."""
        return self._fits(step, t)

    def _fits(self, step: Steepness, t: int) -> bool:
        return self._depth + step.depth(t, self._sparse) <= self._limit

    def scaled(self, bits: int) -> None:
        """Take notice that the product has been divided by up to 2^bits."""
        self._depth += max(bits, 0)

    def forget(self) -> None:
        """Look again at the next step: the product is another one."""
        self._depth = math.inf
