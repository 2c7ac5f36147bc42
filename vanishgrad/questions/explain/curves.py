"""The curves that an explanation adds to those of `compare`: total, four_term, stack."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.curves.curve import Curve, curve
from vanishgrad.curves.measure import measure
from vanishgrad.curves.recorder import alive_lags
from vanishgrad.curves.scope import Scope
from vanishgrad.propagation.products.total_derivative import total_products
from vanishgrad.propagation.singular_values.largest import LeadingSingularValues, count_at_least
from vanishgrad.questions.explain.run import Run

STATE, STACK, TOTAL, FOUR_TERM = "state", "stack", "total", "four_term"


def further_curves(run: Run) -> dict[str, Curve]:
    """Return the curves of a run that only an explanation has.

    ``total`` is dc_T/dc_k with h_k moving along and ``four_term`` the textbooks' product, of cells with a cell state,
    lags 0 … T - 1. ``stack`` is ∂s_T/∂s_k of a layer and all below as one, s the states of all of them.
    """
    return {**_totals(run), **({} if run.stack is None else {STACK: _stack(run.stack)})}


def _stack(run: Run) -> Curve:
    request, trajectory = run.request, run.trajectory
    found = measure(
        run.cell, trajectory, run.sequences.lengths, None, request.threshold, Scope((STATE,)), request.engine
    )
    norms = found.curves[STATE]
    return curve(norms.log_norm, norms.log_rms, norms.alive, request.threshold)


def _totals(run: Run) -> dict[str, Curve]:
    products = total_products(run.cell, run.trajectory, run.sequences.trials, run.sequences.steps)
    if products is None:
        return {}
    recorder = _Recorder(run, (TOTAL, FOUR_TERM))
    for product in products:
        recorder.observe(product.lag, {TOTAL: product.total, FOUR_TERM: product.four_term})
    return recorder.curves()


class _Recorder:
    """Norms of square matrices of the conveyed part, lag by lag from 0 to T - 1."""

    def __init__(self, run: Run, names: tuple[str, ...]) -> None:
        self._lengths, self._threshold = run.sequences.lengths, run.request.threshold
        self._n = {part.name: part.size for part in run.cell.parts}[run.cell.conveyed]
        self._last = int(self._lengths.min()) - 1
        shape = (run.sequences.trials, run.sequences.steps)
        self._log_norm, self._log_rms = ({name: np.full(shape, np.nan) for name in names} for _ in range(2))
        self._alive: dict[str, dict[int, Array]] = {name: {} for name in names}
        shapes = dict.fromkeys(names, (self._n, self._n))
        self._leading = LeadingSingularValues(shapes, run.sequences.trials, run.trajectory.states.dtype)

    def observe(self, lag: int, found: Mapping[str, tuple[Array, Array]]) -> None:
        """Record one lag."""
        sigma = self._leading({name: matrix for name, (matrix, _) in found.items()})
        for name, (matrix, log_scale) in found.items():
            frobenius = np.linalg.matrix_norm(matrix)
            with np.errstate(divide="ignore"):
                self._log_norm[name][:, lag] = np.log(sigma[name]) + log_scale
                self._log_rms[name][:, lag] = np.log(frobenius) + log_scale - math.log(self._n) / 2
            if lag in alive_lags(self._last):
                least = self._threshold * np.exp(np.clip(-log_scale, -700, 700))
                self._alive[name][lag] = count_at_least(matrix, least, sigma[name])

    def curves(self) -> dict[str, Curve]:
        """Return what the curves say."""
        beyond = np.arange(self._log_norm[TOTAL].shape[1]) >= self._lengths[:, None]
        return {
            name: curve(
                np.where(beyond, np.nan, self._log_norm[name]),
                np.where(beyond, np.nan, self._log_rms[name]),
                self._alive[name],
                self._threshold,
            )
            for name in self._log_norm
        }
