"""Flax's msgpack files: a tree of maps whose leaves are arrays, each an extension of shape, dtype and bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.raw import WIDTHS, decoded, mapped
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

ARRAY = 1
"""Flax's extension code of an array."""
MAX_DEPTH = 64
"""Levels of maps; modules are nested some ten deep, and each level is a call."""
SIZED = {
    0xC4: ("bytes", "B"), 0xC5: ("bytes", "H"), 0xC6: ("bytes", "I"), 0xC7: ("extension", "B"),
    0xC8: ("extension", "H"), 0xC9: ("extension", "I"), 0xD9: ("text", "B"), 0xDA: ("text", "H"), 0xDB: ("text", "I"),
    0xDC: ("list", "H"), 0xDD: ("list", "I"), 0xDE: ("map", "H"), 0xDF: ("map", "I"),
}  # fmt: skip
"""First byte → what follows, and how its length is written."""
NUMBERS = {
    0xCA: "f", 0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q", 0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q",
}  # fmt: skip
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
FIXED_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


class Extension(tuple[int, memoryview]):
    """A code and the bytes that belong to it."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with a map whose first key is text."""
    first = {0xDE: 3, 0xDF: 5}.get(head[0], 1 if 0x81 <= head[0] <= 0x8F else 0)
    return bool(first) and len(head) > first and (0xA0 <= head[first] <= 0xBF or head[first] in (0xD9, 0xDA, 0xDB))


def tensors(path: str) -> TensorFile:
    """Return the arrays of the tree by path, none of them read."""
    content = mapped(path)
    try:
        tree = _Reader(content).value(0)
    except (ValueError, IndexError, struct.error):
        raise VanishgradError(
            f"expected a whole msgpack tree, got {path} damaged or cut short; try flax.serialization.to_bytes again"
        ) from None
    by_path: dict[str, Tensor] = {}
    _collect(path, tree, "", by_path)
    return TensorFile(path, "msgpack", by_path)


class _Reader:
    """A place in msgpack bytes; nothing is copied but text."""

    def __init__(self, content: memoryview) -> None:
        self._content, self._place = content, 0

    def value(self, depth: int) -> Any:
        """Return the value at the place, which moves behind it."""
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")
        first = self._number("B")
        if first < 0x80 or first >= 0xE0:
            return first if first < 0x80 else first - 256
        if first in CONSTANTS:
            return CONSTANTS[first]
        if first in NUMBERS:
            return self._number(NUMBERS[first])
        if first in FIXED_EXTENSIONS:
            return self._extension(FIXED_EXTENSIONS[first], depth)
        return self._sized(first, depth)

    def _sized(self, first: int, depth: int) -> Any:
        if first < 0x90:
            kind, size = "map", first & 0x0F
        elif first < 0xA0:
            kind, size = "list", first & 0x0F
        elif first < 0xC0:
            kind, size = "text", first & 0x1F
        elif first in SIZED:
            kind, size = SIZED[first][0], self._number(SIZED[first][1])
        else:
            raise ValueError("a byte that begins nothing")
        readers: dict[str, Callable[[int, int], Any]] = {
            "map": self._map,
            "list": self._list,
            "text": self._text,
            "bytes": self._bytes,
            "extension": self._extension,
        }
        return readers[kind](size, depth)

    def _number(self, code: str) -> Any:
        return struct.unpack(">" + code, self._bytes(struct.calcsize(code), 0))[0]

    def _bytes(self, size: int, depth: int) -> memoryview:
        piece = self._content[self._place : self._place + size]
        if len(piece) != size:
            raise ValueError("cut short")
        self._place += size
        return piece

    def _text(self, size: int, depth: int) -> str:
        return bytes(self._bytes(size, depth)).decode("utf-8", "replace")

    def _extension(self, size: int, depth: int) -> Extension:
        code = self._number("b")
        return Extension((code, self._bytes(size, depth)))

    def _list(self, size: int, depth: int) -> list[Any]:
        return [self.value(depth + 1) for _ in range(size)]

    def _map(self, size: int, depth: int) -> list[tuple[Any, Any]]:
        return [(self.value(depth + 1), self.value(depth + 1)) for _ in range(size)]


def _collect(path: str, node: Any, name: str, by_path: dict[str, Tensor]) -> None:
    if isinstance(node, Extension):
        if node[0] == ARRAY:
            by_path[name] = _tensor(path, name, node[1])
    elif isinstance(node, list):
        for place, item in enumerate(node):
            key, value = item if isinstance(item, tuple) and len(item) == 2 else (place, item)
            _collect(path, value, f"{name}/{_key(key)}".lstrip("/"), by_path)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(key) if isinstance(key, int) else "?"


def _tensor(path: str, name: str, data: memoryview) -> Tensor:
    try:
        shape, dtype, raw = _Reader(data).value(0)
        if not isinstance(shape, list) or not isinstance(dtype, str) or not isinstance(raw, memoryview):
            raise TypeError
    except (ValueError, TypeError, IndexError, struct.error):
        raise VanishgradError(
            f"expected shape, dtype and bytes for {shown(name)} in {path}, got something else; "
            "try flax.serialization.to_bytes again"
        ) from None
    if dtype not in WIDTHS:
        return Tensor(name, (), shown(dtype, 20), partial(_refuse, path, name, dtype))
    count = elements(path, name, shape, len(raw) // WIDTHS[dtype])
    if count * WIDTHS[dtype] != len(raw):
        raise VanishgradError(
            f"expected {count * WIDTHS[dtype]} bytes for {shown(name)} in {path}, got {len(raw)}; try copying it again"
        )
    return Tensor(name, tuple(shape), dtype, partial(decoded, raw, dtype, tuple(shape)))


def _refuse(path: str, name: str, dtype: str) -> Array:
    raise VanishgradError(
        f"expected real numbers, got {shown(dtype)} for {shown(name)} in {path}; try saving in float32"
    )
