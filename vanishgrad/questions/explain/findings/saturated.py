"""Saturated units: the slope of the activation takes more than a step may lose."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.questions.explain.findings.context import DiagnosisContext, nats
from vanishgrad.questions.explain.findings.finding import SKIP, Finding

FLAT = 0.1
"""A slope below so much of the largest is flat."""
SHARE = 0.1
"""So many flat slopes are too many where they are met once, at the read-out."""


def saturated_units(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where slopes cost a cell without gates too much at every step, or once, as c is read."""
    cell = facts.cell
    if cell.keep_gate is None:
        return _at_every_step(facts, facts.slopes()) if facts.vanishes else None
    if cell.read_out is None:
        return None
    c = facts.trajectory.states[-facts.steps :, :, cell.slices[cell.conveyed]]
    return _once(facts, cell.read_out.dphi(c) / cell.read_out.gamma)


def _at_every_step(facts: DiagnosisContext, slopes: Array) -> Finding | None:
    lost = nats(slopes)
    if lost <= facts.allowance:
        return None
    evidence = {**_evidence(slopes), "factor_per_step": math.exp(-lost)}
    phi = facts.cell.activation.name
    flat = "off" if phi == "relu" else "flat"
    return Finding(
        rule="saturated_units",
        title=f"units leave the linear part of {phi}: a step loses a factor {math.exp(-lost):.2f} by "
        f"its slopes, of which {100 * evidence['flat_share']:.0f} % are {flat}",
        severity=lost,
        evidence=evidence,
        remedies=("scaled", "smaller_inputs"),
        advice=(SKIP,),
    )


def _once(facts: DiagnosisContext, slopes: Array) -> Finding | None:
    evidence = _evidence(slopes)
    if evidence["flat_share"] <= SHARE:
        return None
    return Finding(
        rule="saturated_units",
        title=f"{100 * evidence['flat_share']:.0f} % of the cells are where the read-out is flat: "
        "what a loss on h sends back to them is lost at once",
        severity=nats(slopes) / facts.steps,
        evidence=evidence,
        remedies=("closed_input_gates",),
    )


def _evidence(slopes: Array) -> dict[str, float]:
    return {"mean_slope": float(slopes.mean()), "flat_share": float(np.mean(slopes < FLAT))}
