"""Keras weights in shards: NAME.weights.json maps each group of weights to the .weights.h5 files that hold it."""

from __future__ import annotations

from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats import read_as
from vanishgrad.weights.formats.beside import beside
from vanishgrad.weights.formats.json_text import json_file
from vanishgrad.weights.tensors import Tensor, TensorFile


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether JSON begins with a map from groups to HDF5 files."""
    return head.lstrip().startswith(b"{") and b'"weight_map"' in head and b".weights.h5" in head


def tensors(path: str) -> TensorFile:
    """Return the datasets of all shards by path, none of them read.

    Raises
    ------
    VanishgradError
        If the map names a file outside its folder.
    """
    by_path: dict[str, Tensor] = {}
    for name in _shards(path, json_file(path).get("weight_map")):
        by_path |= read_as(("hdf5",), beside(path, name, "a shard")).tensors
    return TensorFile(path, "keras-shards", by_path)


def _shards(path: str, entries: Any) -> list[str]:
    """Return the names of the shards, each once; a group that is split over several has a list of them."""
    groups = entries.values() if isinstance(entries, dict) else []
    lists = [each if isinstance(each, list) else [each] for each in groups]
    names = [name for each in lists for name in each]
    if not names or not all(isinstance(name, str) for name in names):
        raise VanishgradError(
            f"expected weight_map in {path} to name the shards of each group, got something else; "
            "try saving the weights again"
        )
    return list(dict.fromkeys(names))
