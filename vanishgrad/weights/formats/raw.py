"""Numbers from a stretch of a file, nothing else of it read."""

from __future__ import annotations

import mmap
from collections.abc import Sequence

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.tensors import widened_bfloat16

WIDTHS = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1, "bool": 1,
    "complex64": 8, "complex128": 16,
}  # fmt: skip
"""Bytes per element of every dtype that can be read."""


def decoded(data: bytes | memoryview, dtype: str, shape: Sequence[int], big_endian: bool = False) -> Array:
    """Return the C-ordered array that `data` holds, in native byte order; bfloat16 as float32."""
    words = "uint16" if dtype == "bfloat16" else dtype
    values: Array = np.frombuffer(data, np.dtype(words).newbyteorder(">" if big_endian else "<"))
    native = values.astype(words, copy=False)
    return (widened_bfloat16(native) if dtype == "bfloat16" else native).reshape(tuple(shape))


def mapped(path: str) -> memoryview:
    """Return the bytes of a file, none of them read before they are looked at."""
    with open(path, "rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def stretch(path: str, start: int, count: int, what: str) -> bytes:
    """Return `count` bytes of a file from `start` on.

    Raises
    ------
    VanishgradError
        If the file ends before, or cannot be read.
    """
    try:
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read(count)
    except (ValueError, OverflowError):
        raise cut_short(path, what) from None
    except OSError as error:
        raise VanishgradError(f"expected to read {path}, got {error.strerror or error}; try another path") from None
    if len(data) != count:
        raise cut_short(path, what)
    return data


def cut_short(path: str, what: str) -> VanishgradError:
    """Return the error for a file that ends inside `what`."""
    return VanishgradError(
        f"expected the whole of {what}, got the end of {path}; the file is cut short, try copying it again"
    )
