"""MXNet's parameters (.params of gluon's save_parameters and of nd.save): arrays, then their names.

u64 0x112, u64 0, u64 count; each array u32 0xF993FAC9 (version 2), i32 storage type, u32 dimensions, i64 sizes,
i32 device, i32 its number, i32 dtype, numbers; then u64 count and each name behind its u64 length.
"""

from __future__ import annotations

import os
import struct
from functools import partial

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import MAX_DIMENSIONS, elements
from vanishgrad.weights.formats.raw import WIDTHS, decoded, stretch
from vanishgrad.weights.tensors import Tensor, TensorFile

MAGIC = (0x112).to_bytes(8, "little")
DENSE = 0xF993FAC9
NUMPY_SHAPE = 0xF993FACA
"""The version whose shapes may be scalars; else alike."""
DTYPES = {0: "float32", 1: "float64", 2: "float16", 3: "uint8", 4: "int32", 5: "int8", 6: "int64", 12: "bfloat16"}
MAX_NAME_BYTES = 1000
"""Bytes of a parameter's name; what is longer is no name but damage."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with MXNet's magic number."""
    return head.startswith(MAGIC)


def tensors(path: str) -> TensorFile:
    """Return the parameters by name, none of them read.

    Raises
    ------
    VanishgradError
        If the file is damaged, cut short, or holds sparse arrays.
    """
    reader = _Reader(path)
    (count,) = reader.numbers("<16xQ")
    places = [reader.array(place) for place in range(_bounded(path, count, reader.size // 16))]
    (name_count,) = reader.numbers("<Q")
    names = [reader.name() for _ in range(_bounded(path, name_count, count))]
    if name_count != count or len(set(names)) != count:
        raise _damaged(path)
    by_name = {name: _tensor(path, name, *place) for name, place in zip(names, places, strict=True)}
    return TensorFile(path, "mxnet", by_name)


class _Reader:
    """A place in the file, which moves on as it is read."""

    def __init__(self, path: str) -> None:
        self._path, self._place, self.size = path, 0, os.path.getsize(path)

    def numbers(self, layout: str) -> tuple[int, ...]:
        """Return the numbers of a struct."""
        values = struct.unpack(layout, self._bytes(struct.calcsize(layout)))
        return tuple(map(int, values))

    def array(self, place: int) -> tuple[tuple[int, ...], str, int]:
        """Return shape, dtype and start of an array, which is skipped."""
        version, storage, dimensions = self.numbers("<IiI")
        if version not in (DENSE, NUMPY_SHAPE) or storage != 0 or dimensions > MAX_DIMENSIONS:
            raise _damaged(self._path)
        *shape, _, _, code = self.numbers(f"<{dimensions}q3i")
        if code not in DTYPES:
            raise _damaged(self._path)
        start, width = self._place, WIDTHS[DTYPES[code]]
        self._place += width * elements(self._path, str(place), shape, (self.size - start) // width)
        return tuple(shape), DTYPES[code], start

    def name(self) -> str:
        """Return a name."""
        (length,) = self.numbers("<Q")
        return self._bytes(_bounded(self._path, length, MAX_NAME_BYTES)).decode("utf-8", "replace").removeprefix("arg:")

    def _bytes(self, count: int) -> bytes:
        self._place += count
        return stretch(self._path, self._place - count, count, "the parameters")


def _tensor(path: str, name: str, shape: tuple[int, ...], dtype: str, start: int) -> Tensor:
    return Tensor(name, shape, dtype, partial(_read, path, name, shape, dtype, start))


def _read(path: str, name: str, shape: tuple[int, ...], dtype: str, start: int) -> Array:
    count = WIDTHS[dtype] * elements(path, name, shape, os.path.getsize(path))
    return decoded(stretch(path, start, count, name), dtype, shape)


def _bounded(path: str, value: int, most: int) -> int:
    if value > most:
        raise _damaged(path)
    return value


def _damaged(path: str) -> VanishgradError:
    return VanishgradError(
        f"expected dense arrays and a name for each in the MXNet file {path}, got something else; "
        "try block.save_parameters again"
    )
