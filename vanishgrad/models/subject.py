"""A model ready to be measured: a cell with its names, its input and its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.inputs.sequences import InputSequences


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
