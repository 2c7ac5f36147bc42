"""Scaling by powers of two, for numbers beyond the range of floating point: a block is 2^exponent times its array."""

from __future__ import annotations

import math

from vanishgrad.arrays import Array, namespace

LN_2 = 0.6931471805599453
ABSENT = -(2**40)
"""The exponent of a block that is exactly zero, below every other."""


def powers(block: Array, exponents: Array) -> Array:
    """Return the integers e, (B,), with max|value| in (2^(e-1), 2^e], ABSENT for a zero block."""
    xp = namespace(block)
    largest = xp.max(xp.abs(block), axis=(1, 2))
    some = largest > 0
    logs = xp.astype(xp.ceil(xp.log2(xp.where(some, largest, 1))), exponents.dtype)
    return xp.where(some, exponents + logs, ABSENT)


def shifted(block: Array, shift: Array) -> Array:
    """Return block · 2^shift; what falls out of range is 0, as it should."""
    xp = namespace(block)
    limit = range_bits(block) - 2
    factor = xp.astype(2.0 ** xp.astype(xp.clip(shift, -limit, limit), block.dtype), block.dtype)
    return block * xp.where(shift < -limit, xp.zeros_like(factor), factor)[:, None, None]


def joined(blocks: list[list[Array]], exponents: Array) -> tuple[Array, Array]:
    """Return one matrix of order 1, (B, p, q), and its exponent from blocks · 2^exponents, (B, rows, columns)."""
    xp, places = namespace(exponents), [(i, j) for i, row in enumerate(blocks) for j in range(len(row))]
    top = xp.max(xp.stack([powers(blocks[i][j], exponents[:, i, j]) for i, j in places]), axis=0)
    scaled = [[shifted(block, exponents[:, i, j] - top) for j, block in enumerate(row)] for i, row in enumerate(blocks)]
    return xp.concat([xp.concat(row, axis=-1) for row in scaled], axis=1), top


def range_bits(x: Array) -> int:
    """Return how many powers of two lie between 1 and the smallest normal number."""
    return int(-math.log2(float(namespace(x).finfo(x.dtype).smallest_normal)))


def summed(terms: list[Array], exponents: Array) -> tuple[Array, Array]:
    """Return Σ terms · 2^exponents, (B, p, q) and (B, terms), as a matrix of order 1 and its exponent."""
    xp = namespace(exponents)
    top = xp.max(xp.stack([powers(term, exponents[:, j]) for j, term in enumerate(terms)]), axis=0)
    top = xp.where(top == ABSENT, xp.zeros_like(top), top)
    return xp.sum(xp.stack([shifted(term, exponents[:, j] - top) for j, term in enumerate(terms)]), axis=0), top
