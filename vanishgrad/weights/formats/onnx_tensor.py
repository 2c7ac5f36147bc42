"""One tensor of an ONNX model: in the message, as raw bytes or as numbers, or in a file beside it."""

from __future__ import annotations

import os
from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.beside import beside
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.protobuf import fields, message, signed, text, varints
from vanishgrad.weights.formats.raw import WIDTHS, decoded, stretch
from vanishgrad.weights.tensors import Tensor, shape_text, shown, widened_bfloat16

DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16",
}  # fmt: skip
DIMS, DTYPE, NAME, RAW, EXTERNAL, LOCATION = 1, 2, 8, 9, 13, 14
FLOATS, INTEGERS, LONGS, DOUBLES, UNSIGNED = 4, 5, 7, 10, 11
MOST = 1 << 62


def tensor_of(data: memoryview, path: str) -> Tensor:
    """Return the tensor that a TensorProto describes; its numbers stay where they are.

    Raises
    ------
    VanishgradError
        If the numbers do not fill its shape, or lie outside the model's folder.
    """
    shape: list[int] = []
    numbers: dict[int, list[int | memoryview]] = {}
    name, code, is_external = "", 0, False
    for number, value in fields(data):
        if number == DIMS:
            shape.extend(map(signed, varints(value)))
        elif number == DTYPE:
            code = next(varints(value))
        elif number == NAME:
            name = text(value)
        elif number == LOCATION:
            is_external = value == 1
        elif number in (RAW, EXTERNAL, FLOATS, INTEGERS, LONGS, DOUBLES, UNSIGNED):
            numbers.setdefault(number, []).append(value)
    dtype = DTYPES.get(code, f"ONNX type {code}")
    count = elements(path, name, shape, MOST)
    if dtype not in WIDTHS:
        reader = partial(_refuse, path, name, dtype)
    elif is_external:
        reader = _outside(path, name, dtype, shape, count, numbers.get(EXTERNAL, []))
    else:
        reader = _within(path, name, dtype, shape, count, numbers)
    return Tensor(name, tuple(shape), dtype, reader)


def _within(
    path: str, name: str, dtype: str, shape: list[int], count: int, numbers: dict[int, list[int | memoryview]]
) -> partial[Array]:
    if RAW in numbers:
        raw = message(numbers[RAW][-1])
        if len(raw) != count * WIDTHS[dtype]:
            raise _wrong_size(path, name, shape, f"{len(raw)} bytes")
        return partial(decoded, raw, dtype, tuple(shape))
    return partial(_listed, path, name, dtype, shape, count, numbers)


def _listed(
    path: str, name: str, dtype: str, shape: list[int], count: int, numbers: dict[int, list[int | memoryview]]
) -> Array:
    """Return numbers that are written one by one: floats as they are, all else as integers."""
    plain = {FLOATS: "<f4", DOUBLES: "<f8"}
    key = next((each for each in numbers if each in (FLOATS, DOUBLES, INTEGERS, LONGS, UNSIGNED)), LONGS)
    values: Array
    if key in plain:
        values = np.frombuffer(b"".join(bytes(message(each)) for each in numbers[key]), plain[key])
    else:
        values = np.array([number for each in numbers.get(key, []) for number in varints(each)], np.uint64)
    if len(values) != count:
        raise _wrong_size(path, name, shape, f"{len(values)} numbers")
    if key in plain:
        return values.astype(dtype).reshape(shape)
    return _as_stored(values, dtype).reshape(shape)


def _as_stored(words: Array, dtype: str) -> Array:
    """Return integers in their dtype; half-width floats are written as their bit patterns."""
    if dtype == "bfloat16":
        return widened_bfloat16(words.astype(np.uint16))
    if dtype == "float16":
        return words.astype(np.uint16).view(np.float16)
    return words.astype(dtype)


def _outside(
    path: str, name: str, dtype: str, shape: list[int], count: int, entries: list[int | memoryview]
) -> partial[Array]:
    location = dict(_entry(message(each)) for each in entries)
    where = beside(path, location.get("location", ""), f"the numbers of {shown(name)}")
    try:
        start, size = int(location.get("offset", "0")), int(location.get("length", count * WIDTHS[dtype]))
    except ValueError:
        start, size = -1, -1
    if start < 0 or size != count * WIDTHS[dtype]:
        raise _wrong_size(path, name, shape, f"{size} bytes in {shown(os.path.basename(where))}")
    return partial(_read_outside, where, start, size, dtype, tuple(shape), name)


def _read_outside(where: str, start: int, size: int, dtype: str, shape: tuple[int, ...], name: str) -> Array:
    if start + size > os.path.getsize(where):
        raise VanishgradError(
            f"expected {start + size} bytes for {shown(name)}, got fewer in {where}; try copying it again"
        )
    return decoded(stretch(where, start, size, shown(name)), dtype, shape)


def _entry(data: memoryview) -> tuple[str, str]:
    pair = dict(fields(data))
    return text(pair.get(1, memoryview(b""))), text(pair.get(2, memoryview(b"")))


def _wrong_size(path: str, name: str, shape: list[int], size: str) -> VanishgradError:
    return VanishgradError(
        f"expected numbers for {shape_text(shape)} in tensor {shown(name)} of {path}, got {size}; "
        "the file is damaged, try copying it again"
    )


def _refuse(path: str, name: str, dtype: str) -> Array:
    raise VanishgradError(f"expected real numbers, got {dtype} for {shown(name)} in {path}; try exporting in float32")
