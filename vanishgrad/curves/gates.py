"""Gate statistics of a run: means, quantiles and saturation, and the input's gain, gathered block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory, Trajectory
from vanishgrad.cells.masked_steps import TAKEN, marks_of
from vanishgrad.curves.statistics import quantiles
from vanishgrad.propagation.checkpoints import Inputs
from vanishgrad.propagation.run import block_length

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SATURATED = 0.05
"""A gate is saturated within this distance of 0 or 1."""
SQUARED = 2.0**40
"""Size that has room for its square, and for sums of it, in float32 too."""
SATURATING = 37
"""Of a pre-activation: from here on σ is 0 or 1 to float64's rounding, and tanh ±1 since half of it."""
MAX_SORTED_VALUES = 2**22
"""Values of a gate of which quantiles are taken; of longer runs every so many steps."""


class Gate(NamedTuple):
    """A gate's values over units, steps and trials: mean, quantile → value, fractions near 0 and near 1."""

    mean: float
    quantiles: Mapping[float, float]
    near_zero: float
    near_one: float


class Gates(NamedTuple):
    """All gates of a run.

    Attributes
    ----------
    gates : mapping
        Name → `Gate`.
    unit_means : mapping
        Name → each unit's mean over steps and trials, (n,).
    stride : int
        Quantiles are over every so many steps.
    """

    gates: Mapping[str, Gate]
    unit_means: Mapping[str, Array]
    stride: int


def gates(cell: Cell, path: Trajectory, burn_in: int) -> Gates:
    """Return the gates that a report names over the steps after the burn-in, masked ones left out."""
    steps, batch = path.steps - burn_in, path.start.shape[0]
    stride = -(-steps * batch * cell.hidden_size // MAX_SORTED_VALUES)
    gathered: dict[str, _Gathered] = {}
    for start, stop in path.stretches(block_length(path.steps)) if cell.row.words else ():
        skipped = max(0, burn_in - start)
        phase = (burn_in - start - skipped) % stride
        states, records = path.between(start, stop)
        marks = marks_of(records, cell.record_size)
        taken = np.ones(records.shape[:2], dtype=bool) if marks is None else marks == TAKEN
        for name, activations in cell.gate_values(StoredTrajectory(states, records)).items():
            gathered.setdefault(name, _Gathered()).add(activations[skipped:], taken[skipped:], phase, stride)
    return Gates(
        {name: activations.gate() for name, activations in gathered.items()},
        {name: activations.unit_mean() for name, activations in gathered.items()},
        stride,
    )


class _Gathered:
    """Sums over blocks of one gate."""

    def __init__(self) -> None:
        self._sums, self._sorted = list[Array](), list[Array]()
        self._count, self._near_zero, self._near_one = 0, 0, 0

    def add(self, values: Array, taken: Array, phase: int, stride: int) -> None:
        """Add values (T', B, n) of steps that are taken; every stride-th from `phase` on goes into the quantiles."""
        self._sorted.append(values[phase::stride][taken[phase::stride]].ravel())
        values = values[taken]
        self._sums.append(values.sum(axis=0, dtype=np.float64))
        self._count += len(values)
        self._near_zero += int(np.count_nonzero(values < SATURATED))
        self._near_one += int(np.count_nonzero(values > 1 - SATURATED))

    def unit_mean(self) -> Array:
        mean: Array = np.sum(self._sums, axis=0) / self._count
        return mean

    def gate(self) -> Gate:
        mean = self.unit_mean()
        number = self._count * mean.size
        levels = quantiles(np.concatenate(self._sorted), QUANTILES)
        return Gate(
            mean=float(mean.mean()),
            quantiles=dict(zip(QUANTILES, levels, strict=True)),
            near_zero=self._near_zero / number,
            near_one=self._near_one / number,
        )


class InputGain(NamedTuple):
    """W_hx x over steps, trials and rows: standard deviation, largest size, and the share beyond `SATURATING`."""

    deviation: float
    largest: float
    saturating: float


def input_gain(cell: Cell, inputs: Inputs, steps: int, taken: Array | None = None) -> InputGain:
    """Return how large W_hx x is over steps, trials and rows, where only steps `taken` (B, T) count.

    The blocks' means and squared deviations are merged as Chan, Golub and LeVeque (1983) do.
    """
    count, mean, squares, largest, saturating, unit = 0, 0.0, 0.0, 0.0, 0, 1.0
    length = block_length(steps)
    for start in range(0, steps, length):
        stop = min(start + length, steps)
        values = inputs.between(start, stop) @ np.swapaxes(cell.W_hx, -1, -2)
        values = values if taken is None else values[taken[:, start:stop]]
        if not values.size:
            continue
        largest = max(largest, float(np.abs(values).max()))
        saturating += int(np.count_nonzero(np.abs(values) > SATURATING))
        if largest > SQUARED * unit:
            smaller, unit = unit / largest, largest
            mean, squares = mean * smaller, squares * smaller * smaller
        values = values / unit if unit > 1 else values
        of_block = float(values.mean())
        deviation = of_block - mean
        squares += float(np.sum((values - of_block) ** 2)) + deviation**2 * count * values.size / (count + values.size)
        count += values.size
        mean += deviation * values.size / count
    return InputGain(unit * math.sqrt(squares / count), largest, saturating / count)
