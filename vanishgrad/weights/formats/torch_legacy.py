"""PyTorch's files from before the zip format: five pickles in a row, then each storage behind its length."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.pickle_tree import Global, Pairs, Persistent, tree
from vanishgrad.weights.formats.pickled_calls import unusual
from vanishgrad.weights.formats.raw import WIDTHS, cut_short, stretch
from vanishgrad.weights.formats.torch_tensors import STORAGES, Storage, named_tensors, told
from vanishgrad.weights.tensors import TensorFile, shown

MAGIC = 0x1950A86A20F9469CFC6C
LONG = MAGIC.to_bytes(10, "little")


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with PyTorch's magic number as a pickle of any protocol."""
    return LONG in head[:32] or head.startswith(f"L{MAGIC}L".encode())


@dataclass(frozen=True)
class _Stretch:
    path: str
    start: int
    size: int

    def read(self, start: int, count: int) -> bytes:
        return stretch(self.path, self.start + start, count, "a storage")


def tensors(path: str) -> TensorFile:
    """Return the tensors of a checkpoint by dotted path; storages are read when a tensor is."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream:
        pickles = [tree(stream, path) for _ in range(5)]
        place = stream.tell()
    magic, _, system, root, keys = (each.root for each in pickles)
    if magic != MAGIC or not isinstance(keys, list):
        raise VanishgradError(f"expected a PyTorch file, got another pickle in {path}; try saving it with torch.save")
    storages = _storages(path, place, keys, _widths(root))

    def storage(key: str) -> Storage:
        if key not in storages:
            raise VanishgradError(
                f"expected storage {shown(key)} in {path}, got none; the file is cut short, try copying it again"
            )
        return storages[key]

    by_path = named_tensors(root, path, storage, _is_big_endian(system))
    return TensorFile(
        path,
        "pytorch-legacy",
        by_path,
        {"pytorch": told(root)},
        unusual(name for each in pickles for name in each.calls),
    )


def _storages(path: str, place: int, keys: list[Any], widths: dict[str, int]) -> dict[str, _Stretch]:
    storages = {}
    for key in keys:
        if not isinstance(key, str) or key not in widths:
            raise cut_short(path, "the list of storages")
        (count,) = struct.unpack("<q", stretch(path, place, 8, f"storage {shown(key)}"))
        if count < 0:
            raise cut_short(path, f"storage {shown(key)}")
        storages[key] = _Stretch(path, place + 8, count * widths[key])
        place += 8 + count * widths[key]
    if storages:
        stretch(path, place - 1, 1, "the last storage")
    return storages


def _widths(root: Any) -> dict[str, int]:
    """Return the bytes per element of each storage, which only the pickle tells."""
    widths: dict[str, int] = {}
    for node in _persistent(root):
        match node.identification:
            case ("storage", Global(name=kind), str(key), *_):
                widths[key] = WIDTHS.get(STORAGES.get(kind.rpartition(".")[2], ""), 1)
    return widths


def _persistent(root: Any) -> list[Persistent]:
    references, visited, waiting = [], set(), [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Persistent):
            references.append(node)
        if id(node) in visited or not isinstance(node, (Pairs, list, tuple)):
            continue
        visited.add(id(node))
        waiting.extend(node if isinstance(node, (list, tuple)) else _inside(node))
    return references


def _inside(node: Pairs) -> list[Any]:
    values = [value for _, value in node.pairs]
    return values + [getattr(node, name, None) for name in ("arguments", "state", "items")]


def _is_big_endian(system: Any) -> bool:
    pairs = system.pairs if isinstance(system, Pairs) else []
    return any(key == "little_endian" and value is False for key, value in pairs)
