"""Keyed random streams: what is drawn depends on the seed and on what it is for, never on what was drawn before."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Role(IntEnum):
    """What a stream is for; a role's number never changes, and new ones are appended."""

    W_HH = 0
    W_HX = 1
    BIAS_IH = 2
    BIAS_HH = 3
    CHRONO = 4
    INPUT = 5
    INITIAL = 6
    LOSS = 7
    ATTENTION = 8
    COTANGENT = 9
    READ_OUT = 10
    EXAMPLES = 11
    OTHER_TENSOR = 12


ANY_CELL = 0
"""The key of what every model shares, such as the input; a cell's own key stands in its row of the registry."""


def stream(seed: int, role: Role, trial: int, cell: int = ANY_CELL, *more: int) -> np.random.Generator:
    """Return the generator of one role in one trial of one cell, and of one update where it is drawn anew at each.

    Adding, reordering or removing models, and raising the number of trials, changes no other stream; two laws of the
    same cell share every draw that they have in common, which makes their comparison a paired one.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(role, trial, cell, *more)))
