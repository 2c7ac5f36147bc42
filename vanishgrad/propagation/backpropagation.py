"""Backpropagation through time: the exact gradient of a loss by every tensor of a cell, for batches of sequences.

With g_t = ∂L/∂h_t of the steps that the loss sees, w_T = (g_T, 0) and w_{t-1} = w_t J_t + (g_{t-1}, 0),

    ∂L/∂θ = Σ_t ∂(w_t · s_t)/∂θ with s_{t-1} held fixed.

S sets of weights go side by side, each with B / S consecutive sequences of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, Linearisation, Outer, StoredTrajectory
from vanishgrad.cells.linearisation import with_input_weights

STRETCH = 8
"""Steps whose input pre-activations, and whose linearisation, are held at a time: they then stay in a core's cache."""


def forward(cell: Cell, xs: Array) -> StoredTrajectory:
    """Run a cell from the zero state along xs (B, T, d) and keep what the gradient needs; no overflow is refused."""
    batch, steps, _ = xs.shape
    states = np.empty((steps + 1, batch, cell.state_size), dtype=xs.dtype)
    states[0], records = 0, np.empty((0,), dtype=xs.dtype)
    for start in range(0, steps, STRETCH):
        a_x = cell.input_preactivation(xs[:, start : start + STRETCH])
        for t, of_step in enumerate(a_x, start + 1):
            states[t], record = cell.advance(t, of_step, states[t - 1])
            if t == 1:
                records = np.empty((steps, *record.shape), dtype=record.dtype)
            records[t - 1] = record
    return StoredTrajectory(states, records)


def backward(
    cell: Cell,
    xs: Array,
    trajectory: StoredTrajectory,
    cotangents: Array,
    truncation: int | None = None,
    only: Array | None = None,
) -> dict[str, Array]:
    """Return ∂L/∂θ, tensor → (S, …), summed over each set's sequences.

    Parameters
    ----------
    xs : (B, T, d) array
    trajectory : StoredTrajectory
        Of `forward`.
    cotangents : (L, B, p) array
        ∂L/∂h_t of the last L steps.
    truncation : int, optional
        N: the sequence is cut, from its last step on, into segments of N steps whose start is held fixed. Of a loss at
        the last step alone, that leaves lags 0 … N - 1.
    only : (B,) array of int, optional
        Return what enters at one step of each sequence alone, counted from 1: the share of that step in the gradient.

    Notes
    -----
    O(T B g n (2 n + d)) multiplications and additions; beyond the trajectory O(`STRETCH` B g n) numbers.
    """
    steps, outputs = trajectory.steps, len(cotangents)
    sums = GradientSums(cell)
    w = np.zeros((xs.shape[0], 1, cell.state_size), dtype=xs.dtype)
    product = np.empty_like(w)
    for t, linearisation in _backwards(cell, trajectory):
        if steps - t < outputs:
            w[:, 0, : cotangents.shape[2]] += cotangents[outputs - 1 - (steps - t)]
        entering = w[:, 0] if only is None else w[:, 0] * (only == t)[:, None]
        sums.add(linearisation.weight_gradient(t, entering), xs[:, t - 1])
        age = steps - t + 1
        if truncation is not None and age % truncation == 0:
            if age >= outputs:
                break
            w[...] = 0
        elif t > 1:
            linearisation.cotangent(t, w, product)
            w, product = product, w
    return sums.by_tensor


def _backwards(cell: Cell, trajectory: StoredTrajectory) -> Iterator[tuple[int, Linearisation]]:
    for stop in range(trajectory.steps, 0, -STRETCH):
        start = max(stop - STRETCH, 0)
        linearisation = cell.linearise(trajectory, start, stop)
        for t in range(stop, start, -1):
            yield t, linearisation


class GradientSums:
    """Sums of gradients by the tensors of a cell, over each set's sequences and over the steps."""

    def __init__(self, cell: Cell) -> None:
        self._sets = cell.trials
        self.by_tensor = {name: np.zeros_like(getattr(cell, name)) for name in cell.tensors}

    def add(self, terms: tuple[Outer, ...], x: Array) -> None:
        """Add one step's terms; x (B, d) is what W_hx multiplies."""
        filled = dict.fromkeys(self.by_tensor, 0)
        for name, cotangent, operand in with_input_weights(terms, x):
            begin, rows = filled[name], cotangent.shape[1]
            filled[name] = begin + rows
            delta = cotangent.reshape(self._sets, -1, rows)
            if operand is None:
                self.by_tensor[name][:, begin : begin + rows] += delta.sum(axis=1)
            else:
                operands = operand.reshape(self._sets, -1, operand.shape[1])
                self.by_tensor[name][:, begin : begin + rows] += np.matrix_transpose(delta) @ operands
