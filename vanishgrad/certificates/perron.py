r"""Collatz–Wielandt bound: any x > 0 with T x ≤ ρ x bounds a monotone, homogeneous map T, and a matrix |J| ≤ T.

If |J_t| x ≤ ρ x entrywise at every step then |J_{t:k}| x ≤ ρ^{t-k} x, so every row sum of |J_{t:k}| is at most
ρ^{t-k} max x / min x, and ‖J_{t:k}‖₂ ≤ √m ‖J_{t:k}‖_∞ ≤ √m (max x / min x) ρ^{t-k}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from vanishgrad.arrays import Array

ITERATIONS = 60
ADDED_FRACTIONS = (1e-2, 1e-5, 1e-9)
"""Fractions of the mean added to every entry: a reducible T has no positive vector of its own."""


def positive_vectors(T: Callable[[Array], Array], size: int) -> Iterator[Array]:
    """Yield candidates for x, each from a damped power iteration on T plus a small multiple of the mean."""
    for rest in ADDED_FRACTIONS:
        x = np.ones(size)
        for _ in range(ITERATIONS):
            with np.errstate(over="ignore"):
                y = T(x)
            if not np.isfinite(y).all() or y.max() == 0:
                break
            x = x / x.max() + (y + rest * y.mean()) / y.max()
        yield rounded(x / x.max())


def rounded(x: Array) -> Array:
    """Return x with 24 binary digits: exact arithmetic on it is cheaper, and any positive x serves."""
    return np.maximum(x, 1e-30).astype(np.float32).astype(np.float64)


def perron_scale(W: Array) -> Array:
    """Return Δ = diag √(y/x), x and y the Perron vectors of |W|: ‖ΔWΔ⁻¹‖₂ ≤ ρ(|W|) for it."""
    A = np.abs(W) / max(float(np.abs(W).max(initial=0.0)), np.finfo(float).tiny) + 1e-9
    (x, *_), (y, *_) = (list(positive_vectors(lambda v, M=M: M @ v, len(W))) for M in (A, A.T))  # type: ignore[misc]
    return np.sqrt(y / x)
