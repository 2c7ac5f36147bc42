r"""Diagonal scaling Δ for which ‖ΔWΔ⁻¹‖₂ is small: the norm in which the step contracts.

ln ‖ΔWΔ⁻¹‖₂ is convex in ln Δ but has kinks where singular values meet. Minimised instead is the smooth

    f_p(δ) = (1/2p) ln Σ_k σ_k(ΔWΔ⁻¹)^{2p},   ∂f_p/∂δ_i = Σ_k w_k (u_ki² - v_ki²),   w_k = σ_k^{2p} / Σ σ^{2p},   Δ =
    diag e^δ,

which exceeds ln σ₁ by at most ln(n)/2p, for growing p, by BFGS. Any Δ is a valid witness; a good one is tight.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.propagation.singular_values.diagonal_scaling import bfgs

POWERS = (2, 8, 32, 128, 512)
MAX_MULTIPLICATIONS = 3e8
"""Multiplications that the search may cost in all: none is left of it from n = 400 on, where it gains nothing."""
BFGS_STEPS = 60
"""Steps of the search for each of `POWERS`, at most."""
ROUNDOFF_DECREASE = 1e-14
"""Decrease of f_p, or its curvature along a step, that is roundoff."""


def balanced_scale(W: Array, start: Array) -> Array:
    """Return a Δ near the minimiser of ‖ΔWΔ⁻¹‖₂, with 12 binary digits."""
    n = len(W)
    steps = min(BFGS_STEPS, int(MAX_MULTIPLICATIONS / (len(POWERS) * 20 * n**3)))
    delta, W = np.log(start), W / max(float(np.abs(W).max()), np.finfo(float).tiny)
    for p in POWERS:
        delta = bfgs(partial(_smooth, W, p), delta, steps, ROUNDOFF_DECREASE)
    return short(np.exp(delta - delta.mean()))


def short(scale: Array) -> Array:
    """Return positive numbers rounded to 12 binary digits."""
    mantissa, exponent = np.frexp(scale)
    return np.ldexp(np.rint(np.ldexp(mantissa, 12)), exponent - 12)


def _smooth(W: Array, p: int, delta: Array) -> tuple[float, Array]:
    if not np.abs(delta).max() < 100:
        return np.inf, np.zeros_like(delta)
    scale = np.exp(delta)
    U, sigma, Vt = np.linalg.svd(scale[:, None] * W / scale)
    if sigma[0] == 0:
        return -np.inf, np.zeros_like(delta)
    weights = (sigma / sigma[0]) ** (2 * p)
    value = np.log(sigma[0]) + np.log(weights.sum()) / (2 * p)
    return float(value), (U**2 @ weights - Vt.T**2 @ weights) / weights.sum()
