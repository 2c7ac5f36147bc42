"""Dead relus: units that are off at every step send nothing back, and never will."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.questions.explain.findings.context import DiagnosisContext, nats
from vanishgrad.questions.explain.findings.finding import Finding

SHARE = 0.05
"""So many units off at every step are too many."""


def dead(facts: DiagnosisContext) -> Array:
    """Return which units have the slope 0 at every step, (B, n); with shared weights, in all sequences."""
    off: Array = np.all(facts.slopes() == 0, axis=0)
    return off if facts.cell.trials > 1 else np.all(off, axis=0, keepdims=True)


def dead_relus(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where relu units, or a gated cell's relu candidates, are off throughout."""
    if facts.cell.activation.name != "relu":
        return None
    share = float(dead(facts).mean())
    if share < SHARE:
        return None
    slopes = facts.slopes()
    severity = nats(slopes) if facts.cell.keep_gate is None else nats(slopes) / facts.steps
    return Finding(
        rule="dead_relus",
        title=f"{100 * share:.0f} % of the relu units are off at every step",
        severity=severity,
        evidence={"dead_share": share, "active_share": float((slopes > 0).mean())},
        remedies=("raised_biases",),
    )
