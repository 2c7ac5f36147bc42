"""A model ready to be measured: a cell with its names, its input and its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.inputs.sources import Held
from vanishgrad.propagation.run import run


@dataclass(frozen=True, eq=False)
class Subject:
    """A cell with the names under which its result is reported, and what is to be said of it beforehand.

    Attributes
    ----------
    label, spec : str
        As typed or as the file has it; with every key resolved.
    source : mapping
        Where the weights come from, as reports repeat it: a random law and seed, or a file and layer.
    notes : tuple of str
        What was assumed: of a file, what it leaves open.
    """

    label: str
    spec: str
    cell: Cell
    source: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A subject with its input and where it starts, (B, m): all that a measurement needs.

    Attributes
    ----------
    stack : Prepared or None
        The layers below, and it, as one cell along the input of the lowest, where one layer drives the next.
    """

    subject: Subject
    sequences: InputSequences
    s0: Array
    stack: Prepared | None = None

    def first_trial(self) -> Prepared:
        """Return trial 0 alone from time 0 to its own last step; its burn-in has been run."""
        sequences = self.sequences
        late = sequences.steps - int(sequences.lengths[0])
        zero, stop = late + sequences.burn_in, sequences.burn_in + sequences.steps
        cell, s0 = self.subject.cell.trial(0), self.s0[:1]
        if sequences.burn_in:
            before = None if sequences.marks is None else sequences.marks[:1, late:zero]
            s0 = run(cell.between(late, zero), sequences.inputs.between(late, zero)[:1], s0, before).states[-1]
        xs = sequences.inputs.between(zero, stop)[:1]
        taken = None if sequences.taken is None else sequences.taken[:1, zero:stop]
        alone = InputSequences(
            Held(xs, str(xs.dtype), sequences.source), 0, sequences.lengths[:1], sequences.source, taken
        )
        return Prepared(replace(self.subject, cell=cell.between(zero, stop)), alone, s0)
