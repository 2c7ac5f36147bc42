"""MindSpore's checkpoints (.ckpt): a protocol buffer of values 1, each a name 1 and a tensor 2.

A tensor has sizes 1, a dtype by name 2 and raw numbers 3. A scalar's sizes are one 0, or none.
"""

from __future__ import annotations

from functools import partial

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.protobuf import fields, message, text, varint, varints
from vanishgrad.weights.formats.raw import WIDTHS, decoded, mapped
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

VALUE = 0x0A
"""The tag of a first field of bytes: of a value in the file, and of a name in a value."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with a value that begins with a printable name and then has a tensor."""
    view = memoryview(head)
    try:
        _, place = varint(view, 1)
        length, start = varint(view, place + 1)
    except ValueError:
        return False
    name, behind = head[start : start + length], head[start + length : start + length + 1]
    return head[0] == VALUE and head[place : place + 1] == bytes([VALUE]) and name.isascii() and behind == b"\x12"


def tensors(path: str) -> TensorFile:
    """Return the parameters by name, none of them read.

    Raises
    ------
    VanishgradError
        If the file is damaged or cut short.
    """
    content = mapped(path)
    try:
        values = [dict(fields(message(value))) for number, value in fields(content) if number == 1]
        parameters = {text(value[1]): message(value[2]) for value in values if 2 in value}
        return TensorFile(path, "mindspore", {name: _tensor(path, name, data) for name, data in parameters.items()})
    except (ValueError, KeyError):
        raise VanishgradError(
            f"expected a whole MindSpore checkpoint, got {path} damaged or cut short; "
            "try mindspore.save_checkpoint again"
        ) from None


def _tensor(path: str, name: str, data: memoryview) -> Tensor:
    shape: list[int] = []
    dtype, raw = "", memoryview(b"")
    for number, value in fields(data):
        if number == 1:
            shape.extend(varints(value))
        elif number == 2:
            dtype = text(value).lower()
        elif number == 3:
            raw = message(value)
    if dtype not in WIDTHS:
        return Tensor(name, (), shown(dtype, 20) or "unknown", partial(_refuse, path, name, dtype))
    if shape == [0]:
        shape = []
    if elements(path, name, shape, len(raw) // WIDTHS[dtype]) * WIDTHS[dtype] != len(raw):
        raise ValueError("another number of bytes")
    return Tensor(name, tuple(shape), dtype, partial(decoded, raw, dtype, tuple(shape)))


def _refuse(path: str, name: str, dtype: str) -> Array:
    raise VanishgradError(
        f"expected real numbers, got {shown(dtype)} for {shown(name)} in {path}; try saving in float32"
    )
