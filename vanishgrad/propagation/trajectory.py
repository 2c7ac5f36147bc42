"""Running a cell along its inputs."""

from __future__ import annotations

import numpy as np

from vanishgrad.cells import Cell, Trajectory
from vanishgrad.cells.arrays import Array
from vanishgrad.errors import VanishgradError


def run(cell: Cell, xs: Array, s0: Array, first: Array | None = None) -> Trajectory:
    """Run a cell and keep what its linearisation needs.

    Parameters
    ----------
    cell : Cell
    xs : (B, T, d) array
        Input sequences, x_t in ``xs[:, t - 1]``.
    s0 : (B, m) array
        Where each sequence starts.
    first : (B,) array of int, optional
        Sequence b starts with step first[b] + 1: before it, its state stays s_0. Sequences of different lengths are
        aligned at their end so.

    Returns
    -------
    Trajectory
        O(B T n) numbers; O(B T n²) work.

    Raises
    ------
    VanishgradError
        If a state overflows, as an expanding relu or linear network's does.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        drive = cell.drive(xs)
        steps = drive.shape[0]
        states = np.empty((steps + 1, *s0.shape), dtype=s0.dtype)
        states[0], records = s0, []
        for t in range(1, steps + 1):
            states[t], record = cell.advance(t, drive[t - 1], states[t - 1])
            records.append(record)
            if first is not None:
                waiting = first >= t
                states[t, waiting] = s0[waiting]
    _demand_finite(states)
    return Trajectory(states, np.stack(records) if records else np.empty((0, *drive.shape[1:]), dtype=s0.dtype))


def _demand_finite(states: Array) -> None:
    finite = np.isfinite(states).all(axis=(1, 2))
    if not finite.all():
        t = int(np.argmin(finite))
        raise VanishgradError(
            f"expected a state within the range of {states.dtype}, got an overflow at step {t}; "
            f"try fewer --steps, a smaller gain or smaller inputs"
        )
