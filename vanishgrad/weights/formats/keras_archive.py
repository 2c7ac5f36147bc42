"""Keras 3's .keras: a zip archive of config.json, metadata.json and model.weights.h5. Nothing of it is executed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from vanishgrad.weights.formats.hdf5 import inside, opened
from vanishgrad.weights.formats.json_text import json_object
from vanishgrad.weights.formats.zip_members import Member, members
from vanishgrad.weights.tensors import TensorFile

if TYPE_CHECKING:
    import h5py

WEIGHTS = "model.weights.h5"
CONFIGURATION = "config.json"
METADATA = "metadata.json"


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether a zip archive holds a Keras model's weights."""
    return head.startswith(b"PK") and WEIGHTS in names


def tensors(path: str) -> TensorFile:
    """Return the datasets of the weights by path, none of them read, and the configuration."""
    archive = members(path)
    weights = archive[WEIGHTS]
    by_path, _ = inside(path, weights.size, partial(_opened, path, weights))
    configuration = {
        "keras": _json(archive, CONFIGURATION),
        "keras_version": _json(archive, METADATA).get("keras_version"),
    }
    return TensorFile(path, "keras", by_path, {key: value for key, value in configuration.items() if value})


@contextmanager
def _opened(path: str, member: Member) -> Iterator[h5py.File]:
    with member.opened() as stream, opened(path, stream) as file:
        yield file


def _json(archive: dict[str, Member], name: str) -> dict[str, Any]:
    if name not in archive:
        return {}
    return json_object(archive[name].read(), archive[name].described, "try saving the model again")
