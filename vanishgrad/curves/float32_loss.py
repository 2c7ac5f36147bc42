"""Loss of float32: one trial again in float64, along the same weights and inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.curves.measure import Measurement, measure
from vanishgrad.curves.request import Scope
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.propagation.checkpoints import Inputs, path


@dataclass(frozen=True, eq=False)
class _FirstInDouble:
    """The first of some sequences, as float32 has rounded it."""

    inputs: Inputs

    def between(self, start: int, stop: int) -> Array:
        return self.inputs.between(start, stop)[:1].astype(np.float64)


def float32_loss(cell: Cell, sequences: InputSequences, s0: Array, measured: Measurement) -> float | None:
    """Return max |Δ ln ‖∂s_T/∂s_k‖₂| over the lags of trial 0 between a run in float32 and one in float64.

    None if there is nothing to compare. It holds what rounding does to the states as well as to the products: along a
    chaotic run that is much more than a few units of roundoff. As much work as twice that trial's.
    """
    single = measured.curves.get("state")
    if single is None:
        return None
    marks = None if sequences.marks is None else sequences.marks[:1]
    double = cell.trial(0).with_tensors(lambda tensor: tensor.astype(np.float64))
    steps = sequences.burn_in + sequences.steps
    trajectory = path(double, _FirstInDouble(sequences.inputs), s0[:1].astype(np.float64), steps, marks)
    again = measure(
        double, trajectory, sequences.lengths[:1], None, 0.5, Scope(("state",), details=False), measured.engine.name
    )
    mine, other = single.log_norm[0], again.curves["state"].log_norm[0]
    lags = min(len(mine), len(other))
    both = np.isfinite(mine[:lags]) & np.isfinite(other[:lags])
    return float(np.abs(mine[:lags][both] - other[:lags][both]).max()) if both.any() else None
