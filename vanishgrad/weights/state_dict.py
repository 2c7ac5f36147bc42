"""A state dict in memory: arrays and live tensors of any framework, none of which is imported."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from vanishgrad.arrays import Array, host_array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

WHERE = "the mapping"
MAX_DEPTH = 64
"""Levels of mappings; modules are nested some ten deep."""


def live_tensors(mapping: Mapping[Any, Any]) -> TensorFile:
    """Return the tensors of a state dict or of a nested parameter tree, keys joined by dots.

    Raises
    ------
    VanishgradError
        If the mapping nests deeper than 64 levels, or has lists of numbers in place of arrays.
    """
    by_name: dict[str, Tensor] = {}
    lists: list[str] = []
    waiting: list[tuple[tuple[str, ...], Any]] = [((), mapping)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > MAX_DEPTH:
            raise VanishgradError(
                f"expected at most {MAX_DEPTH} levels, got a deeper mapping; try one state_dict of it"
            )
        if isinstance(value, Mapping):
            waiting.extend(((*path, _key(key)), each) for key, each in reversed(list(value.items())))
        elif hasattr(value, "to_numpy") and not hasattr(value, "dtype"):  # a data frame, whose columns have types
            by_name[".".join(path)] = _tensor(".".join(path), value.to_numpy())
        elif hasattr(value, "shape") and hasattr(value, "dtype"):
            by_name[".".join(path)] = _tensor(".".join(path), value)
        elif isinstance(value, list | tuple):
            lists.append(".".join(path))
    if lists and not by_name:
        raise VanishgradError(
            f"expected an array for {shown(lists[0])}, got a list; try numpy.asarray on each value of the mapping first"
        )
    return TensorFile(WHERE, "mapping", by_name)


def _key(key: Any) -> str:
    return ".".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _tensor(name: str, value: Any) -> Tensor:
    return Tensor(name, tuple(int(size) for size in value.shape), _dtype(value), partial(_numbers, name, value))


def _dtype(value: Any) -> str:
    """Return the dtype's plain name: PyTorch writes torch.float32, TensorFlow <dtype: 'float32'>."""
    return str(getattr(value.dtype, "name", value.dtype)).removeprefix("torch.")


def _numbers(name: str, value: Any) -> Array:
    try:
        return host_array(value)
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise VanishgradError(
            f"expected an array for {shown(name)}, got {type(value).__name__}, which fails with: {shown(str(error))}; "
            "try numpy.asarray on it first"
        ) from None
