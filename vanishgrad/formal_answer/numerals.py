"""Numerals: numbers as a formula in TeX writes them."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from vanishgrad.formal_answer.claims import Log

Side: TypeAlias = Literal["lower", "upper"]
"""Of a bound: a lower one is rounded down and an upper one up, so that what is printed is true as well."""

DIGITS = 3
FIXED_LOW, FIXED_HIGH = 1e-3, 1e5
"""Between these, numbers are written without a power of ten."""
WHOLE = 10**6
NEAR_ONE = 5e-4
"""Numbers this close to 1 are written by their distance from it."""
ROUNDOFF = 1e-12
"""Relative error of a bound in double precision; what is printed is at least so far outside."""


def numeral(value: float, digits: int | None = None, side: Side | None = None) -> str:
    """Return a number in TeX, with `digits` significant digits (3 by default); whole numbers whole.

    A bound is rounded outward: a lower one (`side`) down, an upper one up.
    """
    if not math.isfinite(value):
        return r"\infty" if value > 0 else r"-\infty"
    if value == 0:
        return "0"
    if value == int(value) and abs(value) < max(WHOLE, 10 ** (digits or 0)):
        return str(int(value))
    if 0 < abs(1 - value) < NEAR_ONE and digits is None:
        return _beside_one(value - 1, side)
    if FIXED_LOW <= abs(value) < FIXED_HIGH:
        return _fixed(value, digits or DIGITS, side)
    sign = "-" if value < 0 else ""
    return _scientific(math.log10(abs(value)), digits or DIGITS, sign, _of_size(side, value))


def log_numeral(value: Log) -> str:
    """Return a positive number in TeX from its logarithm, whatever its size."""
    if value.log == -math.inf:
        return "0"
    if 0 < abs(math.expm1(value.log)) < NEAR_ONE:
        return _beside_one(math.expm1(value.log), value.side)
    if math.log10(FIXED_LOW) <= value.log10 < math.log10(FIXED_HIGH):
        return numeral(10**value.log10, side=value.side)
    return _scientific(value.log10, DIGITS, side=value.side)


def _beside_one(distance: float, side: Side | None) -> str:
    """Return 1 + distance in TeX, by the distance."""
    return ("1-" if distance < 0 else "1+") + numeral(abs(distance), side=_of_size(side, distance))


def _of_size(side: Side | None, value: float) -> Side | None:
    """Return on which side of |value| a number lies that is on a side of the value."""
    if side is None or value >= 0:
        return side
    return "upper" if side == "lower" else "lower"


def _rounded(value: float, side: Side | None) -> int:
    """Return a whole number beside a value: the nearest, or outward by more than a bound's roundoff."""
    if side is None:
        return round(value)
    outward = ROUNDOFF * abs(value)
    return math.floor(value - outward) if side == "lower" else math.ceil(value + outward)


def _fixed(value: float, digits: int, side: Side | None) -> str:
    before = math.floor(math.log10(abs(value))) + 1
    places = max(digits - before, 0)
    if side is None:
        return f"{value:.{places}f}"
    return f"{_rounded(value * 10**places, side) / 10**places:.{places}f}"


def _scientific(log10: float, digits: int, sign: str = "", side: Side | None = None) -> str:
    exponent = math.floor(log10)
    mantissa = f"{10 ** (log10 - exponent):.{digits - 1}f}"
    if side is not None:
        scale = 10 ** (digits - 1)
        relative = ROUNDOFF * (1 + abs(log10))
        bound = 10 ** (log10 - exponent) * (1 - relative if side == "lower" else 1 + relative)
        mantissa = f"{_rounded(bound * scale, side) / scale:.{digits - 1}f}"
    if mantissa.startswith("10"):
        mantissa, exponent = f"{1:.{digits - 1}f}", exponent + 1
    return rf"{sign}{mantissa}\times10^{{{exponent}}}"
