"""Masks: which steps of input sequences are taken and which are masked, by a file, by token id 0 or by padding."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.files import load_array


class MaskRule(NamedTuple):
    """What a model's own layers mask: steps of token id 0, or steps all of whose entries are a value."""

    value: float | None = None
    """None for token id 0."""

    def taken(self, values: Array) -> Array | None:
        """Return which steps of token ids (B, T), or of vectors (B, T, d), are taken, or None if it speaks of others.

        Keras compares in float32.
        """
        if self.value is None:
            return values != 0 if values.ndim == 2 else None
        return (np.asarray(values, np.float32) != np.float32(self.value)).any(axis=-1) if values.ndim == 3 else None


def read_mask(path: str | None) -> Array | None:
    """Return the mask in a .npy file, (sequences, steps) of bool, None without one: 1 is a step, 0 a masked one.

    Raises
    ------
    VanishgradError
        For a file that holds no such array.
    """
    if path is None:
        return None
    mask = load_array(path, "a mask", "fiub")
    if mask.ndim != 2 or not mask.size:
        raise VanishgradError(
            f"expected a mask (sequences, steps), got shape {mask.shape} in {path!r}; "
            f"try a row of 0 and 1 for each sequence"
        )
    if not np.isin(mask, (0, 1)).all():
        other = mask[~np.isin(mask, (0, 1))][0]
        raise VanishgradError(
            f"expected a mask of 1 (a step) and 0 (a masked one), got {other:g} in {path!r}; try mask != 0"
        )
    return mask.astype(bool)


def taken_steps(path: str | None, rule: MaskRule | None, values: Array) -> Array | None:
    """Return which steps of a file's sequences are taken, by a mask of one's own or by the model's layers."""
    return read_mask(path) if path is not None or rule is None else rule.taken(values)


def demand_shape(mask: Array, rows: tuple[int, ...], steps: int, path: str) -> None:
    """Refuse a mask that is not of the sequences and steps of the input."""
    if mask.shape[0] not in rows or mask.shape[1] != steps:
        raise VanishgradError(
            f"expected a mask ({rows[0]}, {steps}), (sequences, steps) of the input, got {mask.shape} in {path!r}"
        )


def demand_some_taken(taken: Array, name: str) -> None:
    """Refuse a sequence, of which the measured steps (B, T) are given, that takes no step."""
    empty = np.flatnonzero(~taken.any(axis=1))
    if len(empty):
        raise VanishgradError(
            f"expected a step that is not masked in every sequence, got none in sequence {empty[0]} of {name!r}; "
            "try leaving that sequence out"
        )
