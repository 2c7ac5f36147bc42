"""File formats: one module each, recognised by content. A new format is one file and one row of `FORMATS`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from typing import Protocol, cast

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.main_file import SHARD, main_file
from vanishgrad.weights.formats.strangers import stranger
from vanishgrad.weights.formats.zip_members import members
from vanishgrad.weights.tensors import TensorFile, shown

HEAD = 4096
"""Bytes from the start of a file by which it is recognised."""

FORMATS = {
    "pytorch-export": "torch_export",
    "pytorch": "torch_zip",
    "keras": "keras_archive",
    "captured": "captured",
    "npz": "npz",
    "pytorch-legacy": "torch_legacy",
    "hdf5": "hdf5",
    "safetensors": "safetensors",
    "safetensors-index": "safetensors_index",
    "keras-shards": "keras_shards",
    "msgpack": "msgpack_tree",
    "distributed-checkpoint": "distributed_checkpoint",
    "pickle": "numpy_pickle",
    "tensorflow": "tensorflow_bundle",
    "tensorflow-js": "tensorflow_js",
    "equinox": "equinox",
    "orbax": "orbax",
    "mxnet": "mxnet_params",
    "paddle": "paddle_inference",
    "mindspore": "mindspore",
    "tflite": "tflite",
    "openvino": "openvino",
    "onnx": "onnx_graph",
}
"""Name of a format → the module that reads it; the first that recognises a file's content is taken."""


class Format(Protocol):
    """What a format's module offers."""

    def recognises(self, head: bytes, names: frozenset[str], /) -> bool:
        """Return whether a file that begins with `head`, an archive of `names` if it is one, is of this format."""

    def tensors(self, path: str, /) -> TensorFile:
        """Return the file's tensors by name, none of them read."""


def open_tensors(path: str | os.PathLike[str]) -> TensorFile:
    """Return the tensors of a file of any known format, none of them read.

    Parameters
    ----------
    path : path
        A file, a folder that holds a checkpoint, or a checkpoint's name without its ending.

    Raises
    ------
    VanishgradError
        If the file is absent, of no known format, or damaged.
    """
    path = main_file(os.fspath(path))
    if SHARD.fullmatch(path) and os.path.isfile(path):
        from vanishgrad.weights.formats.safetensors_index import all_shards

        return all_shards(path)
    return read_as(FORMATS, path)


def read_as(formats: Iterable[str], path: str) -> TensorFile:
    """Return the tensors of one file that has one of some formats, none of them read.

    Raises
    ------
    VanishgradError
        If the file is absent, of none of them, or damaged.
    """
    head = _head(path)
    names = frozenset(members(path)) if head.startswith(b"PK\x03\x04") else frozenset()
    for name in formats:
        reader = cast(Format, import_module(f"{__name__}.{FORMATS[name]}"))
        if reader.recognises(head, names):
            return reader.tensors(path)
    raise _unknown(path, head, names)


def _head(path: str) -> bytes:
    if not os.path.isfile(path):
        kind = "a folder" if os.path.isdir(path) else "a pipe or a device" if os.path.exists(path) else "nothing"
        raise VanishgradError(f"expected a file of weights at {shown(path, 200)}, got {kind}; try the path of a file")
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise VanishgradError(f"expected to read {path}, got {error.strerror or error}; try another path") from None
    if not head:
        raise VanishgradError(f"expected weights in {path}, got an empty file; try copying it again")
    return head


def _unknown(path: str, head: bytes, names: frozenset[str]) -> VanishgradError:
    kind, remedy = stranger(head, len(names), "one of " + ", ".join(FORMATS))
    return VanishgradError(f"expected weights in {path}, got {kind}; try {remedy}")
