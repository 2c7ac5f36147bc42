"""Input gates that stand open while their units remember: each step writes over what is kept."""

from __future__ import annotations

import numpy as np

from vanishgrad.questions.explain.findings.context import DiagnosisContext, nats
from vanishgrad.questions.explain.findings.finding import Finding

EXCESS = 10.0
"""T8's matched gates have i = 1 - f; so many times as much is open."""


def open_input_gates(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where units with 1/(1 - f) ≥ T, f and i their mean gates, have i far above 1 - f."""
    cell, keep = facts.cell, facts.cell.keep_gate
    if keep is None or cell.row.write is None or cell.read_out is None:
        return None
    f, i = facts.gates[keep.word].mean(axis=0), facts.gate_of(cell.row.write).mean(axis=0)
    remembering = 1 - f <= 1 / facts.steps
    if not remembering.any():
        return None
    written, matched = float(i[remembering].mean()), float((1 - f)[remembering].mean())
    if written <= EXCESS * max(matched, 1 / facts.steps):
        return None
    c, read = facts.trajectory.states[-1][:, cell.slices[cell.conveyed]][remembering], cell.read_out
    return Finding(
        rule="open_input_gates",
        title=f"units that remember {facts.steps} steps have their input gates open at {written:.2f}, where 1 - f is "
        f"{matched:.2g}: every step writes over what they keep",
        severity=nats(read.dphi(c) / read.gamma) / facts.steps,
        evidence={
            "remembering_share": float(remembering.mean()),
            "mean_input_gate": written,
            "mean_leak": matched,
            "rms_cell": float(np.sqrt(np.mean(np.square(c)))),
        },
        remedies=("closed_input_gates", "chrono"),
    )
