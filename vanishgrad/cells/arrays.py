"""The seam between the engine and the array library: the standard's functions, plus two that write in place."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def namespace(x: Array) -> Any:
    """Return the array-API namespace of `x`."""
    return x.__array_namespace__()


def matmul_into(left: Array, right: Array, out: Array) -> None:
    """Write ``left @ right`` into `out`; a right factor that is shared by the batch makes one product of it.

    left (B, p, k), right (B | 1, k, q), out (B, p, q).
    """
    if right.shape[0] == 1 and left.shape[0] > 1 and left.flags.c_contiguous and out.flags.c_contiguous:
        rows = left.shape[0] * left.shape[1]
        np.matmul(left.reshape(rows, -1), right[0], out=out.reshape(rows, -1))
    else:
        np.matmul(left, right, out=out)


def multiply_into(left: Array, right: Array, out: Array) -> None:
    """Write the elementwise product of two broadcastable arrays into `out`."""
    np.multiply(left, right, out=out)
