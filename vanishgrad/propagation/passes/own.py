"""Training pass of an own cell: its step forward, and back by the derivative that the step has."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.cells.own_gradient import side_by_side, vector_jacobian
from vanishgrad.cells.trained_own import PREFIX, TrainedOwnCell


class OwnPass:
    """Forward and backward pass of a step written as a function; only states are kept, each step is taken anew."""

    _cell: TrainedOwnCell
    _xs: Array
    _states: Array

    def forward(self, cell: Cell, xs: Array) -> None:
        """Run the cell from the zero state along xs (S·B, T, d)."""
        if not isinstance(cell, TrainedOwnCell):
            raise TypeError(f"expected an own cell, got {cell}")
        self._cell, sequences = cell, xs.shape[0] // cell.trials
        self._xs = np.ascontiguousarray(
            xs.reshape(cell.trials, sequences, *xs.shape[1:]).transpose(2, 0, 1, 3), dtype=cell.dtype
        )
        self._states = np.zeros((len(self._xs) + 1, cell.trials, sequences, cell.state_size), cell.dtype)
        for t, x in enumerate(self._xs, 1):
            self._states[t] = side_by_side(cell.step, cell.arrays, x, self._states[t - 1])

    def hidden(self, outputs: int) -> Array:
        """Return h of the last steps, (L, S, B, n), a view."""
        return self._states[-outputs:, ..., : self._cell.hidden_size]

    def backward(self, cotangents: Array, truncation: int | None = None, only: Array | None = None) -> dict[str, Array]:
        """Return ∂L/∂θ, tensor → (S, …), as `backpropagation.backward` does; cotangents (L, S·B, n)."""
        w, steps, outputs, n = np.zeros_like(self._states[0]), len(self._xs), len(cotangents), self._cell.hidden_size
        at_step = cotangents.reshape(outputs, *w.shape[:2], n)
        sums = {name: np.zeros_like(getattr(self._cell, name)) for name in self._cell.tensors}
        for t in range(steps, 0, -1):
            age = steps - t + 1
            if age <= outputs:
                w[..., :n] += at_step[-age]
            gradient, back = self._back(t, w)
            if only is not None:
                gradient, _ = self._back(t, w * (only.reshape(*w.shape[:2], 1) == t))
            for name, of_step in gradient.items():
                sums[PREFIX + name] += of_step
            if truncation is not None and age % truncation == 0:
                if age >= outputs:
                    break
                w = np.zeros_like(w)
            else:
                w = back
        return sums

    def _back(self, t: int, w: Array) -> tuple[dict[str, Array], Array]:
        """Return the gradient by the parameters that enters at step t, and ∂L/∂s_{t-1}."""
        return vector_jacobian(self._cell.step, self._cell.arrays, self._xs[t - 1], self._states[t - 1], w)
