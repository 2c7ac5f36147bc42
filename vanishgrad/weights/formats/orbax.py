"""Orbax checkpoints of Flax and JAX: a folder with one OCDBT database, read with tensorstore, nothing of it executed.

Each array is a Zarr array whose name is its path in the tree, joined by dots; `NAME/.zarray` (version 2) or
`NAME/zarr.json` (version 3) tells shape and dtype.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.json_text import json_object
from vanishgrad.weights.formats.limits import EXPANSION, FREE_BYTES, elements
from vanishgrad.weights.formats.raw import WIDTHS
from vanishgrad.weights.tensors import Tensor, TensorFile, shown, widened_bfloat16

T = TypeVar("T")
MAGIC = b"\x0c\xdb\x3a\x2a"
DRIVERS = {"/.zarray": "zarr", "/zarr.json": "zarr3"}
"""What ends the key of an array's description → the driver that reads it."""
LETTERS = {"f": "float", "i": "int", "u": "uint", "b": "bool"}


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with the magic number of an OCDBT manifest."""
    return head.startswith(MAGIC)


def tensors(path: str) -> TensorFile:
    """Return the arrays of a checkpoint by name, none of them read; needs tensorstore.

    Raises
    ------
    VanishgradError
        If tensorstore is not installed, or the folder is damaged or holds links.
    """
    folder = os.path.dirname(os.path.abspath(path))
    room = max(FREE_BYTES, EXPANSION * _folder_size(path, folder))
    database = {"driver": "ocdbt", "base": f"file://{folder}/"}
    by_name: dict[str, Tensor] = {}
    for key, about in _descriptions(path, database):
        ending = next(each for each in DRIVERS if key.endswith(each))
        name = key.removesuffix(ending)
        store = {"driver": DRIVERS[ending], "kvstore": {**database, "path": f"{name}/"}}
        by_name[name] = _tensor(path, name, store, json_object(about, f"the array {shown(name)} of {path}"), room)
    return TensorFile(path, "orbax", by_name)


def _folder_size(path: str, folder: str) -> int:
    """Return the bytes of all files of a folder, none of which may be a link."""
    size = 0
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if os.path.islink(os.path.join(where, name)):
                raise VanishgradError(
                    f"expected plain files beside {path}, got the link {shown(name)}; "
                    "try a copy of the checkpoint in its own folder"
                )
        size += sum(os.path.getsize(os.path.join(where, name)) for name in files)
    return size


def _descriptions(path: str, database: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Return the key and the text of each array's description."""
    tensorstore = _library(path)

    def read() -> list[tuple[str, bytes]]:
        store = tensorstore.KvStore.open(database).result()
        keys = [key for key in store.list().result() if key.endswith(tuple(each.encode() for each in DRIVERS))]
        return [(key.decode("utf-8", "replace"), store.read(key).result().value) for key in keys]

    return _asked(path, read)


def _tensor(path: str, name: str, store: Mapping[str, Any], about: Mapping[str, Any], room: int) -> Tensor:
    shape, chunks, dtype = about.get("shape"), _chunks(about), _dtype(about.get("dtype", about.get("data_type")))
    if not isinstance(shape, list) or not isinstance(chunks, list):
        raise VanishgradError(
            f"expected shape and chunks of {shown(name)} in {path}, got something else; try saving the checkpoint again"
        )
    for sizes in (shape, chunks):
        elements(path, name, sizes, room // WIDTHS.get(dtype, 1))
    return Tensor(name, tuple(shape), dtype, partial(_read, path, store, dtype, tuple(shape)))


def _chunks(about: Mapping[str, Any]) -> Any:
    """Return the sizes of a chunk, which versions 2 and 3 of Zarr have at different places."""
    grid = about.get("chunk_grid")
    sizes = grid.get("configuration") if isinstance(grid, dict) else about
    return sizes.get("chunk_shape", sizes.get("chunks")) if isinstance(sizes, Mapping) else None


def _dtype(code: object) -> str:
    """Return a dtype's name, from Zarr 2's "<f4" or Zarr 3's "float32"."""
    text = code if isinstance(code, str) else "unknown"
    kind = LETTERS.get(text[1:2]) if text[:1] in "<>|" and text else None
    name = f"{kind}{8 * int(text[2:])}" if kind and text[2:].isascii() and text[2:].isdigit() else text
    return {"bool8": "bool"}.get(name, shown(name, 20))


def _read(path: str, store: Mapping[str, Any], dtype: str, shape: tuple[int, ...]) -> Array:
    """Return the numbers; a chunk that is not there is an error and no zeros."""
    tensorstore = _library(path)

    def read() -> Array:
        array = tensorstore.open({**store, "fill_missing_data_reads": False}, read=True, open=True).result()
        values: Array = np.asarray(array.read().result())
        return values

    if dtype not in WIDTHS:
        raise VanishgradError(f"expected real numbers, got {dtype} in {path}; try saving the checkpoint in float32")
    values = _asked(path, read)
    values = widened_bfloat16(values.view(np.uint16)) if dtype == "bfloat16" else values
    return values.reshape(shape)


def _library(path: str) -> Any:
    try:
        import tensorstore
    except ImportError:
        raise VanishgradError(
            f"expected tensorstore to read the Orbax checkpoint {path}, got no such package; "
            "try pip install 'vanishgrad[orbax]'"
        ) from None
    return tensorstore


def _asked(path: str, question: Callable[[], T]) -> T:
    """Return what tensorstore answers; what it raises becomes one sentence."""
    try:
        return question()
    except (ValueError, KeyError, OSError, RuntimeError, TypeError, NotImplementedError) as error:
        reason = shown(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise VanishgradError(
            f"expected a whole Orbax checkpoint at {path}, which fails with: {reason}; try copying the folder again"
        ) from None
