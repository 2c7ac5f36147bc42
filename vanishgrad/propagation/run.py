"""Forward pass of a cell along its inputs, which keeps what its linearisation needs."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array, bits, like, namespace, on_host
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.cells.masked_steps import HANDED_ON, TAKEN, marks_with_previous, with_marks
from vanishgrad.errors import VanishgradError

SHORTEST_BLOCK = 1024


def block_length(steps: int) -> int:
    """Return how many steps a block of a run has: all that are fewer than 1024, else about √T."""
    return max(SHORTEST_BLOCK, math.isqrt(steps))


def run(cell: Cell, xs: Array, s0: Array, marks: Array | None = None) -> StoredTrajectory:
    """Run a cell and keep what its linearisation needs.

    Parameters
    ----------
    cell : Cell
    xs : (B, T, d) array
        Input sequences, x_t in ``xs[:, t - 1]``.
    s0 : (B, m) array
        Where each sequence starts.
    marks : (B, T) array of int, optional
        Of `step_marks`: which steps are taken; the others hand the state on. Sequences of different lengths are aligned
        at their end so, their first steps masked.

    Returns
    -------
    StoredTrajectory
        O(B T n) numbers; O(B T n²) work.

    Raises
    ------
    VanishgradError
        If a state overflows, as an expanding relu or linear network's does.
    """
    steps = xs.shape[1]
    xp = namespace(s0)
    states = xp.empty((steps + 1, *s0.shape), dtype=s0.dtype, device=s0.device)
    states[0, ...], records, length = s0, cell.input_preactivation(xs[:, :0]), block_length(steps)
    before: Array | None = None
    for start in range(0, steps, length):
        stop = min(start + length, steps)
        states[start : stop + 1], of_block = advanced(cell, xs[:, start:stop], states[start], start, marks, before)
        before = of_block[-1]
        if start == 0:
            records = xp.empty((steps, *of_block.shape[1:]), dtype=of_block.dtype, device=s0.device)
        records[start:stop] = of_block
    return StoredTrajectory(states, records)


def advanced(
    cell: Cell, xs: Array, s: Array, start: int, marks: Array | None = None, before: Array | None = None
) -> tuple[Array, Array]:
    """Return the states s_start … s_stop and the records of a block of steps along xs (B, stop - start, d).

    `before` is the record of step `start`, None where there is none. The same block gives the same bits whenever it is
    run.
    """
    xp = namespace(s)
    states, records = xp.empty((xs.shape[1] + 1, *s.shape), dtype=s.dtype, device=s.device), list[Array]()
    with np.errstate(over="ignore", invalid="ignore"):
        a_x = cell.input_preactivation(xs)
        states[0], last = s, before
        for i, t in enumerate(range(start + 1, start + 1 + len(a_x))):
            states[i + 1], record = cell.advance(t, a_x[i], states[i])
            if marks is not None:
                handed_on, waiting = (like(s, marks[:, t - 1] == HANDED_ON), like(s, marks[:, t - 1] != TAKEN))
                if last is not None:
                    record = xp.where(handed_on[:, None], last[..., : cell.record_size], record)
                states[i + 1, waiting] = states[i, waiting]
            last = record
            records.append(record)
        of_block = None if marks is None else marks_with_previous(marks, start, len(a_x))
        complete = cell.with_differences(
            xp.stack(records), states, before if before is None else before[..., : cell.record_size],
            None if of_block is None else like(s, of_block),
        )  # fmt: skip
        complete = complete if of_block is None else with_marks(complete, of_block[1:])
    _demand_finite(states, start)
    return states, complete


def _demand_finite(states: Array, start: int) -> None:
    xp = namespace(states)
    finite = xp.all(xp.isfinite(states), axis=(1, 2))
    if not xp.all(finite):
        t = start + int(np.argmin(on_host(finite)))
        raise VanishgradError(
            f"expected a state within the range of float{bits(states)}, got an overflow at step {t}; "
            f"try fewer --steps, a smaller gain or smaller inputs"
        )
