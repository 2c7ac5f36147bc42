"""What the rules look at: a net along its inputs, and what a loss of so many nats per step means for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import GRU, LSTM, RNN, Cell, StoredTrajectory
from vanishgrad.cells.activations import Activation
from vanishgrad.curves.curve import Curve
from vanishgrad.inputs.sequences import InputSequences

CANDIDATE = {"rnn": 0, "lstm": 2, "gru": 2}
"""The place of what is written into the state among the stacked gates."""
KEEPING = 1
"""The place of the gate that keeps the state, f in i f g o and z in r z n."""
KEEPING_NAMES = {"lstm": "forget", "gru": "keep"}
MOST = 700.0
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

    @property
    def keeping(self) -> str | None:
        """The gate that keeps the state, if there is one."""
        return KEEPING_NAMES.get(self.cell.name)

    @property
    def activation(self) -> Activation:
        """The activation of what is written into the state."""
        assert isinstance(self.cell, RNN | LSTM | GRU)
        return self.cell.activation

    @property
    def gate_activation(self) -> Activation | None:
        """The activation of the gates."""
        return self.cell.gate_activation if isinstance(self.cell, LSTM | GRU) else None

    def pre_activations(self, gate: int) -> Array:
        """Return those of a stacked gate at the measured steps, (T, B, n)."""
        n = self.cell.hidden_size
        return self.trajectory.records[-self.steps :, :, gate * n : (gate + 1) * n]

    def slopes(self) -> Array:
        """Return φ'(a)/γ of what is written into the state, (T, B, n), between 0 and 1."""
        phi = self.activation
        slopes: Array = phi.dphi(self.pre_activations(CANDIDATE[self.cell.name])) / phi.gamma
        return slopes


def nats(factors: Array) -> float:
    """Return -½ ln E[d²]: what a step loses to diagonal factors d in mean field (Chen et al. 2018), at most `MOST`."""
    mean = float(np.mean(np.square(factors, dtype=np.float64)))
    return -math.log(mean) / 2 if mean > 0 else MOST
