"""Checkpoints of several files: which of them is opened for a folder, a prefix, or one of the pieces."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import islice

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.tensors import shown

IN_A_FOLDER = (
    "*.safetensors.index.json", "pytorch_model.bin.index.json", ".metadata", "manifest.ocdbt", "*/manifest.ocdbt",
    "variables/variables.index", "*.weights.json", "model.json", "*.safetensors", "pytorch_model.bin", "*.index",
    "*.pdiparams", "*.xml",
)  # fmt: skip
"""What a folder may hold that tells of all the rest, by what is looked for first."""
ENDINGS = (".index", ".safetensors.index.json", ".weights.json", ".pdparams", ".pdiparams", ".xml", ".safetensors")
"""What a path without its ending may lack."""
PIECES = (
    (re.compile(r"(.*)\.data-\d{5}-of-\d{5}"), r"\1.index"),
    (re.compile(r"(.*)-\d{5}-of-\d{5}\.(safetensors|bin)"), r"\1.\2.index.json"),
    (re.compile(r"(.*/|)[^/]*\.distcp"), r"\1.metadata"),
    (re.compile(r"(.*)\.json"), r"\1.pdiparams"),
    (re.compile(r"(.*)\.bin"), r"\1.xml"),
)
"""A piece of a checkpoint → the file that tells what is in it."""
FOLDERS = {
    "Data/com.apple.CoreML": ("a Core ML package", "exporting the model that it was made from to ONNX"),
    ".zarray": ("a Zarr array", "the folder of the whole checkpoint"),
    "saved_model.pb": ("a SavedModel without its variables", "copying the folder variables there too"),
}
"""What else a folder may hold → what it is then, and what to try."""
SHARD = re.compile(r"(?P<stem>.*)-(?P<place>\d{5})-of-(?P<count>\d{5})\.(?P<ending>safetensors|bin|pt)")
"""How Hugging Face names one part of a checkpoint."""
MAX_NAMES = 10_000
"""Entries of a folder that are looked at."""


def main_file(path: str) -> str:
    """Return the file to open for a path: itself, or the one that tells of a folder, a prefix or a piece.

    Raises
    ------
    VanishgradError
        If there is no such file, or more than one.
    """
    if os.path.isdir(path):
        return _in_folder(path)
    for pattern, whole in PIECES:
        if (match := pattern.fullmatch(path)) and os.path.isfile(match.expand(whole)):
            return match.expand(whole)
    if not os.path.exists(path):
        return next((path + each for each in ENDINGS if os.path.isfile(path + each)), path)
    return path


def _in_folder(folder: str) -> str:
    for pattern in IN_A_FOLDER:
        candidates = _matching(folder, pattern)
        if len(candidates) == 1 or _are_shards(candidates):
            return candidates[0]
        if candidates:
            names = ", ".join(shown(os.path.relpath(each, folder)) for each in candidates[:5])
            raise VanishgradError(
                f"expected one checkpoint in {shown(folder, 200)}, got {len(candidates)} files such as {names}; "
                "try naming one of them"
            )
    kind, remedy = next(
        (advice for name, advice in FOLDERS.items() if os.path.exists(os.path.join(folder, name))),
        ("a folder without a checkpoint", "the path of a file"),
    )
    raise VanishgradError(f"expected a file of weights at {shown(folder, 200)}, got {kind}; try {remedy}")


def _are_shards(paths: Sequence[str]) -> bool:
    """Return whether files are the parts of one checkpoint."""
    parts = [match.group("stem", "count", "ending") for path in paths if (match := SHARD.fullmatch(path))]
    return bool(paths) and len(parts) == len(paths) and len(set(parts)) == 1


def _matching(folder: str, pattern: str) -> list[str]:
    """Return the files of a folder that fit a pattern of one or two parts, sorted."""
    first, _, rest = pattern.partition("/")
    paths = [os.path.join(folder, name) for name in _names(folder) if fnmatchcase(name, first)]
    if rest:
        return [inner for each in paths if os.path.isdir(each) for inner in _matching(each, rest)]
    return [each for each in paths if os.path.isfile(each)]


def _names(folder: str) -> Sequence[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(each.name for each in islice(entries, MAX_NAMES))
    except OSError as error:
        raise VanishgradError(f"expected to read {folder}, got {error.strerror or error}; try another path") from None
