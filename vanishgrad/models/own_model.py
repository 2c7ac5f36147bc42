"""Own models: a cell of the user's own with an input of its own width and a start."""

from __future__ import annotations

from dataclasses import replace

from vanishgrad.cells.own import OwnCell
from vanishgrad.errors import UsageError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.inputs.sequences import input_sequences
from vanishgrad.models.options import ModelOptions
from vanishgrad.models.subject import Prepared, Subject


def own_model(cell: OwnCell, options: ModelOptions) -> Prepared:
    """Return an own cell along noise of its own width, which is that of MODELs of the same width, or along a file.

    Raises
    ------
    UsageError
        For float32, which its step does not know.
    VanishgradError
        If its input or its start does not fit.
    """
    if options.dtype != "float64":
        raise UsageError(f"expected --dtype float64 for the cell {cell}, got {options.dtype}; try without it")
    request = replace(options.shared_input(), input_size=cell.input_size)
    sequences = input_sequences(request, cell.input_size)
    s0 = initial_state(options.initial, cell, str(cell), sequences.trials, options.seed, options.dtype)
    source = {"kind": "own", "function": cell.step.name}
    notes = () if cell.derivative_error == 0 else ("the step is not analytic: jacobian is checked by differences",)
    return Prepared(Subject(str(cell), f"own:{cell}", cell, source, notes), sequences, s0)
