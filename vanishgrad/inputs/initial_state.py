"""The state s_0 that each trial starts from: zeros, noise or a file."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.files import load_array
from vanishgrad.inputs.sequences import white_std
from vanishgrad.random_streams import Role, stream


def initial_state(text: str, cell: Cell, name: str, trials: int, seed: int, dtype: str) -> Array:
    """Return s_0 of every trial, (B, m): zeros, ``normal[:STD]``, or a .npy file (m,) or (B, m).

    Noise comes from a stream of its trial and of the cell's name, so that a change of law, input or length leaves it.

    Raises
    ------
    UsageError, VanishgradError
        As `input_sequences`.
    """
    if text == "zeros":
        return np.zeros((trials, cell.state_size), dtype=dtype)
    if text.partition(":")[0] == "normal":
        scale = white_std(text)
        rows = [stream(seed, Role.INITIAL, b, cell.row.stream).standard_normal(cell.state_size) for b in range(trials)]
        return (scale * np.stack(rows)).astype(dtype)
    state = load_array(text, "initial states").astype(dtype)
    if state.shape not in ((cell.state_size,), (trials, cell.state_size)):
        raise VanishgradError(
            f"expected initial states ({cell.state_size},) or ({trials}, {cell.state_size}) for {name}, "
            f"got {state.shape} in {text!r}"
        )
    if not np.isfinite(state).all():
        raise VanishgradError(f"expected finite initial states, got NaN or infinity in {text!r}")
    return np.broadcast_to(state, (trials, cell.state_size)).copy()
