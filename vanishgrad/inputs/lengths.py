"""Lengths of sequences: whole numbers between commas, or a .npy file of them."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.files import load_array
from vanishgrad.inputs.held_array import HeldArray

PADDINGS = ("right", "left")
"""At which end of a row what lies outside a sequence's length stands, the usual one first."""


def lengths_of(text: str | None) -> list[int] | None:
    """Return the lengths that ``--lengths`` names, None without it.

    Raises
    ------
    UsageError, VanishgradError
        If there are none.
    """
    lengths = read_lengths(text)
    return None if lengths is None else lengths.tolist()


def read_lengths(text: str | None) -> Array | None:
    """Return the same as an array (B,) of int."""
    if text is None:
        return None
    if isinstance(text, HeldArray) or text.endswith(".npy"):
        values = load_array(text, "lengths")
    else:
        try:
            values = np.array([int(field) for field in text.split(",")])
        except ValueError:
            raise UsageError(
                f"expected whole numbers between commas or a .npy file for --lengths, got {text!r}"
            ) from None
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iu" or values.min() < 1:
        error = VanishgradError if text.endswith(".npy") else UsageError
        raise error(f"expected lengths as whole numbers from 1 on, got {text!r}; try --lengths 7,12,9")
    return values.astype(np.int64)


def at_the_end(rows: Array, lengths: Array, burn_in: int, padding: str) -> Array:
    """Return what belongs to each sequence at the end of its row (B, N + T, …), nothing before it."""
    shifted = np.zeros_like(rows)
    for b, length in enumerate(lengths.tolist()):
        own = burn_in + length
        shifted[b, -own:] = rows[b, -own:] if padding == "left" else rows[b, :own]
    return shifted
