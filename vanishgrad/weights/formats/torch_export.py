"""PyTorch's exported programs (torch.export.save, .pt2): raw weights beside a JSON table; the program is not run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.json_text import json_object
from vanishgrad.weights.formats.torch_tensors import View, windowed
from vanishgrad.weights.formats.torch_zip import calls_of_saved
from vanishgrad.weights.formats.zip_members import Member, members
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

TABLE = "data/weights/model_weights_config.json"
DTYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
    10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16",
}  # fmt: skip
"""The numbers by which torch._export.serde.schema writes dtypes."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether a zip archive holds the table of an exported program's weights."""
    return head.startswith(b"PK") and any(name.endswith(TABLE) for name in names)


def tensors(path: str) -> TensorFile:
    """Return the program's parameters and buffers by dotted path; none is read.

    Raises
    ------
    VanishgradError
        If the table is damaged, or a tensor lies outside its member.
    """
    archive = members(path)
    table = min((name for name in archive if name.endswith(TABLE)), key=len)
    entries = json_object(archive[table].read(), archive[table].described).get("config")
    if not isinstance(entries, dict):
        raise VanishgradError(f"expected config in {archive[table].described}, got none; try saving the program again")
    folder = table.removesuffix("model_weights_config.json")
    by_path = {name: _tensor(path, name, entry, archive, folder) for name, entry in entries.items()}
    return TensorFile(path, "pytorch-export", by_path, calls=tuple(sorted(_calls(archive))))


def _calls(archive: Mapping[str, Member]) -> set[str]:
    """Return what the pickles of saved objects within, such as sample inputs, ask to call; none is needed here."""
    calls: set[str] = set()
    for name, member in archive.items():
        if name.endswith((".pt", ".pkl")):
            with suppress(VanishgradError), member.opened() as file:
                calls.update(calls_of_saved(file, member.described))
    return calls


def _tensor(path: str, name: str, entry: Any, archive: dict[str, Member], folder: str) -> Tensor:
    try:
        view, is_pickled = _view(entry), entry.get("use_pickle", False)
        storage = archive[folder + view.key]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise VanishgradError(
            f"expected member, dtype, sizes and strides for {shown(name)} in {path}, got something else; "
            "try torch.export.save again"
        ) from None
    if is_pickled:
        raise VanishgradError(
            f"expected raw numbers for {shown(name)} in {path}, got a pickle; try torch.save of program.state_dict"
        )
    return windowed(name, view, path, storage, big_endian=False)


def _view(entry: Any) -> View:
    about = entry["tensor_meta"]
    offset = about.get("storage_offset") or {"as_int": 0}
    dtype = DTYPES.get(about["dtype"], "unknown")
    return View(entry["path_name"], dtype, _whole(offset), _several(about["sizes"]), _several(about["strides"]))


def _several(sizes: Any) -> tuple[int, ...]:
    return tuple(map(_whole, sizes))


def _whole(size: Any) -> int:
    value = size["as_int"]
    if type(value) is not int or value < 0:
        raise ValueError
    return value
