"""NumPy's .npz: a zip archive of .npy members, each with a header that tells shape and dtype."""

from __future__ import annotations

import io
import json
from tokenize import TokenError
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.zip_members import Member, members
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

MAX_HEADER_BYTES = 10_000
"""Bytes of a header, which is a Python literal: NumPy's own bound, since deep literals exhaust the parser."""
SIGNATURE = "vanishgrad"
"""The text member in which `--save` says what PyTorch's names do not: cell, reset, activation."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether a zip archive holds .npy members."""
    return head.startswith(b"PK") and any(name.endswith(".npy") for name in names)


def tensors(path: str) -> TensorFile:
    """Return the arrays of an .npz by name, from their headers alone."""
    by_name = arrays(path)
    saved = text(path, SIGNATURE) if by_name.pop(SIGNATURE, None) else None
    return TensorFile(path, "npz", by_name, {"vanishgrad": saved} if saved is not None else {})


def arrays(path: str) -> dict[str, Tensor]:
    """Return every array of an .npz by name."""
    return {name[:-4]: _tensor(path, name[:-4], each) for name, each in members(path).items() if name.endswith(".npy")}


def _tensor(path: str, name: str, member: Member) -> Tensor:
    shape, fortran, dtype, start = _header(path, name, member)
    if dtype.hasobject or dtype.itemsize == 0 or dtype.fields is not None:
        return Tensor(name, shape, "object", lambda: _refuse(path, name, dtype))
    count = elements(path, name, shape, (member.size - start) // dtype.itemsize)

    def read() -> Array:
        data = member.read(start, count * dtype.itemsize)
        values = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
        return values.astype(dtype.newbyteorder("="), copy=False)

    return Tensor(name, shape, dtype.newbyteorder("=").name, read)


def _header(path: str, name: str, member: Member) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    start = io.BytesIO(member.read(0, min(member.size, MAX_HEADER_BYTES + 16)))
    try:
        version = np.lib.format.read_magic(start)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[
            version
        ]
        shape, fortran, dtype = read_header(start, max_header_size=MAX_HEADER_BYTES)
    except (ValueError, LookupError, TypeError, SyntaxError, TokenError, MemoryError, RecursionError, OverflowError):
        raise VanishgradError(
            f"expected an .npy header for {shown(name)} in {path}, got other bytes; try saving it with numpy.savez"
        ) from None
    return shape, fortran, dtype, start.tell()


def _refuse(path: str, name: str, dtype: np.dtype[Any]) -> Array:
    kind = "Python objects" if dtype.hasobject else str(dtype)
    raise VanishgradError(
        f"expected numbers, got {kind} for {shown(name)} in {path}; try saving plain float arrays with numpy.savez"
    )


def text(path: str, name: str) -> dict[str, Any]:
    """Return the JSON object in a member that is a text.

    Raises
    ------
    VanishgradError
        If it is something else.
    """
    member = members(path)[f"{name}.npy"]
    shape, _, dtype, start = _header(path, name, member)
    try:
        if dtype.kind not in "SU" or shape != ():
            raise ValueError
        saved = json.loads(str(np.frombuffer(member.read(start, dtype.itemsize), dtype)[0]))
        if not isinstance(saved, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise VanishgradError(
            f"expected JSON in the member {name} of {path}, got something else; try saving it again"
        ) from None
    return saved
