"""T0 on a model: the finite and the asymptotic reading of vanishing, and which lags own the parameter gradient."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.formal_answer.claims import Log
from vanishgrad.formal_answer.quantities.measured import MeasuredRun

SHARE_LAGS = (10, 20, 50)


def definition(run: MeasuredRun) -> dict[str, float | Log]:
    """Return ‖J_{T:0}‖, its logarithm per step, and the shares of the lags from 10, 20 and 50 on."""
    shares = {f"share_{lag}": Log(log_share(run, lag)) for lag in SHARE_LAGS if lag < run.steps}
    rate = run.products.log_state / run.steps
    return {"state": Log(run.products.log_state), "mean_rate": rate, **shares}


def log_share(run: MeasuredRun, lag: int) -> float:
    """Return ln of the share of the terms at `lag` and beyond in the norms of ∂L/∂W_hh; NaN for a zero gradient."""
    logs = run.products.log_terms
    whole = _log_sum(logs)
    return _log_sum(logs[lag:]) - whole if whole > -math.inf else math.nan


ADVANTAGE = 0.5


def samples(run: MeasuredRun) -> dict[str, float | Log]:
    """T12: the samples N ≥ (p/share)² that an advantage p = ½ takes for the lags from 10, 20 and 50 on.

    4ν²p²/a² with a twice the long-term part of ∂L/∂W_hh, and noise as large as the whole: ν = Σ_ℓ ‖t_ℓ‖_F.
    """
    shares = {lag: log_share(run, lag) for lag in SHARE_LAGS if lag < run.steps}
    return {f"samples_{lag}": Log(2 * (math.log(ADVANTAGE) - share), "lower") for lag, share in shares.items()}


def _log_sum(logs: Array) -> float:
    top = float(logs.max())
    return top + float(np.log(np.exp(logs - top).sum())) if top > -np.inf else -np.inf
