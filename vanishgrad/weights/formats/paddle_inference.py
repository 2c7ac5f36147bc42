"""Paddle's exported models (paddle.jit.save): NAME.pdiparams holds the numbers, NAME.json their names.

Each tensor: u32 0, u64 0 levels, u32 0, i32 n, n bytes TensorDesc (dtype 1, sizes 2), numbers. They stand in the order
of their names, which the program's parameters (operations "p" of NAME.json) tell.
"""

from __future__ import annotations

import os
import struct
from functools import partial
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.beside import beside
from vanishgrad.weights.formats.json_text import json_file
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.protobuf import fields, signed, varints
from vanishgrad.weights.formats.raw import WIDTHS, decoded, stretch
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

HEADER = struct.Struct("<IQIi")
DTYPES = {
    0: "bool", 1: "int16", 2: "int32", 3: "int64", 4: "float16", 5: "float32", 6: "float64", 20: "uint8", 21: "int8",
    22: "bfloat16",
}  # fmt: skip
"""The numbers of Paddle's VarType."""
MAX_DESCRIPTION_BYTES = 1000
"""Bytes of a tensor's description: its type and its sizes."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with the header of a tensor."""
    return head[:16] == bytes(16) and 0 < int.from_bytes(head[16:20], "little") < MAX_DESCRIPTION_BYTES


def tensors(path: str) -> TensorFile:
    """Return the parameters by name, none of them read.

    Raises
    ------
    VanishgradError
        If the file is damaged, or the program beside it names another number of parameters.
    """
    program = beside(path, os.path.basename(path).removesuffix(".pdiparams") + ".json", "the names of the parameters")
    names = sorted(_parameters(json_file(program)))
    place, size, by_name = 0, os.path.getsize(path), {}
    for name in names:
        by_name[name], place = _tensor(path, name, place, size)
    if place != size or not names:
        raise _damaged(path)
    return TensorFile(path, "paddle", by_name, {"paddle": None})


def _parameters(program: Any) -> list[str]:
    """Return the names of the parameters that are stored: the last of the four attributes of each operation "p"."""
    operations = [
        operation
        for region in _list(program, "program", "regions")
        for block in _list(region, "blocks")
        for operation in _list(block, "ops")
    ]
    attributes = [
        _list(operation, "A")[-1:]
        for operation in operations
        if isinstance(operation, dict) and operation.get("#") == "p"
    ]
    names = [name for operation in attributes for name in operation if isinstance(name, str)]
    return [name for name in dict.fromkeys(names) if not name.endswith("__non_persistable")]


def _list(node: Any, *keys: str) -> list[Any]:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, list) else []


def _tensor(path: str, name: str, place: int, size: int) -> tuple[Tensor, int]:
    """Return the tensor at a place, and the place behind it."""
    version, levels, again, length = HEADER.unpack(stretch(path, place, HEADER.size, shown(name)))
    if (version, levels, again) != (0, 0, 0) or not 0 < length < MAX_DESCRIPTION_BYTES:
        raise _damaged(path)
    start = place + HEADER.size + length
    try:
        shape, dtype = _described(memoryview(stretch(path, place + HEADER.size, length, shown(name))))
    except (ValueError, KeyError):
        raise _damaged(path) from None
    width = WIDTHS[dtype]
    count = elements(path, name, shape, max(0, size - start) // width)
    return Tensor(
        name, shape, dtype, partial(_read, path, name, shape, dtype, (start, count * width))
    ), start + count * width


def _described(description: memoryview) -> tuple[tuple[int, ...], str]:
    shape: list[int] = []
    code = -1
    for number, value in fields(description):
        if number == 1 and isinstance(value, int):
            code = value
        elif number == 2:
            shape.extend(map(signed, varints(value)))
    return tuple(shape), DTYPES[code]


def _read(path: str, name: str, shape: tuple[int, ...], dtype: str, place: tuple[int, int]) -> Array:
    return decoded(stretch(path, *place, shown(name)), dtype, shape)


def _damaged(path: str) -> VanishgradError:
    return VanishgradError(
        f"expected the parameters that the program beside {path} names, got something else; try paddle.jit.save again"
    )
