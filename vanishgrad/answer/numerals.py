"""How a number is written in a formula."""

from __future__ import annotations

import math

from vanishgrad.answer.claims import Log

DIGITS = 3
FIXED_LOW, FIXED_HIGH = 1e-3, 1e5
"""Between these, numbers are written without a power of ten."""
WHOLE = 10**6
NEAR_ONE = 5e-4
"""Numbers this close to 1 are written by their distance from it."""


def numeral(value: float, digits: int | None = None) -> str:
    """Return a number in TeX, with `digits` significant digits (3 by default); whole numbers whole."""
    if not math.isfinite(value):
        return r"\infty" if value > 0 else r"-\infty"
    if value == 0:
        return "0"
    if value == int(value) and abs(value) < max(WHOLE, 10 ** (digits or 0)):
        return str(int(value))
    if 0 < abs(1 - value) < NEAR_ONE and digits is None:
        return ("1-" if value < 1 else "1+") + numeral(abs(1 - value))
    if FIXED_LOW <= abs(value) < FIXED_HIGH:
        return _fixed(value, digits or DIGITS)
    return _scientific(math.log10(abs(value)), digits or DIGITS, "-" if value < 0 else "")


def log_numeral(value: Log) -> str:
    """Return a positive number in TeX from its logarithm, whatever its size."""
    if value.log == -math.inf:
        return "0"
    if math.log10(FIXED_LOW) <= value.log10 < math.log10(FIXED_HIGH):
        return numeral(10**value.log10)
    return _scientific(value.log10, DIGITS)


def _fixed(value: float, digits: int) -> str:
    before = math.floor(math.log10(abs(value))) + 1
    return f"{value:.{max(digits - before, 0)}f}"


def _scientific(log10: float, digits: int, sign: str = "") -> str:
    exponent = math.floor(log10)
    mantissa = f"{10 ** (log10 - exponent):.{digits - 1}f}"
    if mantissa.startswith("10"):
        mantissa, exponent = f"{1:.{digits - 1}f}", exponent + 1
    return rf"{sign}{mantissa}\times10^{{{exponent}}}"
