"""Equinox's leaves (eqx.tree_serialise_leaves, .eqx): .npy records one after another, in the order of the fields.

There are no names: what the arrays are is told by their order and by the user's word for the cell. A line of JSON may
stand before them, which people put there for the model's sizes.
"""

from __future__ import annotations

import io
import os
from functools import partial
from tokenize import TokenError

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.raw import decoded, stretch
from vanishgrad.weights.tensors import Tensor, TensorFile

MAGIC = b"\x93NUMPY"
MAX_HEADER_BYTES = 10_000
"""Bytes of a record's header: NumPy's own bound."""
MAX_LINE_BYTES = 4000
"""Bytes of the line of JSON."""
MAX_RECORDS = 100_000
"""Arrays of a file; a model of a thousand layers has some 10⁴."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether an .npy record stands at the start, or behind one line that begins with a brace."""
    return head.startswith(MAGIC) or (head.startswith(b"{") and head[:MAX_LINE_BYTES].find(b"\n" + MAGIC) > 0)


def tensors(path: str) -> TensorFile:
    """Return the arrays by their place, ``0``, ``1``, …; none is read.

    Raises
    ------
    VanishgradError
        If a record is damaged, or there is but one, which is no checkpoint.
    """
    head, size = stretch(path, 0, min(MAX_LINE_BYTES, os.path.getsize(path)), "the first record"), os.path.getsize(path)
    place = 0 if head.startswith(MAGIC) else head.index(b"\n" + MAGIC) + 1
    by_place: dict[str, Tensor] = {}
    while place < size and len(by_place) < MAX_RECORDS:
        name = str(len(by_place))
        by_place[name], place = _record(path, name, place, size)
    if len(by_place) == 1:
        raise VanishgradError(
            f"expected weights in {path}, got a single array; try numpy.savez with one name for each weight"
        )
    return TensorFile(path, "equinox", by_place, {"equinox": None})


def _record(path: str, name: str, start: int, size: int) -> tuple[Tensor, int]:
    """Return the array of the record at a place, and the place behind it."""
    stream = io.BytesIO(stretch(path, start, min(size - start, MAX_HEADER_BYTES + 16), f"array {name}"))
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[
            version
        ]
        shape, fortran, dtype = read_header(stream, max_header_size=MAX_HEADER_BYTES)
    except (ValueError, LookupError, TypeError, SyntaxError, TokenError, MemoryError, RecursionError, OverflowError):
        raise VanishgradError(
            f"expected an .npy record for array {name} in {path}, got other bytes; "
            "try eqx.tree_serialise_leaves(path, model) again"
        ) from None
    place = start + stream.tell()
    if dtype.hasobject or dtype.itemsize == 0 or dtype.kind not in "biufc":
        raise VanishgradError(
            f"expected numbers in array {name} of {path}, got {dtype}; try eqx.filter(model, eqx.is_array) first"
        )
    count = elements(path, name, shape, (size - place) // dtype.itemsize)
    return _tensor(path, name, shape, fortran, dtype, (place, count)), place + count * dtype.itemsize


def _tensor(
    path: str, name: str, shape: tuple[int, ...], fortran: bool, dtype: np.dtype[np.generic], place: tuple[int, int]
) -> Tensor:
    start, count = place

    def read() -> Array:
        data = stretch(path, start, count * dtype.itemsize, f"array {name}")
        flat = decoded(data, dtype.newbyteorder("=").name, (count,), dtype.byteorder == ">")
        return flat.reshape(shape, order="F" if fortran else "C")

    return Tensor(name, shape, dtype.newbyteorder("=").name, partial(read))
