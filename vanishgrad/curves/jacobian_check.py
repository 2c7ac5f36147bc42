"""Jacobian check: the analytic Jacobian of a run against the complex step, in every report."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array, bits, like, on_host
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.cells.masked_steps import TAKEN, marks_of
from vanishgrad.errors import VanishgradError
from vanishgrad.propagation.checkpoints import Inputs

STEP = 1e-170
"""Of the complex step: f(s + i·STEP·v) has the imaginary part STEP·J v, without cancellation.

Its square underflows: so the real part is that of the real step, and so is the side of a kink that it lies on.
"""
SHORTEST_STEP = 1e-290
"""That of weights so large that `STEP` would not be small behind them."""
LARGEST_IMAGINARY = 1e-7
"""Imaginary part of a pre-activation whose square is rounding: behind weights above 1e283 a step is shorter still."""
LARGEST_WEIGHT = 1e301
"""Behind which no step is short enough."""
UNITS = 64
"""The tolerance in units of roundoff, times √m for the length of the sums."""
STEEP = 4
"""Units for each unit of a pre-activation: rounding moves it by u times its size, and φ' by its decay times that; so do
up to four factors of an entry."""


class Check(NamedTuple):
    """The largest error of J v relative to the largest entry, over steps and random directions."""

    jacobian_error: float
    tolerance: float
    steps: int
    directions: int

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance."""
        return self.jacobian_error <= self.tolerance


def check(
    cell: Cell,
    trajectory: Trajectory,
    inputs: Inputs,
    marks: Array | None = None,
    directions: int = 2,
    on_device: Cell | None = None,
) -> Check:
    """Check the linearisation of a run at its first, middle and last step.

    These are of the steps that most sequences take, by their `marks` (B, T). If the trajectory is that of a cell on a
    device, its own Jacobian is checked against the complex step of the same cell in NumPy.
    """
    times, h = checked_times(trajectory.steps, marks), step_length(cell)
    error = max(jacobian_error(cell, trajectory, inputs, t, directions, on_device or cell, h) for t in times)
    # A stack's upper layers see states, which are among these.
    magnitudes = cell.layers[0].with_tensors(np.abs)
    size = max(reach(magnitudes, on_host(trajectory.between(t - 1, t)[0]), inputs.between(t - 1, t)) for t in times)
    return Check(error, tolerance(cell, np.dtype(f"float{bits(trajectory.start)}"), size), len(times), directions)


def checked_times(steps: int, marks: Array | None) -> list[int]:
    """Return the first, the middle and the last of the steps 1 … T that as many sequences take as any step."""
    count = np.ones(steps) if marks is None else np.sum(marks == TAKEN, axis=0)
    fullest = np.flatnonzero(count == count.max()) + 1
    return sorted({int(fullest[0]), int(fullest[(len(fullest) - 1) // 2]), int(fullest[-1])})


def tolerance(cell: Cell, dtype: np.dtype, size: float = 0) -> float:
    """Return what roundoff may make of a Jacobian's product with a vector where pre-activations are of some size."""
    steep = STEEP * max(each.decay for each in cell.activations)
    rounding = float(np.finfo(dtype).eps) * (UNITS * float(np.sqrt(cell.state_size)) + steep * size)
    return rounding + cell.derivative_error


def reach(magnitudes: Cell, states: Array, x: Array) -> float:
    """Return how large the terms are that a pre-activation is the sum of: |W_hx||x| + |b|, or a state's own size."""
    return float(max(np.max(magnitudes.input_preactivation(np.abs(x))), np.max(np.abs(states))))


def jacobian_error(
    cell: Cell, trajectory: Trajectory, inputs: Inputs, t: int, directions: int, on_device: Cell, h: float
) -> float:
    """Return max|J v - Im f(s + ihv)/h| / max|J v| at step t over seeded random directions."""
    s, x = on_host(trajectory.between(t - 1, t)[0][0]), inputs.between(t - 1, t)
    V = np.random.default_rng(t).standard_normal((*s.shape, directions)).astype(s.dtype)
    out = like(trajectory.start, np.empty_like(V))
    on_device.linearise(trajectory, t - 1, t).tangent(t, like(trajectory.start, V), out)
    analytic = on_host(out)
    stepped = np.stack([complex_step(cell, t, x, s, V[..., j], h) for j in range(directions)], axis=-1)
    marks = marks_of(trajectory.between(t - 1, t)[1], on_device.record_size)
    stepped = stepped if marks is None else np.where((marks[0] == TAKEN)[:, None, None], stepped, V)
    error, size = float(np.abs(analytic - stepped).max()), float(np.abs(stepped).max())
    # What the step's square, or a float32, has no room for.
    lost = max(float(np.finfo(analytic.dtype).tiny), float(np.finfo(float).tiny) / h)
    return max(error - lost, 0) / max(size, lost)


def complex_step(cell: Cell, t: int, x: Array, s: Array, v: Array, h: float) -> Array:
    """Return J_t v from the cell's own forward step in float64; x_t (B, 1, d), s_{t-1} and v (B, m), step length h."""
    a_x = cell.input_preactivation(x)[0].astype(np.complex128)
    with np.errstate(under="ignore"):
        advanced, _ = cell.advance(t, a_x, s.astype(np.float64) + 1j * h * v.astype(np.float64))
    return advanced.imag / h


def step_length(cell: Cell) -> float:
    """Return how long a complex step is that is small behind the largest weights too."""
    tensors = (getattr(layer, name) for layer in cell.layers for name in layer.tensors)
    largest = max((float(np.max(np.abs(on_host(each)))) for each in tensors if np.prod(each.shape)), default=1.0)
    if largest > LARGEST_WEIGHT:
        raise VanishgradError(
            f"expected weights up to {LARGEST_WEIGHT:.0e}, got {largest:.1e}; try weights scaled to 1"
        )
    return max(STEP / max(largest, 1.0), min(SHORTEST_STEP, LARGEST_IMAGINARY / max(largest, 1.0)))
