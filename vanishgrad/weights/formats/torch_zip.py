"""PyTorch's zip files (.pt, .pth, .ckpt): a pickle beside one member for each storage. TorchScript archives too."""

from __future__ import annotations

import io

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.pickle_tree import tree
from vanishgrad.weights.formats.torch_tensors import Storage, named_tensors, told
from vanishgrad.weights.formats.zip_members import members
from vanishgrad.weights.tensors import TensorFile, shown


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether a zip archive holds a data.pkl."""
    return head.startswith(b"PK") and any(_is_pickle(name) for name in names)


def _is_pickle(name: str) -> bool:
    return name == "data.pkl" or name.endswith("/data.pkl")


def tensors(path: str) -> TensorFile:
    """Return the tensors of a checkpoint by dotted path; storages are read when a tensor is."""
    inside = members(path)
    pickle = min(filter(_is_pickle, inside), key=len)
    top = pickle.removesuffix("data.pkl")
    byteorder = inside[f"{top}byteorder"].read(0, 3) if f"{top}byteorder" in inside else b"lit"

    def storage(key: str) -> Storage:
        if f"{top}data/{key}" not in inside:
            raise VanishgradError(
                f"expected storage {shown(key)} in {path}, got none; the file is cut short, try copying it again"
            )
        return inside[f"{top}data/{key}"]

    root = tree(io.BytesIO(inside[pickle].read()), path)
    found = named_tensors(root, path, storage, big_endian=byteorder == b"big")
    return TensorFile(path, "pytorch", found, {"pytorch": told(root)})
