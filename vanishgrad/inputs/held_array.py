"""An array in memory where a file's name is expected: inputs, initial states, lengths, cotangents."""

from __future__ import annotations

import os
from typing import Any

from vanishgrad.arrays import Array, host_array
from vanishgrad.errors import UsageError


class HeldArray(str):
    """An array that takes the place of a file; as a text it is what reports and messages call it.

    Attributes
    ----------
    array : Array
    """

    __slots__ = ("array",)
    array: Array


def named_source(value: Any, what: str) -> str:
    """Return a text as it is, a path as text, and anything array-like as a `HeldArray`.

    Arrays are NumPy's and those of other libraries, live tensors, lists of numbers and data frames (``to_numpy``).

    Raises
    ------
    UsageError
        If the value is none of these.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    try:
        array = host_array(value)
    except (TypeError, ValueError, RuntimeError, AttributeError):
        array = None
    if array is None or array.ndim == 0 or array.dtype.kind not in ("fiub" if what == "mask" else "fiu"):
        raise UsageError(f"expected a string or an array of numbers for {what}, got {type(value).__name__}")
    source = HeldArray(f"array {array.shape}")
    source.array = array
    return source
