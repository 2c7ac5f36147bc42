"""Reset gates that are shut: what a GRU writes does not see what it holds."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.questions.explain.findings.context import DiagnosisContext
from vanishgrad.questions.explain.findings.finding import Finding

SHUT = 0.1
"""A mean reset gate below this is shut."""


def shut_reset_gates(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the reset gates average below `SHUT`: the path through the candidate is cut."""
    if facts.cell.row.reset is None:
        return None
    r = facts.gate_of(facts.cell.row.reset)
    mean = float(r.mean())
    if mean >= SHUT:
        return None
    return Finding(
        rule="shut_reset_gates",
        title=f"reset gates are shut (mean {mean:.3f}): the candidate does not see the state, only keep gates carry it",
        severity=-math.log(max(mean, np.finfo(float).tiny)) / facts.steps,
        evidence={"mean": mean, "shut_share": float(np.mean(r < SHUT))},
        remedies=("opened_reset_gates",),
    )
