"""PyTorch's zip files (.pt, .pth, .ckpt): a pickle beside one member for each storage. TorchScript archives too."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import IO

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import require_plausible_expansion
from vanishgrad.weights.formats.pickle_tree import Pickled, tree
from vanishgrad.weights.formats.torch_tensors import Storage, named_tensors, told
from vanishgrad.weights.formats.zip_members import Member, members, zip_of
from vanishgrad.weights.tensors import Tensor, TensorFile, shown


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether a zip archive holds a data.pkl."""
    return head.startswith(b"PK") and any(_is_pickle(name) for name in names)


def _is_pickle(name: str) -> bool:
    return name == "data.pkl" or name.endswith("/data.pkl")


def tensors(path: str) -> TensorFile:
    """Return the tensors of a checkpoint by dotted path; storages are read when a tensor is."""
    by_path, pickled = inside(path, members(path))
    return TensorFile(path, "pytorch", by_path, {"pytorch": told(pickled.root)}, pickled.calls)


def calls_of_saved(file: IO[bytes], described: str) -> tuple[str, ...]:
    """Return what an object of `torch.save` that is open as a file asks to call, or a bare pickle.

    Raises
    ------
    VanishgradError
        If it is neither, or damaged.
    """
    if not zipfile.is_zipfile(file):
        file.seek(0)
        return tree(file, described).calls
    with zip_of(file, described) as archive:
        infos = [info for info in archive.infolist() if _is_pickle(info.filename)]
        for info in infos:
            require_plausible_expansion(described, info.filename, info.compress_size, info.file_size)
        return tuple(name for info in infos for name in tree(io.BytesIO(archive.read(info)), described).calls)


def inside(path: str, archive: Mapping[str, Member]) -> tuple[dict[str, Tensor], Pickled]:
    """Return the tensors that the members of an archive hold, and the pickle that names them.

    Raises
    ------
    VanishgradError
        If no member is a pickle, or a tensor lies outside its storage.
    """
    pickle = min(filter(_is_pickle, archive), key=len, default=None)
    if pickle is None:
        raise VanishgradError(f"expected data.pkl in an archive of {path}, got none; try saving it again")
    top = pickle.removesuffix("data.pkl")
    byteorder = archive[f"{top}byteorder"].read(0, 3) if f"{top}byteorder" in archive else b"lit"

    def storage(key: str) -> Storage:
        if f"{top}data/{key}" not in archive:
            raise VanishgradError(
                f"expected storage {shown(key)} in {path}, got none; the file is cut short, try copying it again"
            )
        return archive[f"{top}data/{key}"]

    pickled = tree(io.BytesIO(archive[pickle].read()), path)
    return named_tensors(pickled.root, path, storage, big_endian=byteorder == b"big"), pickled
