"""Trajectory: the states of a cell's run, and the record that each step keeps for its linearisation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from vanishgrad.arrays import Array


class Trajectory(ABC):
    """A run of a cell along input sequences, to be had stretch by stretch.

    Attributes
    ----------
    start : (B, m) array
        s_0.
    steps : int
        The length T.
    """

    @property
    @abstractmethod
    def start(self) -> Array:
        """s_0, (B, m)."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """The length T."""

    @abstractmethod
    def between(self, start: int, stop: int) -> tuple[Array, Array]:
        """Return s_start … s_stop, (stop - start + 1, B, m), and the records of the steps between, one fewer."""

    @abstractmethod
    def among(self, trials: slice) -> Trajectory:
        """Return the run of some sequences alone."""

    def stretches(self, longest: int) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) of stretches of at most so many steps that fill the run, in the order of time."""
        for start in range(0, self.steps, longest):
            yield start, min(start + longest, self.steps)


@dataclass(frozen=True, eq=False)
class StoredTrajectory(Trajectory):
    """A run that is held whole.

    Attributes
    ----------
    states : (T + 1, B, m) array
        s_0 … s_T, parts side by side.
    records : (T, B, r) array
        What the cell kept of each step, enough to linearise it (its pre-activations); behind it the steps' marks, where
        some are masked.
    """

    states: Array
    records: Array

    @property
    def start(self) -> Array:
        """s_0, (B, m)."""
        s_0: Array = self.states[0]
        return s_0

    @property
    def steps(self) -> int:
        """The length T."""
        return int(self.records.shape[0])

    def between(self, start: int, stop: int) -> tuple[Array, Array]:
        """Return s_start … s_stop and the records of the steps between, as views."""
        return self.states[start : stop + 1], self.records[start:stop]

    def among(self, trials: slice) -> StoredTrajectory:
        """Return the run of some sequences alone, as views."""
        return StoredTrajectory(self.states[:, trials], self.records[:, trials])
