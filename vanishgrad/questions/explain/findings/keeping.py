"""Forget gates (GRU: keep gates) centred below 1: no unit's gates keep the threshold over T steps."""

from __future__ import annotations

import numpy as np

from vanishgrad.questions.explain.findings.context import MOST, DiagnosisContext
from vanishgrad.questions.explain.findings.finding import SKIP, Finding


def keeping_gates_below_one(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the gradient vanishes and even the best unit's ∏ f_t is below the threshold at lag T."""
    keep, conveyor = facts.cell.keep_gate, facts.curves.get("conveyor")
    if keep is None or conveyor is None or not facts.vanishes:
        return None
    lost = min(-float(conveyor.log_norm.median[conveyor.final_lag]) / conveyor.final_lag, MOST)
    if lost <= facts.allowance:
        return None
    values = facts.gates[keep.word]
    with np.errstate(divide="ignore"):
        times = -1 / np.log(np.clip(values.mean(axis=0), 0, 1))
    mean, bias = float(values.mean()), keep.sign * float(facts.cell.b[..., facts.cell.rows(keep.letter)].mean())
    return Finding(
        rule=f"{keep.word}_gates",
        title=f"{keep.word} gates are centred at {mean:.2f}, their bias at {bias:.2f}: "
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
