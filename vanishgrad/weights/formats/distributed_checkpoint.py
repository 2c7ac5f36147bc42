"""PyTorch's distributed checkpoints (torch.distributed.checkpoint): a folder of .distcp files and a .metadata.

.metadata is a pickle, read as data, that tells for each chunk of each tensor in which stretch of which file it lies;
each stretch is a zip archive of `torch.save`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.beside import beside
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.pickle_tree import Call, Global, tree
from vanishgrad.weights.formats.raw import WIDTHS
from vanishgrad.weights.formats.torch_zip import inside
from vanishgrad.weights.formats.zip_members import members
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text, shown

MODULE = b"torch.distributed.checkpoint.metadata"


@dataclass(frozen=True)
class Chunk:
    """A part of a tensor: where it begins in the tensor, its sizes, and its stretch of a file."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    file: str
    start: int
    length: int


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether a pickle begins with the class of a distributed checkpoint's metadata."""
    return head[:1] == b"\x80" and MODULE in head[:200]


def tensors(path: str) -> TensorFile:
    """Return the tensors of a distributed checkpoint; nothing but .metadata and the pieces' pickles is read.

    Raises
    ------
    VanishgradError
        If .metadata is damaged, or names a file outside its folder or a chunk that is not there.
    """
    with open(path, "rb") as stream:
        pickled = tree(stream, path)
    root = pickled.root
    try:
        stored = dict(_stored(_field(root, "storage_data")))
        calls = {*pickled.calls, *_calls(path, stored.values())}
        by_name = {
            name: _tensor(path, name, about, stored)
            for name, about in _field(root, "state_dict_metadata").pairs
            if isinstance(name, str) and _is_tensor(about)
        }
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        raise VanishgradError(
            f"expected size, dtype and place of every chunk in {path}, got something else; "
            "try torch.distributed.checkpoint.format_utils.dcp_to_torch_save"
        ) from None
    return TensorFile(path, "distributed-checkpoint", by_name, calls=tuple(sorted(calls)))


def _calls(path: str, places: Iterable[Any]) -> Iterator[str]:
    """Yield what the pickles of all pieces ask to call; one that cannot be read is refused where it is needed."""
    for place in places:
        name, start, length = (_field(place, each) for each in ("relative_path", "offset", "length"))
        with suppress(VanishgradError):
            file = beside(path, name, "a piece")
            yield from inside(file, members(file, start, length))[1].calls


def _field(node: Any, name: str) -> Any:
    """Return an attribute of a pickled dataclass, None if it has none of this name."""
    return next((value for key, value in node.state.pairs if key == name), None)


def _is_tensor(about: Any) -> bool:
    return isinstance(about, Call) and about.function == Global(f"{MODULE.decode()}.TensorStorageMetadata")


def _stored(storage: Any) -> Iterator[tuple[tuple[str, tuple[int, ...] | None], Any]]:
    """Yield (name, offsets) → the place of a chunk."""
    for index, place in storage.pairs:
        fields = dict(index.state.pairs)
        offset = fields.get("offset")
        yield (fields["fqn"], None if offset is None else _sizes(offset)), place


def _sizes(node: Any) -> tuple[int, ...]:
    """Return the numbers of a torch.Size."""
    (sizes,) = node.arguments
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError
    return tuple(sizes)


def _tensor(path: str, name: str, about: Any, stored: dict[Any, Any]) -> Tensor:
    shape = _sizes(_field(about, "size"))
    dtype = _field(about, "properties").state[0].name.removeprefix("torch.")
    chunks = [_chunk(path, name, chunk, stored) for chunk in _field(about, "chunks")]
    room = sum(chunk.length for chunk in chunks) // WIDTHS.get(dtype, 1)
    count = elements(path, name, shape, room)
    if sum(elements(path, name, chunk.sizes, room) for chunk in chunks) != count or not all(
        len(chunk.sizes) == len(shape)
        and all(start + size <= whole for start, size, whole in zip(chunk.offsets, chunk.sizes, shape, strict=True))
        for chunk in chunks
    ):
        raise VanishgradError(
            f"expected chunks that make up {shown(name)} in {path}, got others; try copying the whole folder again"
        )
    return Tensor(name, shape, dtype, lambda: _read(name, shape, dtype, chunks))


def _chunk(path: str, name: str, node: Any, stored: dict[Any, Any]) -> Chunk:
    offsets, sizes = _sizes(_field(node, "offsets")), _sizes(_field(node, "sizes"))
    place = stored.get((name, offsets)) or stored[name, None]
    file = beside(path, _field(place, "relative_path"), f"a chunk of {shown(name)}")
    start, length = _field(place, "offset"), _field(place, "length")
    is_place = type(start) is int and type(length) is int and min(start, length) >= 0
    if not is_place or start + length > os.path.getsize(file):
        raise VanishgradError(
            f"expected {shown(name)} inside {file}, got a stretch that reaches outside; "
            "the file is cut short, try copying it again"
        )
    return Chunk(offsets, sizes, file, start, length)


def _read(name: str, shape: tuple[int, ...], dtype: str, chunks: list[Chunk]) -> Array:
    """Return the tensor put together; what no chunk covers is NaN, which no weight may be."""
    whole: Array | None = None
    for chunk in chunks:
        stored, _ = inside(chunk.file, members(chunk.file, chunk.start, chunk.length))
        part = next(iter(stored.values())) if len(stored) == 1 else None
        if part is None or part.shape != chunk.sizes or part.dtype != dtype:
            raise VanishgradError(
                f"expected one tensor of {shape_text(chunk.sizes)} for {shown(name)} in {chunk.file}, got "
                f"{', '.join(map(str, stored.values())) or 'none'}; try copying the whole folder again"
            )
        values = part.read()
        if whole is None:
            whole = np.full(shape, np.nan if values.dtype.kind == "f" else 0, values.dtype)
        whole[tuple(slice(start, start + size) for start, size in zip(chunk.offsets, chunk.sizes, strict=True))] = (
            values
        )
    return np.empty(shape) if whole is None else whole
