"""The tensors in a PyTorch pickle: names from the nesting, numbers from storages that are views until read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.pickle_tree import Call, Global, Pairs, Persistent
from vanishgrad.weights.formats.pickled_array import array, is_array
from vanishgrad.weights.formats.raw import WIDTHS, decoded
from vanishgrad.weights.tensors import Tensor, shown

STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "UntypedStorage": "uint8",
    "QInt8Storage": "qint8", "QUInt8Storage": "quint8", "QInt32Storage": "qint32",
    "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128",
}  # fmt: skip
TRANSPARENT = ("_parameters", "_modules", "_buffers")
"""Attributes of a pickled module that are no part of a parameter's name."""
TOLD = ("mode", "nonlinearity")
"""Attributes of a pickled module that say what its parameters do not."""
ORDERED = Global("collections.OrderedDict")
MAX_DEPTH = 64
"""Levels of containers; modules are nested some ten deep."""


class Storage(Protocol):
    """Bytes of which a stretch can be read."""

    @property
    def size(self) -> int: ...
    def read(self, start: int, count: int) -> bytes: ...


Storages = Callable[[str], Storage]


@dataclass(frozen=True)
class View:
    """A tensor as PyTorch stores it: a window on a storage."""

    key: str
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def extent(self) -> int:
        """The number of elements of the storage from the first to the last that the window touches."""
        if 0 in self.shape:
            return 0
        return 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))


def named_tensors(root: Any, path: str, storages: Storages, big_endian: bool = False) -> dict[str, Tensor]:
    """Return every tensor that can be reached in a pickle, by its dotted path; none is read.

    Raises
    ------
    VanishgradError
        If a tensor lies outside its storage.
    """
    by_path: dict[str, Tensor] = {}
    for name, node in leaves(root):
        if name not in by_path and (kind := _rebuilder(node)):
            by_path[name] = _tensor(name, kind, node.arguments, path, storages, big_endian)
        elif name not in by_path and is_array(node):
            by_path[name] = array(name, node, path)
    return by_path


def told(root: Any) -> dict[str, str]:
    """Return what pickled modules say beside tensors: ``rnn.mode`` → ``RNN_RELU``."""
    return {name: node for name, node in leaves(root) if isinstance(node, str) and name.rpartition(".")[2] in TOLD}


def leaves(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, node) of tensors and scalars, each container entered once, in the file's order."""
    visited: set[int] = set()
    waiting: list[tuple[str, int, Any]] = [("", 0, root)]
    while waiting:
        name, depth, node = waiting.pop()
        if not isinstance(node, (Pairs, list, tuple)) or _rebuilder(node) or is_array(node):
            yield name, node
        elif id(node) not in visited and depth < MAX_DEPTH:
            visited.add(id(node))
            waiting.extend((_joined(name, key), depth + 1, value) for key, value in reversed(_children(node)))


def _children(node: Any) -> list[tuple[Any, Any]]:
    if isinstance(node, (list, tuple)):
        return list(enumerate(node))
    if isinstance(node, Call):
        if node.function == ORDERED and not node.pairs:
            return _pairs_given(node.arguments)
        return [*node.pairs, ("", node.state), ("", node.arguments), *enumerate(node.items)]
    return list(node.pairs)


def _pairs_given(arguments: Any) -> list[tuple[Any, Any]]:
    """Return the pairs that an OrderedDict is called with, which is how Python 2 pickled it."""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else []
    pairs = first if isinstance(first, list) else []
    return [(each[0], each[1]) for each in pairs if isinstance(each, (list, tuple)) and len(each) == 2]


def _joined(name: str, key: Any) -> str:
    text = str(key) if isinstance(key, int) else key if isinstance(key, str) else "?"
    if text in TRANSPARENT or not text:
        return name
    return f"{name}.{text}" if name else text


def _rebuilder(node: Any) -> str | None:
    name = node.function.name if isinstance(node, Call) and isinstance(node.function, Global) else ""
    return name.rpartition(".")[2] if name.startswith("torch.") and "._rebuild" in name else None


def _tensor(name: str, kind: str, arguments: Any, path: str, storages: Storages, big_endian: bool) -> Tensor:
    try:
        view = _view(kind, arguments)
    except (TypeError, ValueError, IndexError, AttributeError):
        raise VanishgradError(
            f"expected a tensor's storage, offset, size and stride for {shown(name)} in {path}, got something else; "
            "try saving model.state_dict() again with torch.save"
        ) from None
    if isinstance(view, str):
        return Tensor(name, (), view, lambda: _refuse(name, path, view))
    return windowed(name, view, path, storages(view.key), big_endian)


def _view(kind: str, arguments: Any) -> View | str:
    """Return the window that a rebuilding call describes, or the word for what cannot be read."""
    for _ in range(MAX_DEPTH):
        if kind in ("_rebuild_parameter", "_rebuild_parameter_with_state"):
            inner = arguments[0]
        elif kind == "_rebuild_from_type_v2":
            inner = Call(function=arguments[0], arguments=arguments[2])
        else:
            break
        kind, arguments = _rebuilder(inner) or "", inner.arguments
    if kind not in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"):
        return "quantized" if kind == "_rebuild_qtensor" else kind.removeprefix("_rebuild_") or "unknown"
    storage, offset, shape, strides = arguments[:4]
    key, dtype = _storage(storage)
    if kind == "_rebuild_tensor_v3":
        dtype = arguments[6].name.removeprefix("torch.")
    return View(key, dtype, _whole(offset), tuple(map(_whole, shape)), tuple(map(_whole, strides)))


def _storage(node: Any) -> tuple[str, str]:
    if not isinstance(node, Persistent):
        raise TypeError
    word, kind, key = node.identification[:3]
    if word != "storage" or not isinstance(key, str):
        raise TypeError
    return key, STORAGES.get(kind.name.rpartition(".")[2], kind.name.rpartition(".")[2])


def _whole(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def windowed(name: str, view: View, path: str, storage: Storage, big_endian: bool) -> Tensor:
    """Return the tensor that a window on a storage is.

    Raises
    ------
    VanishgradError
        If the window reaches outside.
    """
    if view.dtype not in WIDTHS:
        return Tensor(name, view.shape, view.dtype, lambda: _refuse(name, path, view.dtype))
    width = WIDTHS[view.dtype]
    room = storage.size // width
    elements(path, name, view.shape, room)
    if len(view.shape) != len(view.strides) or view.offset + view.extent > room:
        raise VanishgradError(
            f"expected tensor {shown(name)} of {path} inside its storage of {room} elements, got one that "
            "reaches outside; the file is damaged or cut short, try copying it again"
        )

    def read() -> Array:
        flat = decoded(storage.read(view.offset * width, view.extent * width), view.dtype, (view.extent,), big_endian)
        if 0 in view.shape:
            return np.empty(view.shape, flat.dtype)
        steps = [stride * flat.itemsize for stride in view.strides]
        return np.lib.stride_tricks.as_strided(flat, view.shape, steps, writeable=False)

    return Tensor(name, view.shape, view.dtype, read)


def _refuse(name: str, path: str, dtype: str) -> Array:
    raise VanishgradError(
        f"expected dense float64, float32, float16 or bfloat16 numbers, got {shown(dtype)} for {shown(name)} "
        f"in {path}; try saving the model before it was quantised or made sparse"
    )
