"""Array API functions for arrays in extended range (m · 2^e), as far as the cells use them.

So their formulas run on either kind of number. Five to twenty times slower than NumPy, and seldom needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vanishgrad.extended_range import linalg
from vanishgrad.extended_range.array import (
    ABSENT,
    Array,
    ExtendedRange,
    extended,
    on_one_scale,
    scaled,
    shifted,
    to_float,
)

__all__ = ["ExtendedRange", "extended", "linalg", "on_one_scale", "scaled", "to_float"]

LN_2_HIGH, LN_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts, the first of 33 bits: its multiples up to 2^20 are exact."""
LARGEST_ARGUMENT = 1e12
"""Of exp: e^-1e12 stands for all that is less."""
SMALLEST_LOG = -0.9 * LARGEST_ARGUMENT
"""Of a product that has no factor of such."""


def exp(x: ExtendedRange) -> ExtendedRange:
    """Return e^x."""
    a = np.clip(to_float(x), -LARGEST_ARGUMENT, LARGEST_ARGUMENT)
    k = np.rint(a / (LN_2_HIGH + LN_2_LOW))
    return scaled(np.exp((a - k * LN_2_HIGH) - k * LN_2_LOW), k.astype(np.int64))


def tanh(x: ExtendedRange) -> ExtendedRange:
    """Return tanh x, which below 2^-30 is x to rounding."""
    return where(x.e < -30, x, np.tanh(to_float(x)))


def sqrt(x: ExtendedRange) -> ExtendedRange:
    """Return √x."""
    odd = x.e & 1
    return scaled(np.sqrt(np.ldexp(x.m, odd.astype(np.int32))), (x.e - odd) >> 1)


def sum(x: ExtendedRange, axis: int, keepdims: bool = False) -> ExtendedRange:  # noqa: A001
    """Return sums along an axis."""
    top = x.e.max(axis=axis, keepdims=True)
    sums = scaled(np.sum(shifted(x.m, x.e - top), axis=axis, keepdims=True), top)
    return sums if keepdims else ExtendedRange(np.squeeze(sums.m, axis), np.squeeze(sums.e, axis))


def mean(x: ExtendedRange, axis: int, keepdims: bool) -> ExtendedRange:
    """Return means along an axis."""
    return sum(x, axis, keepdims) * (1 / x.shape[axis])


def log(x: ExtendedRange) -> Array:
    """Return ln x in float64, -inf of 0."""
    with np.errstate(divide="ignore"):
        return np.where(x.m == 0, -np.inf, np.log(x.m) + x.e * (LN_2_HIGH + LN_2_LOW))


def abs(x: ExtendedRange) -> ExtendedRange:  # noqa: A001
    """Return |x|."""
    return ExtendedRange(np.abs(x.m), x.e)


def real(x: ExtendedRange) -> ExtendedRange:
    """Return x."""
    return x


def where(condition: Array, x: Any, y: Any) -> ExtendedRange:
    """Return x where the condition holds, else y."""
    x, y = extended(x), extended(y)
    return ExtendedRange(np.where(condition, x.m, y.m), np.where(condition, x.e, y.e))


def multiply(left: ExtendedRange, right: ExtendedRange, out: ExtendedRange) -> None:
    """Write left · right into `out`."""
    out[...] = left * right


def matmul(left: ExtendedRange, right: ExtendedRange, out: ExtendedRange) -> None:
    """Write left @ right into `out`."""
    out[...] = extended(left) @ right


def concat(arrays: list[Any], axis: int = 0) -> ExtendedRange:
    """Join arrays along an axis."""
    parts = [extended(each) for each in arrays]
    return ExtendedRange(
        np.concatenate([each.m for each in parts], axis=axis), np.concatenate([each.e for each in parts], axis=axis)
    )


def stack(arrays: list[Any], axis: int = 0) -> ExtendedRange:
    """Join arrays along a new axis."""
    parts = [extended(each) for each in arrays]
    return ExtendedRange(np.stack([each.m for each in parts], axis), np.stack([each.e for each in parts], axis))


def zeros(shape: Any, dtype: Any = None, device: Any = None) -> ExtendedRange:
    """Return zeros."""
    return ExtendedRange(np.zeros(shape), np.full(shape, ABSENT))


def zeros_like(x: ExtendedRange) -> ExtendedRange:
    """Return zeros."""
    return zeros(x.shape)


def any(x: Any) -> bool:  # noqa: A001
    """Whether an entry is not zero."""
    return bool(x.any())


def ones_like(x: ExtendedRange) -> ExtendedRange:
    """Return ones."""
    return extended(np.ones(x.shape))


empty, empty_like = zeros, zeros_like


def eye(n: int, dtype: Any = None) -> ExtendedRange:
    """Return the identity."""
    return extended(np.eye(n))


def astype(x: Any, dtype: Any, copy: bool = True) -> ExtendedRange:
    """Return a copy, also of truth values."""
    x = extended(x)
    return ExtendedRange(x.m.copy(), x.e.copy()) if copy else x


def asarray(x: ExtendedRange, copy: bool = False) -> ExtendedRange:
    """Return the array, or a copy."""
    return astype(x, x.dtype, copy)


def finfo(dtype: Any) -> Any:
    """Return what is known of the numbers: m is a float64."""
    return np.finfo(np.float64)


def isdtype(dtype: Any, kind: str) -> bool:
    """Return whether the numbers are of a kind: they are real."""
    return kind == "real floating"


def matrix_transpose(x: ExtendedRange) -> ExtendedRange:
    """Return the last two axes exchanged."""
    return ExtendedRange(np.swapaxes(x.m, -1, -2), np.swapaxes(x.e, -1, -2))


def permute_dims(x: ExtendedRange, axes: tuple[int, ...]) -> ExtendedRange:
    """Return the axes in another order."""
    return ExtendedRange(np.transpose(x.m, axes), np.transpose(x.e, axes))


def hypot(x: ExtendedRange, y: ExtendedRange) -> ExtendedRange:
    """Return √(x² + y²)."""
    return linalg.vector_norm(stack([x, y]), axis=0)
