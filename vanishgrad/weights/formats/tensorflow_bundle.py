"""TensorFlow's checkpoints (tensor bundles): NAME.index tells where in NAME.data-k-of-n each variable lies.

TensorFlow 1's Saver, tf.train.Checkpoint and the variables of a SavedModel are all of this kind. The index is a sorted
table of BundleEntryProto: dtype 1, shape 2, shard 3, offset 4, size 5, slices 7; its empty key holds the header.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.beside import beside
from vanishgrad.weights.formats.leveldb_table import entries
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.protobuf import fields, message, signed, varints
from vanishgrad.weights.formats.raw import WIDTHS, decoded, mapped, stretch
from vanishgrad.weights.formats.tensorflow_objects import full_names
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 8: "complex64", 9: "int64",
    10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
"""The numbers of tensorflow.DataType."""
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The key under which tf.train.Checkpoint keeps which variable belongs to which object."""
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
SLICES = 7
"""The field of a variable that was saved from several devices in parts."""
NAMELESS = re.compile(r"(?:_all_)?variables/\d+")
"""A variable of a SavedModel of Keras 3: a place in a list, and often the same one twice."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether a table begins with the empty key, whose value begins with a number of shards."""
    return len(head) > 3 and head[:2] == b"\0\0" and 0 < head[2] < 64 and head[3:4] == b"\x08"


def tensors(path: str) -> TensorFile:
    """Return the variables of a checkpoint by name; of the numbers none is read.

    Raises
    ------
    VanishgradError
        If the index is damaged, or tells of a variable outside its data.
    """
    content = mapped(path)
    try:
        table = dict(entries(content))
        shards, big_endian = _header(table.pop(b"", memoryview(b"")))
        variables = {
            name: _variable(path, name, value, shards, big_endian)
            for key, value in table.items()
            if (name := key.decode("utf-8", "replace"))
        }
    except ValueError as error:
        raise VanishgradError(
            f"expected a whole index of a TensorFlow checkpoint, got {path}, which fails with: {error}; "
            "try copying it again"
        ) from None
    graph = variables.pop(GRAPH, None)
    return TensorFile(path, "tensorflow", _named(variables, full_names(graph)))


def _header(value: memoryview) -> tuple[int, bool]:
    """Return the number of data files, and whether numbers are big-endian."""
    header = dict(fields(value))
    shards = header.get(1, 0)
    if not isinstance(shards, int) or not 0 < shards < 100_000:
        raise ValueError("no number of data files")
    return shards, header.get(2, 0) == 1


def _variable(path: str, name: str, value: memoryview, shards: int, big_endian: bool) -> Tensor:
    entry = dict(fields(value))
    shape = _shape(message(entry.get(2, memoryview(b""))))
    code, shard, start, count = (_whole(entry.get(number, 0)) for number in (1, 3, 4, 5))
    dtype = "in slices" if SLICES in entry else DTYPES.get(code, "unknown")
    if dtype == "in slices":
        return Tensor(name, shape, dtype, partial(_refuse, path, name, dtype))
    data = f"{os.path.basename(path).removesuffix('.index')}.data-{shard:05}-of-{shards:05}"
    where = beside(path, data, shown(name))
    if shard >= shards or start + count > os.path.getsize(where):
        raise VanishgradError(
            f"expected {shown(name)} inside {where}, got the end of the file; it is cut short, try copying it again"
        )
    return _numbers(path, name, shape, dtype, (where, start, count), big_endian)


def _numbers(
    path: str, name: str, shape: tuple[int, ...], dtype: str, place: tuple[str, int, int], big_endian: bool
) -> Tensor:
    count = place[2]
    if dtype == "string":
        return Tensor(name, shape, dtype, lambda: decoded(stretch(*place, shown(name)), "uint8", (count,)))
    if dtype not in WIDTHS:
        return Tensor(name, shape, dtype, partial(_refuse, path, name, dtype))
    if elements(path, name, shape, count // WIDTHS[dtype]) * WIDTHS[dtype] != count:
        raise VanishgradError(
            f"expected as many bytes as its shape needs for {shown(name)} in {path}, got {count}; try copying it again"
        )
    return Tensor(name, shape, dtype, lambda: decoded(stretch(*place, shown(name)), dtype, shape, big_endian))


def _whole(value: int | memoryview) -> int:
    if not isinstance(value, int):
        raise ValueError("bytes for a number")
    return value


def _shape(proto: memoryview) -> tuple[int, ...]:
    """Return the sizes of a TensorShapeProto."""
    sizes = []
    for number, dimension in fields(proto):
        if number == 2:
            size = dict(fields(message(dimension))).get(1, 0)
            sizes.append(signed(next(varints(size))) if isinstance(size, int) else -1)
    return tuple(sizes)


def _named(variables: Mapping[str, Tensor], full: Mapping[str, str]) -> dict[str, Tensor]:
    """Return variables by name: the key's path, or where that is a place in a list, what the variable was called."""
    by_name: dict[str, Tensor] = {}
    for key, tensor in variables.items():
        path = key.removesuffix(VALUE)
        name = full.get(key, path) if NAMELESS.fullmatch(path) else path
        if name not in by_name:
            by_name[name] = Tensor(name, tensor.shape, tensor.dtype, tensor.read)
    return by_name


def _refuse(path: str, name: str, dtype: str) -> Array:
    raise VanishgradError(
        f"expected real numbers in one piece, got {shown(dtype)} for {shown(name)} in {path}; "
        "try saving the checkpoint from one device in float32"
    )
