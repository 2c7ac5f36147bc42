"""HDF5 as Keras writes it: .weights.h5 and the older .h5 and .hdf5. Needs h5py."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import elements, require_plausible_expansion
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
PLACES = (0, 512, 1024, 2048)
"""Where the signature may stand; what is before it is a user block."""
MAX_OBJECTS = 100_000
MAX_DEPTH = 64
"""Objects of a file, and levels of groups; a model of a thousand layers has some 10⁴, ten deep."""

Opened = Callable[[], AbstractContextManager["h5py.File"]]


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the HDF5 signature stands where it may."""
    return any(head[place : place + 8] == SIGNATURE for place in PLACES)


def tensors(path: str) -> TensorFile:
    """Return the datasets by path, none of them read, and Keras's configuration where it is."""
    by_path, configuration = inside(path, os.path.getsize(path), partial(opened, path, path))
    return TensorFile(path, "hdf5", by_path, configuration)


def inside(path: str, room: int, source: Opened) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the datasets of an HDF5 file of `room` bytes by path, and what its root says of Keras.

    Raises
    ------
    VanishgradError
        If it is damaged, links to anything outside itself, or declares more than it has room for.
    """
    with source() as file:
        by_path = {name: _tensor(path, name, dataset, room, source) for name, dataset in _datasets(path, file)}
        attributes = {key: _attribute(file, key, room) for key in ("model_config", "keras_version")}
    configuration = {"keras": _json(path, attributes["model_config"]), "keras_version": attributes["keras_version"]}
    return by_path, {key: value for key, value in configuration.items() if value is not None}


@contextmanager
def opened(path: str, file: str | IO[bytes]) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; whatever its library raises becomes one sentence."""
    try:
        import h5py
    except ImportError:
        raise VanishgradError(
            f"expected h5py to read {path}, got no such package; try pip install 'vanishgrad[keras]'"
        ) from None
    try:
        with h5py.File(file, "r") as handle:
            yield handle
    except VanishgradError:
        raise
    except Exception as error:  # the library's own exceptions follow no common base
        reason = shown(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise VanishgradError(
            f"expected a whole HDF5 file, got {path}, which fails with: {reason}; try copying the file again"
        ) from None


def _datasets(path: str, file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield every dataset once, in order, following hard links only."""
    import h5py

    visited: set[int] = set()
    waiting: list[tuple[str, int, Any]] = [("", 0, file["/"])]
    while waiting:
        name, depth, node = waiting.pop()
        if isinstance(node, h5py.Dataset):
            yield name, node
        elif isinstance(node, h5py.Group) and (place := h5py.h5o.get_info(node.id).addr) not in visited:
            visited.add(place)
            _require_bounded(path, len(visited) + len(waiting), depth)
            waiting.extend(
                (f"{name}/{key}".lstrip("/"), depth + 1, _child(path, node, key)) for key in reversed(list(node))
            )


def _require_bounded(path: str, objects: int, depth: int) -> None:
    if objects > MAX_OBJECTS or depth > MAX_DEPTH:
        raise VanishgradError(
            f"expected at most {MAX_OBJECTS} groups, {MAX_DEPTH} deep, got more in {path}; try saving the weights alone"
        )


def _child(path: str, group: h5py.Group, key: str) -> Any:
    import h5py

    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        raise VanishgradError(
            f"expected every tensor inside {path}, got {shown(key)} as a link to somewhere else; "
            "try a file that holds the weights itself"
        )
    return group[key]


def _tensor(path: str, name: str, dataset: h5py.Dataset, room: int, source: Opened) -> Tensor:
    if dataset.external or dataset.is_virtual:
        raise VanishgradError(
            f"expected every tensor inside {path}, got {shown(name)} stored in another file; "
            "try a file that holds the weights itself"
        )
    dtype, shape = dataset.dtype, dataset.shape
    if dtype.kind not in "biufc" or shape is None:
        return Tensor(name, shape or (), "object", partial(_refuse, path, name))
    _require_room(path, name, dataset, room)

    def read() -> Array:
        with source() as file:
            values: Array = np.asarray(file[name][()])
        return values.astype(dtype.newbyteorder("="), copy=False)

    return Tensor(name, tuple(shape), dtype.newbyteorder("=").name, read)


def _require_room(path: str, name: str, dataset: h5py.Dataset, room: int) -> None:
    """Refuse a dataset, or a chunk of one, that is larger than what the file stores for it."""
    stored, width = int(dataset.id.get_storage_size()), dataset.dtype.itemsize
    stored = min(stored, room)
    if dataset.chunks is None:
        elements(path, name, dataset.shape, stored // width)
        return
    for shape in (dataset.shape, dataset.chunks):
        count = elements(path, name, shape, 1 << 40)
        require_plausible_expansion(path, name, stored, count * width)


def _refuse(path: str, name: str) -> Array:
    raise VanishgradError(
        f"expected numbers, got something else for {shown(name)} in {path}; try saving the weights alone"
    )


def _attribute(file: h5py.File, key: str, room: int) -> str | None:
    if key not in file.attrs or file.attrs.get_id(key).get_storage_size() > room:
        return None
    value = file.attrs[key]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text if isinstance(text, str) else None


def _json(path: str, text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise VanishgradError(
            f"expected JSON in model_config of {path}, got something else; try saving only the weights"
        ) from None
