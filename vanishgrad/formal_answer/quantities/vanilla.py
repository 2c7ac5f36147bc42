"""T1 and T2 on a vanilla network: γ‖ΔWΔ⁻¹‖, the sandwich of the worst-case rate, and the determinant's lower bound."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import RNN
from vanishgrad.formal_answer.claims import Claim, Hypothesis
from vanishgrad.formal_answer.quantities.measured import MeasuredRun
from vanishgrad.propagation.singular_values.diagonal_scaling import bfgs, perron_vectors

SEARCH_ITERATIONS = 60
LARGEST_LOG_SCALE = 100.0
"""Of ln Δ: a reducible W has no best Δ, its search runs off to one that has no number."""
EXHAUSTIVE = 10
"""Up to this many units every principal submatrix is tried."""
REMEMBERED = 1e-3
"""δ of the effective memory ln(1/δ)/ln(1/ρ)."""


def contraction(run: MeasuredRun) -> Claim:
    """T1: ‖J_{t:k}‖₂ ≤ cond(Δ) (γ‖ΔWΔ⁻¹‖₂)^lag, with the better of Δ = I and the best Δ found."""
    cell = run.cell
    assert isinstance(cell, RNN)
    W, gamma = cell.W_hh[0], cell.activation.gamma
    plain, (scaled, log_condition) = gamma * norm(W), scaled_norm(W)
    rho = gamma * scaled
    bound = min(run.steps * log(plain), log_condition + run.steps * log(rho)) if rho < 1 else None
    return Claim(
        "T1", "T1", run.label,
        (Hypothesis("gamma_scaled_norm", rho, "<", 1.0),),
        "upper", "state", bound, run.products.log_state,
        {
            "gamma_norm": plain,
            "condition": math.exp(log_condition),
            "worst_case_at_least": gamma * principal_radius(W),
            "gamma_entrywise_radius": gamma * spectral_radius(np.abs(W)),
        }
        | ({"effective_memory": math.log(1 / REMEMBERED) / -log(rho)} if rho < 1 else {}),
    )  # fmt: skip


def explosion(run: MeasuredRun) -> Claim:
    """T2: |det J_{t:k}|^(1/m) ≤ ‖J_{t:k}‖, a lower bound on any cell."""
    log_bound = float(run.log_determinants.sum()) / run.cell.state_size
    return Claim(
        "T2", "T2", run.label, (), "lower", "state", log_bound, run.products.log_state,
        {"determinant_rate": log_bound / run.steps},
    )  # fmt: skip


def determinant_floor(run: MeasuredRun) -> Array:
    """Return the lower bound (1/m) Σ ln |det J_s| of ln ‖∂s_T/∂s_{T-lag}‖ by lag, (T + 1,)."""
    return np.concatenate([[0.0], np.cumsum(run.log_determinants[::-1])]) / run.cell.state_size


def log(value: float) -> float:
    """Return ln of a number that may be zero."""
    return math.log(value) if value else -math.inf


def norm(W: Array) -> float:
    """Return ‖W‖₂."""
    return float(np.linalg.norm(W, 2))


def spectral_radius(W: Array) -> float:
    """Return ρ(W), the largest modulus of an eigenvalue."""
    return float(np.abs(np.linalg.eigvals(W)).max())


def principal_radius(W: Array) -> float:
    """Return max ρ(W_SS) over all sets S of units, or for more than ten units over the pairs and the whole.

    γ times it is a lower bound of the worst-case rate over all inputs: the units of S at φ' = γ, the others saturated.
    """
    n = len(W)
    if n <= EXHAUSTIVE:
        return max(spectral_radius(W[np.ix_(S, S)]) for S in _subsets(n))
    d = np.diag(W)
    half_trace, determinant = (d[:, None] + d) / 2, d[:, None] * d - W * W.T
    pairs = np.abs(half_trace + np.sqrt((half_trace**2 - determinant).astype(complex)))
    np.fill_diagonal(pairs, np.abs(d))
    return max(float(pairs.max()), spectral_radius(W))


def _subsets(n: int) -> list[list[int]]:
    return [[i for i in range(n) if mask >> i & 1] for mask in range(1, 2**n)]


def scaled_norm(W: Array) -> tuple[float, float]:
    """Return the least ‖ΔWΔ⁻¹‖₂ found over positive diagonal Δ, and ln cond(Δ).

    Convex in x = ln Δ with gradient u² - v², u and v the leading singular vectors; BFGS from the Perron scaling of |W|.
    Whatever Δ it ends with, the bound is valid.
    """
    x, y = perron_vectors(W)
    searched = bfgs(partial(_log_scaled, W), np.log(y / x) / 2, SEARCH_ITERATIONS)
    best = min((np.zeros(len(W)), searched), key=lambda logs: _log_scaled(W, logs)[0])
    return math.exp(_log_scaled(W, best)[0]), float(best.max() - best.min())


def _log_scaled(W: Array, logs: Array) -> tuple[float, Array]:
    """Return ln ‖ΔWΔ⁻¹‖₂ and its gradient by ln Δ; infinite where Δ leaves the range of a float64."""
    if not np.abs(logs).max() < LARGEST_LOG_SCALE:
        return math.inf, np.zeros_like(logs)
    scale = np.exp(logs - logs.mean())
    u, sigma, v = np.linalg.svd(scale[:, None] * W / scale)
    return math.log(max(float(sigma[0]), np.finfo(float).tiny)), u[:, 0] ** 2 - v[0] ** 2
