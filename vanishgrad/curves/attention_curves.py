"""Attention curves: ∂c_T/∂h_k of a head along its own states, by lag, from a closed form; no product is formed."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.cells.attention_head import AttentionHead
from vanishgrad.cells.masked_steps import TAKEN, marks_of
from vanishgrad.curves.lag_batches import INPUT_CURVE
from vanishgrad.curves.recorder import ATTENTION, Engine, Norms, alive_lags, input_lags
from vanishgrad.curves.request import Scope
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.propagation.attention import dot_product
from vanishgrad.propagation.singular_values.largest import largest_singular_value

WIDEST_SCORES = 700.0
"""Between the largest and the least score: an attention weight below e^-700 is out of float64's range."""


class AttentionCurves:
    """The curves of an attention head: at lag ℓ, ‖∂c_T/∂h_{T-ℓ}‖₂ of the context that a query at T reads.

    Parameters
    ----------
    cell : AttentionHead
    trajectory : Trajectory
    lengths : (B,) array of int
    threshold : float
    scope : Scope

    Raises
    ------
    UsageError
        If some steps are masked: a head would have to leave them out of its softmax.
    VanishgradError
        If the scores are further apart than `WIDEST_SCORES`.
    """

    def __init__(self, cell: Cell, trajectory: Trajectory, lengths: Array, threshold: float, scope: Scope) -> None:
        assert isinstance(cell, AttentionHead)
        self._cell, self._threshold, self._lengths = cell, threshold, lengths
        states, records = trajectory.between(0, trajectory.steps)
        marks = marks_of(records, cell.record_size)
        own = np.arange(trajectory.steps, 0, -1)[:, None] <= lengths
        if marks is not None and (own & (marks != TAKEN)).any():
            raise UsageError("expected no masked steps for attention, got some; try without attention")
        batch, self._steps = len(lengths), int(lengths.max())
        self._counted = alive_lags(int(lengths.min())) if scope.details else []
        self._input_lags = input_lags(lengths, scope)
        self._norms, self._log_input = (np.full((2, batch, self._steps + more), np.nan) for more in (1, 0))
        self._alive = {lag: np.zeros(batch, dtype=int) for lag in self._counted}
        for b in range(batch):
            self._record(b, states[-int(lengths[b]) - 1 :, b].astype(np.float64))

    @property
    def engine(self) -> Engine:
        """A closed form."""
        return Engine(ATTENTION, self._cell.hidden_size, 0.0)

    def _record(self, b: int, h: Array) -> None:
        own = self._cell.among(slice(b, b + 1))
        W_q, W_k, W_v, W_hx = (np.asarray(each[0], np.float64) for each in (own.W_q, own.W_k, own.W_v, own.W_hx))
        with np.errstate(over="ignore", invalid="ignore"):
            head = dot_product(W_v, W_k, W_q @ h[-1], h)
            span = float(np.ptp(head.scores))
        if not span <= WIDEST_SCORES:
            raise VanishgradError(
                f"expected attention scores at most {WIDEST_SCORES:g} apart, got {span:.3g}: its weights leave the "
                "range of float64; try smaller inputs"
            )
        spectral, frobenius = head.orthogonal_norms()
        half_log = math.log(len(W_v)) / 2
        with np.errstate(divide="ignore"):
            self._norms[0, b, : len(h)] = np.log(spectral[::-1])
            self._norms[1, b, : len(h)] = np.log(frobenius[::-1]) - half_log
            for lag in self._input_lags:
                if lag < len(h) - 1:
                    self._observe_input(b, lag, head.gradient(len(h) - 1 - lag) @ W_hx)
        for lag in self._counted:
            if lag < len(h):
                values = np.linalg.svd(head.gradient(len(h) - 1 - lag), compute_uv=False)
                self._alive[lag][b] = int(np.sum(values >= self._threshold))

    def _observe_input(self, b: int, lag: int, matrix: Array) -> None:
        self._log_input[0, b, lag] = np.log(largest_singular_value(matrix[None])[0])
        self._log_input[1, b, lag] = np.log(np.linalg.norm(matrix)) - math.log(matrix.shape[1]) / 2

    def curves(self) -> dict[str, Norms]:
        """Return the norms of each curve."""
        curves = {"state": Norms(self._norms[0], self._norms[1], self._alive)}
        if self._input_lags:
            curves[INPUT_CURVE] = Norms(self._log_input[0], self._log_input[1], {})
        return curves
