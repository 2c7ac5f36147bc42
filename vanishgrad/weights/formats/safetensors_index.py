"""Sharded checkpoints of Hugging Face: model.safetensors.index.json maps each tensor to the shard that holds it.

The older pytorch_model.bin.index.json is the same map over files of `torch.save`. Of each shard only the header is
read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats import read_as
from vanishgrad.weights.formats.beside import beside
from vanishgrad.weights.formats.json_text import json_file
from vanishgrad.weights.formats.main_file import SHARD
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

SHARDS = ("safetensors", "pytorch", "pytorch-legacy")
"""The formats that a shard may have; an index of indices is none of them."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether JSON begins with a map from tensors to files."""
    return head.lstrip().startswith(b"{") and b'"weight_map"' in head and b".weights.h5" not in head


def tensors(path: str) -> TensorFile:
    """Return the tensors of all shards; no number is read.

    Raises
    ------
    VanishgradError
        If the index names a file outside its folder, or a tensor that its shard does not hold.
    """
    shard_of = shard_map(path, json_file(path))
    shards = {name: read_as(SHARDS, beside(path, name, "a shard")) for name in sorted(set(shard_of.values()))}
    by_name = {name: tensor for shard in shards.values() for name, tensor in shard.tensors.items()}
    by_name |= {name: _listed(path, name, shard, shards[shard].tensors) for name, shard in shard_of.items()}
    return TensorFile(path, "safetensors-index", by_name)


def all_shards(path: str) -> TensorFile:
    """Return the tensors of a checkpoint without an index, of which `path` is a part; the others lie beside it.

    Raises
    ------
    VanishgradError
        If one of them is not there: a layer's tensors may be spread over several.
    """
    match = SHARD.fullmatch(path)
    assert match
    stem, _, count, ending = match.groups()
    by_name: dict[str, Tensor] = {}
    for place in range(1, int(count) + 1):
        part = f"{stem}-{place:05d}-of-{count}.{ending}"
        if not os.path.isfile(part):
            raise VanishgradError(
                f"expected all {int(count)} shards beside {shown(path, 200)}, got no "
                f"{shown(os.path.basename(part), 200)}; try {shown(stem, 200)}.{ending}.index.json or its folder, "
                "with every shard copied there"
            )
        by_name |= read_as(SHARDS, part).tensors
    return TensorFile(path, "safetensors-index", by_name)


def shard_map(path: str, index: Mapping[str, Any]) -> dict[str, str]:
    """Return name → shard, as an index has it.

    Raises
    ------
    VanishgradError
        If it is no map from names to names of files.
    """
    entries = index.get("weight_map")
    if not isinstance(entries, dict) or not all(isinstance(each, str) for each in entries.values()):
        raise VanishgradError(
            f"expected weight_map in {path} to name one shard for each tensor, got something else; "
            "try downloading the index again"
        )
    return entries


def _listed(path: str, name: str, shard: str, tensors: Mapping[str, Tensor]) -> Tensor:
    if name not in tensors:
        raise VanishgradError(
            f"expected {shown(name)} in the shard {shown(shard)}, as {path} says, got none; try downloading both again"
        )
    return tensors[name]
