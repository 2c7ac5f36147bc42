"""Arguments of a PyTorch module's forward: what a batch stands for, however it comes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from vanishgrad.errors import UsageError


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
        elif isinstance(batch, Mapping):
            batch = {key: value for key, value in batch.items() if _takes(module, key)}
    if isinstance(batch, Mapping):
        return (), {key: _tensor(module, value) for key, value in batch.items()}
    if isinstance(batch, list | tuple) and not isinstance(batch, PackedSequence):
        return tuple(_tensor(module, value) for value in batch), {}
    return (_tensor(module, batch),), {}


def demand_taken(module: Any, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    """Refuse arguments that a module's forward does not take, with what it takes.

    Raises
    ------
    UsageError
    """
    try:
        signature = inspect.signature(module.forward)
    except ValueError:  # of a compiled function
        return
    try:
        signature.bind(*positional, **named)
    except TypeError as error:
        taken = ", ".join(str(each.replace(annotation=each.empty)) for each in signature.parameters.values())
        raise UsageError(
            f"expected a batch as forward({taken}) of {type(module).__name__} takes it, got: {error}; try a tensor or "
            "array for one argument, a tuple for several, a mapping by name"
        ) from None


def _takes(module: Any, name: Any) -> bool:
    parameters = inspect.signature(module.forward).parameters
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


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
