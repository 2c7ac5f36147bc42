"""A NumPy array in a pickle, read as data: shape, dtype and bytes out of the call that would rebuild it."""

from __future__ import annotations

from functools import partial
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.pickle_tree import Call, Global
from vanishgrad.weights.formats.raw import WIDTHS, decoded
from vanishgrad.weights.tensors import Tensor, shown

RECONSTRUCT = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
"""Protocols 0 to 4: an empty array is called for, then given (version, shape, dtype, is Fortran-ordered, bytes)."""
FROM_BUFFER = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")
"""Protocol 5: called with (bytes, dtype, shape, order)."""
JAX = ("jax._src.array._reconstruct_array", "jax.array._reconstruct_array")
"""An array of JAX: called with (NumPy's rebuilding function, its arguments, the state, what JAX adds)."""
LETTERS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def is_array(node: Any) -> bool:
    """Return whether a call would rebuild an array."""
    return _called(node) in (*RECONSTRUCT, *FROM_BUFFER, *JAX)


def array(name: str, node: Call, path: str) -> Tensor:
    """Return the array that a call would rebuild; nothing is called.

    Raises
    ------
    VanishgradError
        If what it is called with is no shape, dtype and bytes, or bytes and shape do not fit.
    """
    try:
        shape, described, order, data = _parts(node)
        dtype, big_endian = _dtype(described)
        raw = bytes(data) if isinstance(data, (bytes, bytearray)) else None
        if not isinstance(shape, tuple) or (raw is None and dtype in WIDTHS):
            raise TypeError
    except (TypeError, ValueError, IndexError, AttributeError):
        raise VanishgradError(
            f"expected shape, dtype and bytes of the array {shown(name)} in {path}, got something else; "
            "try numpy.savez with one name for each weight"
        ) from None
    if dtype not in WIDTHS or raw is None:
        return Tensor(name, (), dtype, partial(_refuse, path, name, dtype))
    count = elements(path, name, shape, len(raw) // WIDTHS[dtype])
    if count * WIDTHS[dtype] != len(raw):
        raise VanishgradError(
            f"expected {count * WIDTHS[dtype]} bytes for {shown(name)} in {path}, got {len(raw)}; try copying it again"
        )

    return Tensor(name, shape, dtype, lambda: decoded(raw, dtype, (count,), big_endian).reshape(shape, order=order))


def _called(node: Any) -> str:
    return node.function.name if isinstance(node, Call) and isinstance(node.function, Global) else ""


def _parts(node: Call) -> tuple[Any, Any, Any, Any]:
    """Return shape, dtype, order and bytes."""
    if _called(node) in FROM_BUFFER:
        data, dtype, shape, order = node.arguments[:4]
        return shape, dtype, "F" if order == "F" else "C", data
    state = node.arguments[2] if _called(node) in JAX else node.state
    _, shape, dtype, fortran, data = state
    return shape, dtype, "F" if fortran is True else "C", _bytes(data)


def _bytes(data: Any) -> Any:
    """Return bytes as older protocols spell them: text in Latin-1, as it is or to be encoded by a call."""
    if _called(data) == "_codecs.encode":
        data = data.arguments[0]
    return data.encode("latin-1") if isinstance(data, str) else data


def _dtype(node: Any) -> tuple[str, bool]:
    """Return a dtype's name and whether it is big-endian, from the call numpy.dtype("f4") and its state."""
    code = node.arguments[0]
    if isinstance(code, Global):
        return code.name.rpartition(".")[2], False
    kind, width = LETTERS.get(code[:1]), code[1:]
    is_plain = kind is not None and width.isascii() and width.isdigit() and len(width) < 3
    name = f"{kind}{8 * int(width)}" if is_plain else "bool" if code == "b1" else "object"
    return name, isinstance(node.state, tuple) and node.state[1:2] == (">",)


def _refuse(path: str, name: str, dtype: str) -> Array:
    raise VanishgradError(
        f"expected an array of numbers, got {shown(dtype)} for {shown(name)} in {path}; try saving in float32"
    )
