"""Diagnosis context: a net along its inputs, and what a loss of so many nats per step means for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.curves.curve import Curve
from vanishgrad.inputs.sequences import InputSequences

MAX_NATS = 700.0
"""Nats that stand for a factor of exactly zero."""


@dataclass(frozen=True, eq=False)
class DiagnosisContext:
    """A net that has run.

    Attributes
    ----------
    cell : Cell
    trajectory : StoredTrajectory
    sequences : InputSequences
    curves : mapping
        What was measured of it: ``state`` and ``input``, and for gated cells ``conveyor``.
    threshold : float
    seed : int
    """

    cell: Cell
    trajectory: StoredTrajectory
    sequences: InputSequences
    curves: Mapping[str, Curve] = field(repr=False)
    threshold: float
    seed: int

    @property
    def steps(self) -> int:
        """The length T."""
        return self.sequences.steps

    @property
    def allowance(self) -> float:
        """Nats that every step may lose so that the threshold is just reached at lag T."""
        return -math.log(self.threshold) / self.steps

    @property
    def vanishes(self) -> bool:
        """Whether the state's median norm is below the threshold at the last lag."""
        state = self.curves["state"]
        return bool(state.log_norm.median[state.final_lag] < math.log(self.threshold))

    @cached_property
    def gates(self) -> Mapping[str, Array]:
        """Name of a gate → its values at the measured steps, (T, B, n)."""
        return {name: each[-self.steps :] for name, each in self.cell.gate_values(self.trajectory).items()}

    def gate_of(self, letter: str) -> Array:
        """Return the values of a gate that reports name, at the measured steps, (T, B, n)."""
        return self.gates[self.cell.row.words[letter]]

    def pre_activations(self, gate: str) -> Array:
        """Return those of a stacked gate at the measured steps, (T, B, n)."""
        return self.trajectory.records[-self.steps :, :, self.cell.rows(gate)]

    def slopes(self) -> Array:
        """Return φ'(a)/γ of what is written into the state, (T, B, n), between 0 and 1."""
        phi = self.cell.activation
        slopes: Array = phi.dphi(self.pre_activations(self.cell.row.candidate)) / phi.gamma
        return slopes


def nats(factors: Array) -> float:
    """Return -½ ln E[d²]: a step's loss to diagonal factors d in mean field (Chen et al. 2018), at most `MAX_NATS`."""
    mean = float(np.mean(np.square(factors, dtype=np.float64)))
    return -math.log(mean) / 2 if mean > 0 else MAX_NATS
