"""Weights as the integers that a proof assistant computes with."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isqrt

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.rational import integers
from vanishgrad.errors import VanishgradError

MIN_WEIGHT = 2.0**-126
"""The least normal float32: smaller weights would make every integer of the file longer by their own zeros."""
DIGITS = 40
"""Binary digits after the point of ρ and C."""

WEIGHT_DIGITS = 20
"""Binary digits of the largest weight of a positive vector."""


def in_units(tensors: Mapping[str, Array]) -> tuple[int, dict[str, Array]]:
    """Return k and the tensors as integers, exactly, in units of 2^-k.

    Raises
    ------
    VanishgradError
        For an entry that is not 0 and below 2^-126: a denormal of float32, or smaller still.
    """
    for name, tensor in tensors.items():
        tiny = (tensor != 0) & (np.abs(tensor) < MIN_WEIGHT)
        if tiny.any():
            value = float(tensor[tiny][0])
            raise VanishgradError(
                f"expected weights that are 0 or at least 2^-126 in size, got the denormal {value!r} in {name}; "
                "try setting such weights to 0 (torch.set_flush_denormal)"
            )
    whole = {name: integers(tensor) for name, tensor in tensors.items()}
    k = max((each.scale for each in whole.values()), default=0)
    return k, {name: each.values << (k - each.scale) for name, each in whole.items()}


def rows_of(matrix: Array) -> list[list[int]]:
    """Return a matrix as lists of Python integers."""
    return [[int(each) for each in row] for row in matrix]


def root_up(value: Fraction) -> int:
    """Return the least integer whose square is at least a number ≥ 0."""
    whole = -(-value.numerator // value.denominator)
    root = isqrt(whole)
    return root if root * root >= whole else root + 1


def condition_up(size: int, lo: int, hi: int) -> int:
    """Return √m hi / lo in units of 2⁻⁴⁰, rounded up."""
    return root_up(Fraction(size * hi * hi * 4**DIGITS, lo * lo))


def whole_weights(x: Array) -> list[int]:
    """Return a positive vector, its largest entry 1, in units of 2⁻²⁰ and nowhere 0."""
    return [max(1, int(each)) for each in np.rint(np.ldexp(x, WEIGHT_DIGITS))]
