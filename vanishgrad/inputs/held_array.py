"""An array in memory where a file's name is expected: inputs, initial states, lengths; and names of steps."""

from __future__ import annotations

import os
from collections.abc import Iterable
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


class HeldNames(str):
    """Names of steps that take the place of a file.

    Attributes
    ----------
    names : tuple of str
    """

    __slots__ = ("names",)
    names: tuple[str, ...]


def named_tokens(value: Any) -> Any:
    """Return a text as it is, a path as text, and several texts as `HeldNames`."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    texts = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
    if not texts or not all(isinstance(each, str) for each in texts):
        return value
    source = HeldNames(f"{len(texts)} names")
    source.names = texts
    return source
