"""Forget gates (GRU: keep gates) centred below 1: no unit's gates keep the threshold over T steps."""

from __future__ import annotations

import numpy as np

from vanishgrad.questions.explain.findings.context import KEEPING, MOST, DiagnosisContext
from vanishgrad.questions.explain.findings.finding import SKIP, Finding


def keeping_gates_below_one(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the gradient vanishes and even the best unit's ∏ f_t is below the threshold at lag T."""
    conveyor = facts.curves.get("conveyor")
    if facts.keeping is None or conveyor is None or not facts.vanishes:
        return None
    lost = min(-float(conveyor.log_norm.median[conveyor.final_lag]) / conveyor.final_lag, MOST)
    if lost <= facts.allowance:
        return None
    values = facts.gates[facts.keeping]
    with np.errstate(divide="ignore"):
        times = -1 / np.log(np.clip(values.mean(axis=0), 0, 1))
    mean, bias = float(values.mean()), _mean_bias(facts)
    return Finding(
        rule=f"{facts.keeping}_gates",
        title=f"{facts.keeping} gates are centred at {mean:.2f}, their bias at {bias:.2f}: "
        f"no unit keeps {facts.threshold:g} over {facts.steps} steps",
        severity=lost,
        evidence={
            "mean": mean,
            "mean_bias": bias,
            "median_time_constant": float(np.median(times)),
            "longest_time_constant": float(times.max()),
            "best_factor_per_step": float(np.exp(-lost)),
        },
        remedies=("forget_bias", "chrono"),
        advice=(SKIP,),
    )


def _mean_bias(facts: DiagnosisContext) -> float:
    n = facts.cell.hidden_size
    return float(facts.cell.b[..., KEEPING * n : (KEEPING + 1) * n].mean())
