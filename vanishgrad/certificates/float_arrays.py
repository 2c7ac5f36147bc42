r"""Arrays of float64 that know how far they are from the real ones, all together in Frobenius' norm.

They do what arrays of limbs do, with a rounding in every operation: of a product of matrices with inner length k at
most γ_k ‖A‖_F ‖B‖_F (Higham, *Accuracy and Stability*, section 3.1), of any other entry u of its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.cholesky import frobenius_up
from vanishgrad.certificates.intervals import MAX_UNDERFLOW, ROUNDOFF, UP
from vanishgrad.certificates.matrix_norms import accurate_product


@dataclass(frozen=True, eq=False)
class FloatArray:
    """A vector (n,), or a matrix, within `spread` of the real one in Frobenius' norm."""

    floats: Array
    spread: float = 0.0

    @property
    def float_spread(self) -> float:
        """How far `floats` are from the real array: `spread`, as there are no other digits."""
        return self.spread

    @property
    def exact(self) -> FloatArray:
        """The same numbers, taken for the real ones."""
        return FloatArray(self.floats)

    @property
    def column(self) -> FloatArray:
        """A vector as a column, which scales the rows of a matrix."""
        return FloatArray(self.floats[:, None], self.spread)

    @property
    def diagonal(self) -> FloatArray:
        """A vector x as diag(x)."""
        return FloatArray(np.diag(self.floats), self.spread)

    def __getitem__(self, rows: slice) -> FloatArray:
        """Return some rows."""
        return FloatArray(self.floats[rows], self.spread)

    def __add__(self, other: FloatArray) -> FloatArray:
        """Return the sum."""
        floats = self.floats + other.floats
        return FloatArray(floats, (self.spread + other.spread + ROUNDOFF * frobenius_up(floats)) * UP)

    def __mul__(self, other: FloatArray) -> FloatArray:
        """Return the product entry by entry, of vectors, or of a column with a matrix's rows."""
        floats = self.floats * other.floats
        largest = float(np.abs(self.floats).max(initial=0.0))
        inherited = largest * other.spread + self.spread * (frobenius_up(other.floats) + other.spread)
        return FloatArray(floats, (inherited + ROUNDOFF * frobenius_up(floats)) * UP + MAX_UNDERFLOW)

    def __matmul__(self, other: FloatArray) -> FloatArray:
        """Return the product of matrices."""
        a, b = frobenius_up(self.floats), frobenius_up(other.floats)
        inherited = a * other.spread + self.spread * (b + other.spread)
        floats, rounding = accurate_product(self.floats, other.floats)
        return FloatArray(floats, (inherited + rounding) * UP + MAX_UNDERFLOW)


def of_floats(array: Array) -> FloatArray:
    """Return float64 numbers, exactly."""
    return FloatArray(array)


def of_integers(values: Array, bits: int, error: float) -> FloatArray:
    """Return whole numbers (n,) over 2^bits, within `error` of the real ones."""
    floats = np.ldexp(values.astype(np.float64), -bits)
    stray = float(np.sqrt(len(floats))) * error + ROUNDOFF * frobenius_up(floats)
    return FloatArray(floats, stray * UP + MAX_UNDERFLOW)


def stacked(blocks: Sequence[Sequence[FloatArray]]) -> FloatArray:
    """Return a matrix of blocks."""
    spread = sum(each.spread for row in blocks for each in row)
    return FloatArray(np.block([[each.floats for each in row] for row in blocks]), spread * UP)
