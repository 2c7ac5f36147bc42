"""Exploding detours: the gradient grows, through the gates of a gated cell or through W of a vanilla one."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.questions.explain.findings.context import DiagnosisContext
from vanishgrad.questions.explain.findings.finding import CLIP, Finding


def expanding_detours(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the state's median norm is above 1/threshold at some lag, or grows fast enough for it."""
    state = facts.curves["state"]
    largest = float(state.log_norm.median[: state.final_lag + 1].max())
    rate = state.rate.value if state.rate else 0.0
    if max(largest, rate * facts.steps) <= -math.log(facts.threshold):
        return None
    evidence = {"factor_per_step": math.exp(rate), "log10_largest": largest / math.log(10)}
    conveyor, growth = facts.curves.get("conveyor"), f"the gradient reaches 10^{largest / math.log(10):.1f}"
    title = f"W expands: {growth}"
    if conveyor is not None and conveyor.final_lag:
        lost = float(conveyor.log_norm.median[conveyor.final_lag]) / conveyor.final_lag
        evidence["conveyor_factor_per_step"] = float(np.exp(lost))
        title = f"detours through the gates expand: {growth}, where the conveyor alone has {np.exp(lost):.2f} a step"
    return Finding(
        rule="expanding_detours",
        title=title,
        severity=max(rate, largest / facts.steps),
        evidence=evidence,
        remedies=("scaled",),
        advice=(CLIP,),
    )
