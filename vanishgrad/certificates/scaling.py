r"""A diagonal Δ for which ‖ΔWΔ⁻¹‖₂ is small: the norm in which the step contracts.

ln ‖ΔWΔ⁻¹‖₂ is convex in ln Δ but has kinks where singular values meet. Minimised instead is the smooth

    f_p(δ) = (1/2p) ln Σ_k σ_k(ΔWΔ⁻¹)^{2p},   ∂f_p/∂δ_i = Σ_k w_k (u_ki² - v_ki²),   w_k = σ_k^{2p} / Σ σ^{2p},   Δ =
    diag e^δ,

which exceeds ln σ₁ by at most ln(n)/2p, for growing p, by BFGS. Any Δ is a valid witness; a good one is tight.
"""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array

POWERS = (2, 8, 32, 128, 512)
WORK = 3e8
"""Multiplications that the search may cost in all: none is left of it from n = 400 on, where it gains nothing."""
STEPS = 60


def balanced_scale(W: Array, start: Array) -> Array:
    """Return a Δ near the minimiser of ‖ΔWΔ⁻¹‖₂, with 12 binary digits."""
    n = len(W)
    steps = min(STEPS, int(WORK / (len(POWERS) * 20 * n**3)))
    delta, W = np.log(start), W / max(float(np.abs(W).max()), np.finfo(float).tiny)
    for p in POWERS:
        delta = _descended(W, delta, p, steps)
    return short(np.exp(delta - delta.mean()))


def short(scale: Array) -> Array:
    """Return positive numbers rounded to 12 binary digits."""
    mantissa, exponent = np.frexp(scale)
    return np.ldexp(np.rint(np.ldexp(mantissa, 12)), exponent - 12)


def _descended(W: Array, delta: Array, p: int, steps: int) -> Array:
    """Return δ after some steps of BFGS with backtracking (Armijo's constant 1e-4)."""
    value, slope = _smooth(W, delta, p)
    H = np.eye(len(W))
    for _ in range(steps):
        direction = -H @ slope
        descent, length = float(slope @ direction), 1.0
        if descent > -1e-14:
            break
        while length > 1e-6 and not _smooth(W, delta + length * direction, p)[0] <= value + 1e-4 * length * descent:
            length /= 2
        step = length * direction
        new_value, new_slope = _smooth(W, delta + step, p)
        if not new_value < value:
            break
        H = _updated(H, step, new_slope - slope)
        delta, value, slope = delta + step, new_value, new_slope
    return delta


def _updated(H: Array, step: Array, change: Array) -> Array:
    curvature = float(step @ change)
    if curvature <= 1e-14:
        return H
    V = np.eye(len(H)) - np.outer(step, change) / curvature
    updated: Array = V @ H @ V.T + np.outer(step, step) / curvature
    return updated


def _smooth(W: Array, delta: Array, p: int) -> tuple[float, Array]:
    if not np.abs(delta).max() < 100:
        return np.inf, np.zeros_like(delta)
    scale = np.exp(delta)
    U, sigma, Vt = np.linalg.svd(scale[:, None] * W / scale)
    if sigma[0] == 0:
        return -np.inf, np.zeros_like(delta)
    weights = (sigma / sigma[0]) ** (2 * p)
    value = np.log(sigma[0]) + np.log(weights.sum()) / (2 * p)
    return float(value), (U**2 @ weights - Vt.T**2 @ weights) / weights.sum()
