"""TensorFlow.js models: model.json with the configuration and a manifest of the weights, their numbers beside it."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.beside import beside
from vanishgrad.weights.formats.json_text import json_file
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.raw import WIDTHS, decoded, stretch
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

MANIFEST = b'"weightsManifest"'
TOPOLOGY = b'"modelTopology"'
KERAS_OF_JS = "tfjs"


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether JSON begins with a model's topology or with a manifest of weights."""
    return head.lstrip().startswith(b"{") and (MANIFEST in head or TOPOLOGY in head)


def tensors(path: str) -> TensorFile:
    """Return the weights by name, none of them read, and the model's configuration.

    Raises
    ------
    VanishgradError
        If the manifest is damaged, or names a file outside its folder.
    """
    model = json_file(path)
    by_name: dict[str, Tensor] = {}
    try:
        for group in model["weightsManifest"]:
            files = [beside(path, each, "weights") for each in group["paths"]]
            by_name |= _group(path, files, group["weights"])
    except (TypeError, KeyError, AttributeError, ValueError):
        raise VanishgradError(
            f"expected weightsManifest in {path} to tell name, shape and dtype of each weight, got something else; "
            "try model.save again"
        ) from None
    topology = model.get("modelTopology")
    config = topology.get("model_config", topology) if isinstance(topology, dict) else None
    return TensorFile(path, "tensorflow-js", by_name, {"keras": config, "keras_version": KERAS_OF_JS} if config else {})


def _group(path: str, files: list[str], weights: Any) -> dict[str, Tensor]:
    """Return the weights of one group, whose files are one sequence of bytes."""
    sizes, place, by_name = [os.path.getsize(weight) for weight in files], 0, {}
    for weight in weights:
        name, dtype = str(weight["name"]), str(weight["dtype"])
        if "quantization" in weight or dtype not in WIDTHS:
            raise VanishgradError(
                f"expected plain numbers for {shown(name)} in {path}, got quantised or {shown(dtype)}; "
                "try converting the model without quantisation"
            )
        shape = tuple(weight["shape"])
        count = WIDTHS[dtype] * elements(path, name, shape, (sum(sizes) - place) // WIDTHS[dtype])
        by_name[name] = Tensor(name, shape, dtype, partial(_read, files, sizes, (place, count), dtype, shape))
        place += count
    if place != sum(sizes):
        raise VanishgradError(
            f"expected {place} bytes of weights beside {path}, got {sum(sizes)}; try copying the whole folder again"
        )
    return by_name


def _read(files: list[str], sizes: list[int], place: tuple[int, int], dtype: str, shape: tuple[int, ...]) -> Array:
    (start, count), pieces = place, []
    for file, size in zip(files, sizes, strict=True):
        if count and start < size:
            pieces.append(stretch(file, start, min(count, size - start), "a weight"))
            count -= len(pieces[-1])
        start = max(0, start - size)
    return decoded(b"".join(pieces), dtype, shape)
