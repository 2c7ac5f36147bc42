"""One measurement of a watch: rate, horizons, gates, the largest Lyapunov exponent, and what truncation would lose."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.curves.curve import Curve, curve
from vanishgrad.curves.gates import gates
from vanishgrad.curves.leading_directions import leading_norms
from vanishgrad.models.captured_run import CapturedRun
from vanishgrad.models.open import open_models
from vanishgrad.models.options import ModelOptions
from vanishgrad.models.subject import Prepared
from vanishgrad.propagation.run import run

DIRECTIONS = 8
"""Leading directions whose norms are measured."""
MAX_EXACT_STATE = 64
"""State size up to which all directions are measured, and norms are exact."""


def measured(captured: CapturedRun, trials: int, steps: int, threshold: float) -> dict[str, dict[str, Any]]:
    """Return layer → quantity → number or None, along the first steps of the first sequences of a run.

    factor, rate (× and nats per step), horizon_state, horizon_input (None where even lag 0 is below), censored,
    lyapunov (nats per step), lost (the share of the gradient that truncation at the sequences' length loses) and the
    mean of each gate.
    """
    (opened,) = open_models([captured], ModelOptions(trials=trials, steps=steps))
    longest = max(int(call.lengths.max()) for call in captured.calls.values())
    return {each.subject.label: _layer(each, threshold, longest) for each in opened.prepared_subjects()}


def _layer(prepared: Prepared, threshold: float, longest: int) -> dict[str, Any]:
    cell, sequences = prepared.subject.cell, prepared.sequences
    trajectory = run(cell, sequences.xs, prepared.s0, sequences.marks)
    directions = cell.state_size if cell.state_size <= MAX_EXACT_STATE else DIRECTIONS
    norms = leading_norms(cell, trajectory, sequences.lengths, directions)
    state, received = (curve(each, each, {}, threshold) for each in (norms.state, norms.input))
    return {
        "factor": state.rate.factor if state.rate else None,
        "rate": state.rate.value if state.rate else None,
        "horizon_state": state.horizon.lag,
        "censored": state.horizon.censored,
        "horizon_input": received.horizon.lag,
        "lyapunov": _finite(float(np.mean(norms.exponent))),
        "lost": lost_beyond(state, longest),
        **{f"gate_{name}": gate.mean for name, gate in gates(cell, trajectory, 0).gates.items()},
    }


def lost_beyond(state: Curve, length: int) -> float | None:
    r"""Return the share of Σ_l ‖∂s_T/∂s_{T-l}‖ that stands at lags from a length on, which truncation to it loses.

    Norms are the mean curve's, and behind its last lag they go on at its rate: Σ_{l ≥ N} a_L e^{r (l - L)} is
    a_L e^{r (N - L)}/(1 - e^r). 1 where the rate is not negative; None without a rate.
    """
    if state.rate is None:
        return None
    if state.rate.value >= 0:
        return 1.0
    known: Array = np.exp(np.minimum(state.log_norm.mean[: state.final_lag + 1], 700))
    last, factor = float(known[-1]), state.rate.factor
    tail = last * math.exp(state.rate.value * (length - state.final_lag)) / (1 - factor)
    whole = float(known.sum()) + last * factor / (1 - factor)
    return min(tail / whole, 1.0)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
