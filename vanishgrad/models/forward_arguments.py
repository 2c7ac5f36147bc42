"""Arguments of a PyTorch module's forward: what a batch stands for, however it comes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Arguments(NamedTuple):
    """The arguments of a forward, by position and by name."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


def arguments(module: Any, batch: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of forward that a batch stands for; of a DataLoader's, its first."""
    from torch.nn.utils.rnn import PackedSequence
    from torch.utils.data import DataLoader

    if isinstance(batch, Arguments):
        return batch
    if isinstance(batch, DataLoader):
        batch = next(iter(batch))
        if isinstance(batch, list | tuple) and not isinstance(batch, PackedSequence):
            batch = tuple(batch[: _positional(module)])
    if isinstance(batch, Mapping):
        return (), {key: _tensor(module, value) for key, value in batch.items()}
    if isinstance(batch, list | tuple) and not isinstance(batch, PackedSequence):
        return tuple(_tensor(module, value) for value in batch), {}
    return (_tensor(module, batch),), {}


def _positional(module: Any) -> int | None:
    """Return how many arguments forward takes by position; None where it takes any number."""
    kinds = [each.kind for each in inspect.signature(module.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    return sum(kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds)


def _tensor(module: Any, value: Any) -> Any:
    """Return an array as a tensor, real numbers in the dtype of the module's parameters; all else as it is."""
    import torch

    if not isinstance(value, np.ndarray):
        return value
    first = next((each for each in module.parameters() if each.is_floating_point()), torch.empty(0))
    dtype = first.dtype if value.dtype.kind == "f" else None
    return torch.as_tensor(value.copy(), dtype=dtype, device=first.device)
