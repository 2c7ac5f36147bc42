r"""Extended-range arithmetic: arrays of numbers m · 2^e, e an integer for each entry.

A float64 ends at 1e-308; a product of Jacobians does not, nor does tanh' of a saturated unit. Here every entry keeps
the 53 bits of a float64 whatever its size (Smith, Olver and Lozier, Extended-Range Arithmetic, 1981).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ABSENT = -(2**60)
"""The exponent of zero, below every other."""
BAND = 500
"""Bits by which entries of one factor of a product of floats may differ: their products stay above 2^-1022."""
NEAR = 900
"""Bits within which a factor's entries lie, none of them zero, that makes a sum of what meets its largest ones: what a
float has no room for, 2^-1022 below those, is less than their rounding."""


class ExtendedRange:
    """An array of numbers m · 2^e with 1/2 <= |m| < 1, or m = 0 and e = `ABSENT`."""

    __array_ufunc__ = None
    dtype = np.dtype(np.float64)
    device = "cpu"

    def __init__(self, m: Array, e: Array) -> None:
        self.m, self.e = m, e

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.m.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.m.ndim

    @property
    def T(self) -> ExtendedRange:
        """All axes reversed."""
        return ExtendedRange(self.m.T, self.e.T)

    @property
    def real(self) -> ExtendedRange:
        """The numbers themselves: none is complex."""
        return self

    def __len__(self) -> int:
        return len(self.m)

    def __getitem__(self, key: Any) -> ExtendedRange:
        """Return entries, as a view where NumPy's would be one."""
        return ExtendedRange(self.m[key], self.e[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        value = extended(value)
        self.m[key], self.e[key] = value.m, value.e

    def __mul__(self, other: Any) -> ExtendedRange:
        other = extended(other)
        return scaled(self.m * other.m, self.e + other.e)

    def __truediv__(self, other: Any) -> ExtendedRange:
        other = extended(other)
        return scaled(self.m / other.m, self.e - other.e)

    def __add__(self, other: Any) -> ExtendedRange:
        other = extended(other)
        top = np.maximum(self.e, other.e)
        return scaled(shifted(self.m, self.e - top) + shifted(other.m, other.e - top), top)

    def __neg__(self) -> ExtendedRange:
        return ExtendedRange(-self.m, self.e)

    def __sub__(self, other: Any) -> ExtendedRange:
        return self + -extended(other)

    def __rsub__(self, other: Any) -> ExtendedRange:
        return extended(other) + -self

    def __rtruediv__(self, other: Any) -> ExtendedRange:
        return extended(other) / self

    __rmul__, __radd__ = __mul__, __add__

    def __pow__(self, power: int) -> ExtendedRange:
        """Return a power from 1 on."""
        return self if power == 1 else self * self ** (power - 1)

    def __iadd__(self, other: Any) -> ExtendedRange:
        self[...] = self + other
        return self

    def __matmul__(self, other: Any) -> ExtendedRange:
        return _product(self, extended(other))

    def __lt__(self, other: Any) -> Array:
        return (self - other).m < 0

    def __le__(self, other: Any) -> Array:
        return (self - other).m <= 0

    def __gt__(self, other: Any) -> Array:
        return (self - other).m > 0

    def __ge__(self, other: Any) -> Array:
        return (self - other).m >= 0

    def reshape(self, *shape: int) -> ExtendedRange:
        """Return the same entries in another shape."""
        return ExtendedRange(self.m.reshape(*shape), self.e.reshape(*shape))

    def any(self) -> bool:
        """Whether an entry is not zero."""
        return bool(self.m.any())

    def is_contiguous(self) -> bool:
        """No: products are not to be reshaped into one."""
        return False


def extended(x: Any) -> ExtendedRange:
    """Return numbers of any kind as these."""
    return x if isinstance(x, ExtendedRange) else scaled(np.asarray(x, dtype=np.float64), 0)


def scaled(x: Array, exponents: Any) -> ExtendedRange:
    """Return x · 2^exponents."""
    m, e = np.frexp(x)
    return ExtendedRange(m, np.where(m != 0, e.astype(np.int64) + exponents, ABSENT))


def on_one_scale(x: ExtendedRange) -> tuple[Array, Array]:
    """Return matrices, (B, p, q), of order 1 and their exponents, (B,): what is far below their largest is 0."""
    top = np.max(x.e, axis=(1, 2))
    top = np.where(top == ABSENT, 0, top)
    return shifted(x.m, x.e - top[:, None, None]), top


def shifted(m: Array, by: Array) -> Array:
    """Return m · 2^by, by < 1024, or 0 below the normal numbers; the power is made of its bits, ten times as fast."""
    return m * ((np.maximum(by, -1023) + 1023) << 52).view(np.float64)


def _product(left: ExtendedRange, right: ExtendedRange) -> ExtendedRange:
    """Return left @ right: rows and columns each on their own scale, entries far below it in bands of their own."""
    by_row, by_column = left.e.max(axis=-1, keepdims=True), right.e.max(axis=-2, keepdims=True)
    row_depth, column_depth = left.e - by_row, right.e - by_column
    # What is far below its row's largest entry is rounding in the sums, if that meets no small entry, and no zero.
    rows = _bands(left.m, row_depth, first_alone=column_depth.min(initial=0) > -NEAR)
    columns = _bands(right.m, column_depth, first_alone=row_depth.min(initial=0) > -NEAR)
    total: ExtendedRange | None = None
    for i, row in rows:
        for j, column in columns:
            term = scaled(row @ column, by_row + by_column - BAND * (i + j))
            total = term if total is None else total + term
    assert total is not None
    return total


def _bands(m: Array, depth: Array, first_alone: bool) -> list[tuple[int, Array]]:
    """Return numbers m · 2^depth, depth <= 0, as a sum of 2^(-i·BAND) times arrays within BAND/2 bits of 1."""
    depth = np.where(m != 0, depth, 0)
    if first_alone or depth.min(initial=0) > -BAND // 2:
        return [(0, shifted(m, depth))]
    place = -(depth + BAND // 2) // BAND + 1
    bands = ((int(i), place == i) for i in np.unique(place))
    return [(i, shifted(np.where(in_band, m, 0), np.where(in_band, depth + BAND * i, 0))) for i, in_band in bands]


def to_float(x: Any) -> Array:
    """Return float64, 0 or ±inf beyond its range."""
    x = extended(x)
    with np.errstate(over="ignore"):
        return np.ldexp(x.m, np.clip(x.e, -1200, 1200).astype(np.int32))
