"""Loss of float32: one trial again in float64, along the same weights and inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.curves.left_vectors import log_norms_along
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


VECTORS_TELL = 1e-3
"""Loss up to which it is read off vectors, whose error is of the order of its square."""


def float32_loss(cell: Cell, sequences: InputSequences, s0: Array, measured: Measurement) -> float | None:
    """Return max |Δ ln ‖∂s_T/∂s_k‖₂| of trial 0 between a run in float32 and one in float64.

    None if there is nothing to compare. It holds what rounding does to the states as well as to the products: along a
    chaotic run that is much more than a few units of roundoff. While it is small it is read off `COUNT` lags' left
    singular vectors, sent back along the run in float64; else every lag is measured again, at twice that trial's price.
    """
    single = measured.curves.get("state")
    if single is None:
        return None
    marks = None if sequences.marks is None else sequences.marks[:1]
    double = cell.trial(0).with_tensors(lambda tensor: tensor.astype(np.float64))
    steps = sequences.burn_in + sequences.steps
    trajectory = path(double, _FirstInDouble(sequences.inputs), s0[:1].astype(np.float64), steps, marks)
    mine, last = single.log_norm[0], int(sequences.lengths[0])
    vectors = {lag: u for lag, u in measured.left_vectors.items() if lag <= last}
    if last in vectors:
        norms = log_norms_along(vectors, double, trajectory)
        loss = _largest_difference(mine[list(norms)], np.array(list(norms.values())))
        if loss is not None and loss < VECTORS_TELL:
            return loss
    again = measure(
        double, trajectory, sequences.lengths[:1], None, 0.5, Scope(("state",), details=False), measured.engine.name
    )
    other = again.curves["state"].log_norm[0]
    lags = min(len(mine), len(other))
    return _largest_difference(mine[:lags], other[:lags])


def _largest_difference(logs: Array, others: Array) -> float | None:
    both = np.isfinite(logs) & np.isfinite(others)
    return float(np.abs(logs[both] - others[both]).max()) if both.any() else None
