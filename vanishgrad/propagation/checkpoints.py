"""Checkpoints of a long run: states at every √T-th step; the blocks between run again when they are asked for."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.propagation.run import advanced, block_length, run


class Inputs(Protocol):
    """Input sequences that are to be had block by block."""

    def between(self, start: int, stop: int) -> Array:
        """Return x_{start+1} … x_stop, (B, stop - start, d)."""
        ...


@dataclass(frozen=True, eq=False)
class _Among:
    """Some of the sequences of inputs."""

    inputs: Inputs
    trials: slice

    def between(self, start: int, stop: int) -> Array:
        return self.inputs.between(start, stop)[self.trials]


LARGEST_HELD = 2**29
"""Bytes of a run up to which it is held whole."""


def path(cell: Cell, inputs: Inputs, s0: Array, steps: int, marks: Array | None = None) -> Trajectory:
    """Run a cell, held whole where that takes no more than 512 MB, else with checkpoints."""
    numbers = s0.shape[0] * steps * (cell.state_size + 2 * cell.record_size)
    if numbers * s0.itemsize <= LARGEST_HELD:
        return run(cell, inputs.between(0, steps), s0, marks)
    return CheckpointedTrajectory(cell, inputs, s0, steps, marks)


class CheckpointedTrajectory(Trajectory):
    """A run whose blocks are run again, one at a time.

    What it gives is what a run that is held gives, bit for bit: each block is run from the same state along the same
    inputs with the same arithmetic.

    Parameters
    ----------
    cell : Cell
    inputs : Inputs
    s0 : (B, m) array
    steps : int
    marks : (B, T) array of int, optional
        As in `run`.

    Raises
    ------
    VanishgradError
        If a state overflows.

    Notes
    -----
    O(B √T n) numbers; a backward sweep costs one more run.
    """

    def __init__(self, cell: Cell, inputs: Inputs, s0: Array, steps: int, marks: Array | None = None) -> None:
        self._cell, self._inputs, self._marks = cell, inputs, marks
        self._steps, self._length = steps, block_length(steps)
        self._held = (-1, s0[None], s0[None])
        self._checkpoints, self._before = [s0], list[Array | None]([None])
        for number in range(-(-steps // self._length)):
            states, records = self._block(number)
            self._checkpoints.append(namespace(s0).asarray(states[-1], copy=True))
            self._before.append(namespace(s0).asarray(records[-1], copy=True))

    @property
    def start(self) -> Array:
        """s_0, (B, m)."""
        return self._checkpoints[0]

    @property
    def steps(self) -> int:
        """The length T."""
        return self._steps

    def between(self, start: int, stop: int) -> tuple[Array, Array]:
        """Return s_start … s_stop and the records of the steps between, from as many blocks as that takes."""
        pieces = [self._within(*piece) for piece in self._cut(start, stop)]
        if len(pieces) == 1:
            return pieces[0]
        states = [pieces[0][0][:1], *(each[1:] for each, _ in pieces)]
        xp = namespace(states[0])
        return xp.concat(states), xp.concat([records for _, records in pieces])

    def among(self, trials: slice) -> Trajectory:
        """Return the run of some sequences alone."""
        other = copy.copy(self)
        other._cell, other._inputs = self._cell.among(trials), _Among(self._inputs, trials)
        other._marks = None if self._marks is None else self._marks[trials]
        other._checkpoints = [each[trials] for each in self._checkpoints]
        other._before = [None if each is None else each[trials] for each in self._before]
        other._held = (-1, other.start[None], other.start[None])
        return other

    def stretches(self, longest: int) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) of stretches that lie within blocks."""
        for start, stop in self._cut(0, self._steps):
            for begin in range(start, stop, longest):
                yield begin, min(begin + longest, stop)

    def _cut(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        while start < stop:
            end = min(stop, (start // self._length + 1) * self._length)
            yield start, end
            start = end

    def _within(self, start: int, stop: int) -> tuple[Array, Array]:
        number, offset = divmod(start, self._length)
        states, records = self._block(number)
        return states[offset : offset + stop - start + 1], records[offset : offset + stop - start]

    def _block(self, number: int) -> tuple[Array, Array]:
        stored, states, records = self._held
        if stored != number:
            start = number * self._length
            xs = self._inputs.between(start, min(start + self._length, self._steps))
            states, records = advanced(
                self._cell, xs, self._checkpoints[number], start, self._marks, self._before[number]
            )
            self._held = (number, states, records)
        return states, records
