"""The seam between the engine and the array library: the standard's functions, plus two that write in place."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def is_numpy(x: Any) -> bool:
    """Whether `x` is NumPy's."""
    return isinstance(x, np.ndarray)


def namespace(x: Array) -> Any:
    """Return the array-API namespace of `x`."""
    if is_numpy(x):
        return np
    from array_api_compat import array_namespace  # speaks for libraries whose own functions are not the standard's

    return array_namespace(x)


def library(x: Array) -> Any:
    """Return the library that `x` is of, whose own functions write in place."""
    return np if is_numpy(x) else sys.modules[type(x).__module__.partition(".")[0]]


def like(x: Array, values: Array) -> Array:
    """Return NumPy's `values` as an array of the library and on the device of `x`."""
    if is_numpy(x):
        return values
    moved: Array = namespace(x).asarray(values, device=x.device)
    return moved


def on_host(x: Any) -> Array:
    """Return `x` as NumPy's array."""
    if is_numpy(x):
        return x
    host: Array = x.get() if hasattr(x, "get") else x.cpu().numpy()
    return host


def bits(x: Array) -> int:
    """Return how many bits a number of `x` has."""
    return int(namespace(x).finfo(x.dtype).bits)


def matmul_into(left: Array, right: Array, out: Array) -> None:
    """Write ``left @ right`` into `out`; a right factor that is shared by the batch makes one product of it.

    left (B, p, k), right (B | 1, k, q), out (B, p, q).
    """
    matmul = library(left).matmul
    if right.shape[0] == 1 and left.shape[0] > 1 and _contiguous(left) and _contiguous(out):
        rows = left.shape[0] * left.shape[1]
        matmul(left.reshape(rows, -1), right[0], out=out.reshape(rows, -1))
    else:
        matmul(left, right, out=out)


def _contiguous(x: Array) -> bool:
    return bool(x.flags.c_contiguous if hasattr(x, "flags") else x.is_contiguous())  # type: ignore[attr-defined]


def multiply_into(left: Array, right: Array, out: Array) -> None:
    """Write the elementwise product of two broadcastable arrays into `out`."""
    library(left).multiply(left, right, out=out)
