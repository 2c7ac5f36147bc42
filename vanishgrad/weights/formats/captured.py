"""A captured run as a file: an .npz of weights under PyTorch's names, with the inputs, starts and lengths of a batch.

The member `captured` is a text: JSON that says of each call its module's name, its directions and what names and shapes
leave open. ``captured.0.xs``, ``captured.0.lengths`` and ``captured.0.starts`` are the first call's, with
``captured.0.taken`` where steps are masked.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.file_bytes import demand_regular
from vanishgrad.weights.formats import npz
from vanishgrad.weights.formats.zip_members import members
from vanishgrad.weights.tensors import TensorFile, shown

CAPTURED = "captured"
"""The format, the member that tells it, and the name of an input that was captured."""
ARRAYS = ("xs", "lengths", "starts")
TAKEN = "taken"
RESERVED = re.compile(rf"{CAPTURED}(?:\.\d+\.(?:{'|'.join((*ARRAYS, TAKEN))}))?")
"""Members that are no weights."""
ANEW = "try capturing it anew"


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether a zip archive holds the member that says of a captured run what its arrays are."""
    return head.startswith(b"PK") and f"{CAPTURED}.npy" in names


def is_captured(path: str) -> bool:
    """Whether a path is a file that holds a captured run."""
    try:
        demand_regular(path)
        with open(path, "rb") as file:
            is_archive = file.read(4) == b"PK\x03\x04"
        return is_archive and f"{CAPTURED}.npy" in members(path)
    except (OSError, ValueError, VanishgradError):
        return False


def tensors(path: str) -> TensorFile:
    """Return the weights by name, and what is known of each module beside them."""
    arrays, calls = npz.arrays(path), _calls(npz.text(path, CAPTURED), path)
    weights = {name: tensor for name, tensor in arrays.items() if not RESERVED.fullmatch(name)}
    return TensorFile(path, CAPTURED, weights, {CAPTURED: {f"{call['module']}.": call["reading"] for call in calls}})


def recorded_calls(path: str) -> tuple[dict[str, dict[str, Any]], tuple[str, ...] | None]:
    """Return the arguments of each module's call by its name, and names of the first sequence's steps, if there are.

    Raises
    ------
    VanishgradError
        If arrays are missing, or do not fit one another.
    """
    stored, about, calls = npz.arrays(path), npz.text(path, CAPTURED), dict[str, dict[str, Any]]()
    for place, call in enumerate(_calls(about, path)):
        name = call["module"]
        arrays = {key: _array(stored, f"{CAPTURED}.{place}.{key}", path) for key in ARRAYS}
        masks = f"{CAPTURED}.{place}.{TAKEN}"
        taken = _array(stored, masks, path) > 0 if masks in stored else None
        weights = {
            key.removeprefix(f"{name}."): tensor.read()
            for key, tensor in stored.items()
            if key.rpartition(".")[0] == name and not RESERVED.fullmatch(key)
        }
        if flaw := _flaw(**arrays, directions=call["directions"], taken=taken):
            raise VanishgradError(f"expected a whole captured run in {path}, got {flaw} of {shown(name)}; {ANEW}")
        about_call = {key: call[key] for key in ("reading", "directions")}
        calls[name] = {**arrays, TAKEN: taken, "weights": weights, **about_call}
    return calls, _tokens(about, path)


def _array(arrays: Mapping[str, Any], name: str, path: str) -> Array:
    if name not in arrays:
        raise VanishgradError(f"expected {name} in the captured run {path}, got none; {ANEW}")
    values: Array = arrays[name].read()
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise VanishgradError(f"expected finite numbers as {name} of {path}, got others; {ANEW}")
    return values.astype(np.int64 if name.endswith("lengths") else np.float64)


def _flaw(xs: Array, lengths: Array, starts: Array, directions: int, taken: Array | None) -> str | None:
    """Return what is wrong with a call's arrays."""
    if xs.ndim != 3 or 0 in xs.shape:
        return f"inputs {xs.shape}"
    if lengths.shape != (len(xs),) or lengths.min() < 1 or lengths.max() > xs.shape[1]:
        return f"lengths that do not fit {xs.shape[1]} steps of {len(xs)} sequences"
    if starts.ndim != 3 or starts.shape[1] != len(xs) or len(starts) % directions:
        return f"starts {starts.shape}"
    if taken is not None and (taken.shape != xs.shape[:2] or not taken[:, 0].all()):
        return f"steps that are taken {taken.shape}"
    return None


def _calls(about: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """Return what the text says of each call."""
    calls = about.get("calls")
    if not (isinstance(calls, list) and calls and all(map(_is_call, calls))):
        raise VanishgradError(f"expected a list of calls in the member {CAPTURED} of {path}, got other JSON; {ANEW}")
    if len({call["module"] for call in calls}) < len(calls):
        raise VanishgradError(f"expected each call once in the member {CAPTURED} of {path}, got one twice; {ANEW}")
    return calls


def _is_call(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("module"), str)
        and value.get("directions") in (1, 2)
        and isinstance(value.get("reading"), dict)
        and all(isinstance(each, str) for each in value["reading"].values())
    )


def _tokens(about: Mapping[str, Any], path: str) -> tuple[str, ...] | None:
    tokens = about.get("tokens")
    if tokens is None:
        return None
    if not (isinstance(tokens, list) and all(isinstance(each, str) for each in tokens)):
        raise VanishgradError(f"expected names of steps in the member {CAPTURED} of {path}, got other JSON; {ANEW}")
    return tuple(tokens)


def content(calls: Mapping[str, Mapping[str, Any]], tokens: Sequence[str] | None = None) -> bytes:
    """Return the file of a run: name of a module → its weights, reading, xs, lengths, starts and directions."""
    descriptions = [
        {"module": name, "directions": call["directions"], "reading": dict(call["reading"])}
        for name, call in calls.items()
    ]
    about = {"calls": descriptions, **({} if tokens is None else {"tokens": list(tokens)})}
    buffer = io.BytesIO()
    np.savez(buffer, **dict(_members(calls)), **{CAPTURED: np.array(json.dumps(about, ensure_ascii=False))})  # type: ignore[arg-type]
    return buffer.getvalue()


def _members(calls: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Array]]:
    for place, (name, call) in enumerate(calls.items()):
        yield from ((f"{name}.{key}", weights) for key, weights in call["weights"].items())
        yield from ((f"{CAPTURED}.{place}.{key}", call[key]) for key in ARRAYS)
        if call[TAKEN] is not None:
            yield f"{CAPTURED}.{place}.{TAKEN}", call[TAKEN].astype(np.uint8)
