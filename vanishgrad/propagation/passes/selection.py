"""Choice of the pass that a cell is trained by: fused where there is one, else step by step by its linearisation."""

from __future__ import annotations

from typing import TypeAlias

from vanishgrad.arrays import Array
from vanishgrad.cells import GRU, LSTM, RNN, Cell, StoredTrajectory
from vanishgrad.cells.activations import SIGMOID, TANH
from vanishgrad.cells.trained_own import TrainedOwnCell
from vanishgrad.propagation.backpropagation import backward, forward
from vanishgrad.propagation.passes.fused import FusedPass
from vanishgrad.propagation.passes.gru import GRUPass
from vanishgrad.propagation.passes.lstm import LSTMPass
from vanishgrad.propagation.passes.own import OwnPass
from vanishgrad.propagation.passes.rnn import OtherRNNPass, RNNPass

FUSED: dict[type[Cell], type[FusedPass]] = {RNN: RNNPass, LSTM: LSTMPass, GRU: GRUPass}
"""Cells that have a fused pass; a subclass, for instance one with peepholes, is another cell."""


class StepwisePass:
    """Forward and backward pass of any tied cell, by the derivatives of its own linearisation."""

    _cell: Cell
    _xs: Array
    _trajectory: StoredTrajectory

    def forward(self, cell: Cell, xs: Array) -> None:
        """Run the cell from the zero state along xs (S·B, T, d)."""
        self._cell, self._xs, self._trajectory = cell, xs, forward(cell, xs)

    def hidden(self, outputs: int) -> Array:
        """Return h of the last steps, (L, S, B, p), a view."""
        h = self._trajectory.states[-outputs:, :, : self._cell.parts[0].size]
        return h.reshape(outputs, self._cell.trials, -1, h.shape[2])

    def backward(self, cotangents: Array, truncation: int | None = None, only: Array | None = None) -> dict[str, Array]:
        """Return ∂L/∂θ, tensor → (S, …); cotangents (L, S·B, p)."""
        return backward(self._cell, self._xs, self._trajectory, cotangents, truncation, only)


TrainingPass: TypeAlias = FusedPass | StepwisePass | OwnPass


def training_pass(cell: Cell, steps: int, batch: int) -> TrainingPass:
    """Return the pass of a cell along T steps of S·B sequences; its buffers serve every update of the same shapes."""
    if isinstance(cell, TrainedOwnCell):
        return OwnPass()
    fused = FUSED.get(type(cell))
    if fused is RNNPass and cell.activation is not TANH:
        return OtherRNNPass(cell, steps, batch)
    if fused is None or not _is_standard(cell):
        return StepwisePass()
    return fused(cell, steps, batch)


def _is_standard(cell: Cell) -> bool:
    """Whether gates are logistic and all else tanh, and the reset gate of a GRU stands behind the product."""
    if cell.gate_activation not in (None, SIGMOID) or getattr(cell, "reset", "after") != "after":
        return False
    return all(each is TANH for each in cell.activations if each is not cell.gate_activation)
