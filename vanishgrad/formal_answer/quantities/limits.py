"""T7 on an LSTM: what gates do not solve."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.formal_answer.claims import Claim, Hypothesis
from vanishgrad.formal_answer.quantities.lstm import Blocks
from vanishgrad.formal_answer.quantities.measured import MeasuredRun
from vanishgrad.formal_answer.quantities.retention import Coupling


def majorant_radius(phi_bar: float, kappa: float, omega: float, eta: float) -> float:
    """Return ρ(M₊), the larger root of ϱ² - τ₊ϱ + ωφ̄ with τ₊ = φ̄ + ω + κη."""
    tau = phi_bar + omega + kappa * eta
    return (tau + math.sqrt(tau**2 - 4 * omega * phi_bar)) / 2


def majorant_norm(phi_bar: float, kappa: float, omega: float, eta: float, steps: int) -> float:
    """Return ln ‖M₊^T‖₂ of M₊ = [[ω + ηκ, ηφ̄], [κ, φ̄]]."""
    M, log_scale = np.array([[omega + eta * kappa, eta * phi_bar], [kappa, phi_bar]]), 0.0
    product = np.eye(2)
    for _ in range(steps):
        product = M @ product
        size = float(product.max())
        product, log_scale = product / size, log_scale + math.log(size)
    return float(np.log(np.linalg.norm(product, 2))) + log_scale


def vanishing(run: MeasuredRun, numbers: Coupling) -> Claim:
    """T7(a): κη < (1-φ̄)(1-ω) proves that the whole state's gradient vanishes, ‖J_{T:0}‖ ≤ ‖M₊^T‖."""
    _, kappa, omega, eta = numbers.worst
    room = (1 - numbers.phi_bar) * (1 - omega) - kappa * eta
    speaks, radius = room > 0 and omega < 1, majorant_radius(numbers.phi_bar, kappa, omega, eta)
    return Claim(
        "T7", "T7a", run.label,
        (Hypothesis("omega", omega, "<", 1.0), Hypothesis("room", room, ">", 0.0)), "upper", "state",
        majorant_norm(numbers.phi_bar, kappa, omega, eta, run.steps) if speaks else None, run.products.log_state,
        {"phi_bar": numbers.phi_bar, "kappa_eta": kappa * eta, "rho_plus": radius},
    )  # fmt: skip


def volume(run: MeasuredRun, blocks: Blocks) -> Claim:
    """T7(c): Σ λ_i ≤ ln |det W^o| - n ln 4 for every input, so that below zero some direction always dies."""
    n, log_det = run.cell.hidden_size, float(np.linalg.slogdet(blocks.weights["o"])[1])
    bound = log_det - n * math.log(4)
    return Claim(
        "T7", "T7c", run.label, (), "upper", "exponent_sum", bound, float(blocks.log_determinants().sum()) / run.steps,
        {"log_det_output": log_det},
    )  # fmt: skip
