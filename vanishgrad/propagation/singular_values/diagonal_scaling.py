r"""Diagonal scaling: a Δ = diag(d) > 0 for which ‖ΔWΔ⁻¹‖₂ is small, the norm in which a step contracts.

The Perron vectors of |W| give a first one, with ‖ΔWΔ⁻¹‖₂ ≤ ρ(|W|); functions of ln d that are convex, as ln ‖ΔWΔ⁻¹‖₂
is, are minimised from there by BFGS. Whatever Δ a search ends with is a valid one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vanishgrad.arrays import Array

PERRON_ITERATIONS = 200
PRIMITIVE = 1e-3
"""Share of the mean of |W| that is added to every entry: the power iteration converges on a primitive matrix only."""
ARMIJO = 1e-4
"""Share of the linear decrease that a step has to bring."""
SHORTEST_STEP = 1e-6
"""Of the quasi-Newton step's length, below which the search ends."""


def perron_vectors(W: Array) -> tuple[Array, Array]:
    """Return the right and the left Perron vector of |W|, x and y, (…, n), of matrices (…, n, n): d = √(y/x).

    Power iteration, O(n²) for each of `PERRON_ITERATIONS`.
    """
    magnitude = np.abs(W)
    magnitude = magnitude + PRIMITIVE * magnitude.mean(axis=(-2, -1), keepdims=True) + np.finfo(W.dtype).tiny
    x, y = np.ones(W.shape[:-1]), np.ones(W.shape[:-1])
    for _ in range(PERRON_ITERATIONS):
        x, y = (magnitude @ x[..., None])[..., 0], (y[..., None, :] @ magnitude)[..., 0, :]
        x, y = x / x.max(axis=-1, keepdims=True), y / y.max(axis=-1, keepdims=True)
    return x, y


def bfgs(objective: Callable[[Array], tuple[float, Array]], x: Array, iterations: int, flat: float = 0.0) -> Array:
    """Return the x that so many iterations of BFGS lead to, by backtracking from the quasi-Newton step.

    `objective` returns a value and its gradient; a value that is no number is stepped back from. The search ends where
    the decrease is not above `flat`, and keeps its inverse Hessian where the curvature is not. O(n²) for each iteration
    beside the objective. Nocedal and Wright, Numerical Optimization, ch. 6.
    """
    value, gradient = objective(x)
    H = np.eye(len(x))
    for _ in range(iterations):
        direction, length = -H @ gradient, 1.0
        decrease = float(gradient @ direction)
        if not decrease < -flat:
            break
        while not (new := objective(x + length * direction))[0] <= value + ARMIJO * length * decrease:
            length /= 2
            if length < SHORTEST_STEP:
                return x
        step, change = length * direction, new[1] - gradient
        x, value, gradient = x + step, *new
        curvature = float(step @ change)
        if curvature > flat:
            V = np.eye(len(x)) - np.outer(step, change) / curvature
            H = V @ H @ V.T + np.outer(step, step) / curvature
    return x
