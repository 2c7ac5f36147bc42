"""Critical gain of the recurrent weights, at which the gradient neither grows nor shrinks."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.curves.model_result import unit_losses
from vanishgrad.curves.statistics import slopes
from vanishgrad.errors import VanishgradError
from vanishgrad.propagation.run import run
from vanishgrad.questions.explain.findings.context import DiagnosisContext

GAINS = 2.0 ** np.array([0, 0.5, -0.5, 1, -1, 1.5, -1.5, 2, -2, 3, -3])
"""Tried in this order: the nearest to 1 first."""
BISECTIONS = 6


def neutral_gain(facts: DiagnosisContext) -> float:
    """Return a gain with rate 0, near 1 among those found, else the one whose rate is nearest to 0.

    The rate need not grow with the gain (large weights saturate), so that a bracket is looked for on a grid, and then
    bisected. The rate is that of a random loss's own gradient: a dozen sweeps of one row for each trial.
    """
    rates = dict[float, float]()
    for gain in GAINS.tolist():
        rates[gain] = _rate(facts, gain)
        bracket = _bracket(rates)
        if bracket is not None:
            return _bisected(facts, *bracket)
    return min(rates, key=lambda gain: abs(rates[gain]))


def _bracket(rates: dict[float, float]) -> tuple[float, float] | None:
    """Return neighbouring gains of which the first contracts and the second does not."""
    for low, high in pairwise(sorted(rates)):
        if (rates[low] < 0) != (rates[high] < 0):
            return (low, high) if rates[low] < 0 else (high, low)
    return None


def _bisected(facts: DiagnosisContext, contracting: float, expanding: float) -> float:
    for _ in range(BISECTIONS):
        middle = math.sqrt(contracting * expanding)
        if _rate(facts, middle) < 0:
            contracting = middle
        else:
            expanding = middle
    return contracting


def _rate(facts: DiagnosisContext, gain: float) -> float:
    """Return nats per step over the second half of the lags, the mean over trials; inf where a state overflows."""
    cell, sequences = facts.cell.with_weights(W_hh=gain * facts.cell.W_hh), facts.sequences
    try:
        trajectory = run(cell, sequences.xs, facts.trajectory.states[0], sequences.marks)
    except VanishgradError:
        return math.inf
    lags = np.arange(int(sequences.lengths.min()) + 1)
    half = lags >= lags[-1] // 2
    logs = _log_gradients(cell, trajectory, unit_losses(cell, sequences.trials, facts.seed), lags[-1])
    rates = slopes(lags[half].astype(float), logs[:, half])
    return float(np.mean(rates)) if np.isfinite(rates).all() else -math.inf


def _log_gradients(cell: Cell, trajectory: StoredTrajectory, losses: Array, lags: int) -> Array:
    """Return ln ‖w ∂h_T/∂s_k‖ by lag, (B, lags + 1), for a cotangent w of each trial."""
    W = np.zeros((len(losses), 1, cell.state_size), dtype=trajectory.states.dtype)
    W[:, 0, : losses.shape[1]] = losses
    linearisation, steps = cell.linearise(trajectory, 0, trajectory.steps), trajectory.steps
    logs = np.zeros((len(losses), lags + 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        for lag in range(1, lags + 1):
            next_rows = np.empty_like(W)
            linearisation.cotangent(steps - lag + 1, W, next_rows)
            size = np.linalg.norm(next_rows, axis=(1, 2), keepdims=True)
            logs[:, lag] = logs[:, lag - 1] + np.log(size[:, 0, 0])
            W = np.where(size > 0, next_rows / size, 0)
    return logs
