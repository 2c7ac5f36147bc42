"""Cotangents of the loss whose gradient is split by lag: which outputs it sees, and what it sends back to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.curves.model_result import unit_losses
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.files import load_array
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.languages import english
from vanishgrad.random_streams import Role, stream

LOSSES = ("all", "last")
MAX_OUTPUTS = 256
"""Outputs that a random loss sees; of a longer sequence only every second, third, … one: work grows with each."""


@dataclass(frozen=True)
class LossRequest:
    """What is asked about truncation.

    Attributes
    ----------
    loss : str
        ``all`` (evenly spaced ones of more than `MAX_OUTPUTS`) or ``last``: which outputs the loss sees, where no file
        says so.
    cotangent : str or None
        A .npy file of ∂L/∂h_t: (n,), (T, n) or (B, T, n); random unit vectors by default.
    truncation : int or None
        A length N whose loss is asked.

    Raises
    ------
    UsageError
        For a value that cannot be.
    """

    loss: str = "all"
    cotangent: str | None = None
    truncation: int | None = None

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise UsageError(f"expected --loss {' or '.join(LOSSES)}, got {self.loss!r}")
        if self.truncation is not None and self.truncation < 1:
            raise UsageError(f"expected --truncation from 1 on, got {self.truncation}")


def cotangents(cell: Cell, sequences: InputSequences, request: LossRequest, seed: int) -> Array:
    """Return ∂L/∂h_t of every trial, (B, T, n): from the file, or random unit vectors."""
    shape, dtype = (sequences.trials, sequences.steps, cell.parts[0].size), sequences.xs.dtype
    if request.cotangent is not None:
        array = load_array(request.cotangent, "cotangents").astype(dtype)
        if array.shape not in (shape, shape[1:], shape[2:]):
            raise VanishgradError(
                f"expected cotangents ({shape[2]},), {shape[1:]} or {shape} of ∂L/∂h_t, got {array.shape} in "
                f"{request.cotangent!r}; try --steps, --trials or another file"
            )
        if not np.isfinite(array).all():
            raise VanishgradError(f"expected finite cotangents, got NaN or infinity in {request.cotangent!r}")
        rows = np.broadcast_to(array, shape)
        decides = array.ndim > 1
    elif request.loss == "last":
        rows, decides = np.broadcast_to(unit_losses(cell, sequences.trials, seed)[:, None], shape), False
    else:
        has_output = (shape[1] - 1 - np.arange(shape[1])) % _spacing(shape[1]) == 0
        rows, decides = np.where(has_output[:, None], _unit_vectors(cell, shape, seed), 0), True
    last = np.arange(shape[1])[:, None] == shape[1] - 1
    return np.where(last, rows, 0) if request.loss == "last" and not decides else rows


def _unit_vectors(cell: Cell, shape: tuple[int, int, int], seed: int) -> Array:
    draws = [stream(seed, Role.COTANGENT, b, cell.row.stream).standard_normal(shape[1:]) for b in range(shape[0])]
    rows = np.stack(draws)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def _spacing(steps: int) -> int:
    return -(-steps // MAX_OUTPUTS)


def in_words(request: LossRequest, steps: int) -> str:
    """Return which loss it is."""
    if request.cotangent is not None:
        return english("cotangents of {file}", file=request.cotangent)
    if request.loss == "last":
        return english("a random unit vector at the last output")
    if (spacing := _spacing(steps)) == 1:
        return english("random unit vectors at every output")
    return english("random unit vectors at one output in {count}", count=spacing)
