"""T6 on a GRU, and on an MGU as the GRU that it is: closing the one gate brings every step near the identity."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.subject import CertifiedCell, subject
from vanishgrad.formal_answer.claims import Claim, Hypothesis
from vanishgrad.formal_answer.quantities.measured import MeasuredRun, log_smallest, spectral_norms


def coupling_constant(gru: CertifiedCell) -> float:
    """Return 𝒦 = 1 + 2‖W^z‖ + K̄, with K̄ of the GRU's reset convention."""
    r, z, n = (float(np.linalg.norm(gru.gate("W_hh", gate), 2)) for gate in "rzn")
    if gru.reset == "before":
        return 1 + 2 * z + n * (1 + r / 4)
    reach = float((np.abs(gru.gate("W_hh", "n")).sum(axis=1) + np.abs(gru.tensors["b_hn"])).max())
    return 1 + 2 * z + n + reach * r / 4


def gate_closure(run: MeasuredRun) -> tuple[Claim, Claim, Claim]:
    """T6: (1 - ε𝒦)^T ≤ σ_min(J_{T:0}) ≤ ‖J_{T:0}‖ ≤ (1 + ε𝒦)^T with ε = max (1 - z); and ∏ (1 - ‖J_s - I‖) ≤ σ_min."""
    cell = run.cell
    epsilon = 1 - float(cell.gate_values(run.trajectory)["keep"].min())
    constant = coupling_constant(equivalent_gru(subject(cell)))
    reach = epsilon * constant
    within = float(np.abs(run.trajectory.states[0]).max())
    hypotheses = (Hypothesis("start_size", within, "<=", 1.0), Hypothesis("epsilon_K", reach, "<", 1.0))
    facts = {"epsilon": epsilon, "coupling": constant}
    speaks = all(each.holds for each in hypotheses)
    smallest = log_smallest(run.products.last, run.products.log_scale)
    lower = run.steps * math.log1p(-reach) if speaks else None
    upper = run.steps * math.log1p(reach) if speaks else None
    distances = spectral_norms(J - np.eye(len(J)) for J in run.jacobians())
    largest = float(distances.max())
    return (
        Claim("T6", "T6lower", run.label, hypotheses, "lower", "state_smallest", lower, smallest, facts),
        Claim("T6", "T6upper", run.label, hypotheses, "upper", "state", upper, run.products.log_state, facts),
        Claim(
            "T6", "T6steps", run.label, (Hypothesis("step_distance", largest, "<", 1.0),), "lower", "state_smallest",
            float(np.log1p(-distances).sum()) if largest < 1 else None, smallest,
        ),
    )  # fmt: skip
