"""Safetensors: eight bytes of length, a JSON header with dtype, shape and offsets, then the numbers."""

from __future__ import annotations

import json
import os
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.raw import WIDTHS, decoded, stretch
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "C64": "complex64", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
}  # fmt: skip


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with a length and an opening brace."""
    return head[8:9] == b"{" and head[7:8] == b"\0"


def tensors(path: str) -> TensorFile:
    """Return the tensors that the header lists; no number is read."""
    header, start = _header(path)
    room = os.path.getsize(path) - start
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    by_name = {name: _tensor(path, name, entry, start, room) for name, entry in entries.items()}
    _require_apart(path, entries)
    return TensorFile(path, "safetensors", by_name)


def _header(path: str) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(stretch(path, 0, 8, "the header's length"), "little")
    if length > os.path.getsize(path) - 8:
        raise VanishgradError(
            f"expected a header inside {path}, got one of {length} bytes; the file is cut short, try copying it again"
        )
    try:
        header = json.loads(stretch(path, 8, length, "the header"), object_pairs_hook=_without_repeats)
        if not isinstance(header, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise VanishgradError(
            f"expected a JSON header that names each tensor once in {path}, got something else; try saving it again"
        ) from None
    return header, 8 + length


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise ValueError
    return whole


def _tensor(path: str, name: str, entry: Any, start: int, room: int) -> Tensor:
    try:
        code, shape, (first, last) = str(entry["dtype"]), entry["shape"], entry["data_offsets"]
        whole = isinstance(shape, list) and type(first) is int and type(last) is int
        within = whole and 0 <= first <= last <= room
    except (TypeError, KeyError, ValueError):
        within = False
    if not within:
        raise VanishgradError(
            f"expected dtype, shape and data_offsets inside {path} for tensor {shown(name)}, got something else; "
            "the file is damaged, try copying it again"
        )
    dtype = DTYPES.get(code, shown(code, 20))
    width = WIDTHS.get(dtype, 1)
    count = elements(path, name, shape, (last - first) // width)
    if dtype in WIDTHS and count * width != last - first:
        raise VanishgradError(
            f"expected {count * width} bytes for tensor {shown(name)} of {path}, got {last - first}; "
            "try saving it again"
        )

    def read() -> Array:
        if dtype not in WIDTHS:
            raise VanishgradError(
                f"expected float64, float32, float16 or bfloat16, got {dtype} for {shown(name)} in {path}; "
                "try converting it first"
            )
        return decoded(stretch(path, start + first, last - first, shown(name)), dtype, shape)

    return Tensor(name, tuple(shape), dtype, read)


def _require_apart(path: str, entries: dict[str, Any]) -> None:
    end = 0
    for first, last, name in sorted((*entry["data_offsets"], name) for name, entry in entries.items()):
        if first < end:
            raise VanishgradError(
                f"expected tensors of {path} side by side, got {shown(name)} inside another; try saving the file again"
            )
        end = last
