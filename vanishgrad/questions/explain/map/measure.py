"""Map of a sequence: ‖∂s_t/∂s_k‖ for all pairs of its steps, which shows where in it the gradient dies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import StoredTrajectory
from vanishgrad.inputs.token_names import tokens
from vanishgrad.propagation.products.all_pairs import pair_log_norms
from vanishgrad.questions.explain.run import Run

MAX_TIMES, MIN_TIMES = 64, 16
MAX_PRODUCT_OPERATIONS = 2**34
"""Multiplications and additions that the products may take: large states have fewer times."""


@dataclass(frozen=True, eq=False)
class Map:
    """The first trial's map.

    Attributes
    ----------
    times : (G,) array of int
        Evenly spaced steps, the last one among them; 0 is the start.
    log_norm : (G, G) array
        ln ‖∂s_t/∂s_k‖₂, row t, column k; NaN for k > t.
    tokens : tuple of str or None
        What drove steps 1, 2, … T, where it has a name.
    """

    times: Array
    log_norm: Array
    tokens: tuple[str, ...] | None


def map_(run: Run) -> Map:
    """Return the map of a run's first sequence.

    Notes
    -----
    With G times, at most `MAX_TIMES`, fewer for large states: one sweep along the sequence, then G² m³ multiplications
    and additions, m the size of the state. O(G m²) numbers beside the trajectory: time grows with the sequence as that
    of its one sweep does, memory not at all.
    """
    cell, length = run.cell, int(run.sequences.lengths[0])
    names = run.request.tokens is None and run.sequences.tokens
    names = names[:length] if names else tokens(run.sequences.source, run.request.tokens, run.sequences.burn_in, length)
    sequence = StoredTrajectory(run.trajectory.states[:, :1], run.trajectory.records[:, :1])
    times = _grid(length, int(np.clip(np.sqrt(MAX_PRODUCT_OPERATIONS / cell.state_size**3), MIN_TIMES, MAX_TIMES)))
    start = sequence.steps - length
    return Map(times, pair_log_norms(cell.trial(0), sequence, start + times), names)


def _grid(length: int, max_times: int) -> Array:
    """Return at most so many times from 0 to a sequence's end, evenly spaced from the end on."""
    stride = -(-length // (max_times - 1))
    return np.arange(length % stride, length + 1, stride)
