"""A contractive W: the recurrent weights of a vanilla RNN shrink what passes through them."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.cells import RNN
from vanishgrad.propagation.singular_values.largest import largest_singular_value
from vanishgrad.questions.explain.findings.context import MOST, DiagnosisContext
from vanishgrad.questions.explain.findings.finding import SKIP, Finding


def contractive_weights(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the gradient vanishes and so does the linear network's, (γρ(W))^T; largest over trials."""
    cell = facts.cell
    if not isinstance(cell, RNN) or cell.W_hh.ndim > 3 or not facts.vanishes:
        return None
    gamma = cell.activation.gamma
    radius = gamma * float(np.abs(np.linalg.eigvals(cell.W_hh)).max())
    norm = gamma * float(largest_singular_value(cell.W_hh).max())
    lost = -math.log(radius) if radius > 0 else MOST
    if lost <= facts.allowance:
        return None
    proof = "proves it for every input" if norm < 1 else "proves nothing"
    return Finding(
        rule="contractive_weights",
        title=f"W contracts: γρ(W) = {radius:.2f} is a step's factor without saturation; γ‖W‖₂ = {norm:.2f} {proof}",
        severity=lost,
        evidence={"gamma_radius": radius, "gamma_norm": norm},
        remedies=("scaled", "orthogonal"),
        advice=(SKIP,),
    )
