"""T9: attention's gradient at the oldest position."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.propagation.attention import dot_product


def example(steps: int, key_scale: float = 0.1, width: int = 8, seed: int = 0) -> dict[str, float]:
    """Return the gradient at the oldest of T positions: weight, floor, σ_min, norm and the guarantee e^(-2B)/T.

    Values have an orthogonal matrix; keys N(0, key_scale²).
    """
    draw = np.random.default_rng(seed)
    W_v = np.linalg.qr(draw.standard_normal((width, width)))[0]
    W_k, q = draw.standard_normal((width, width)) * key_scale, draw.standard_normal(width)
    h = np.tanh(draw.standard_normal((steps, width)))
    attention = dot_product(W_v, W_k, q, h)
    sigma = np.linalg.svd(attention.gradient(0), compute_uv=False)
    largest = float(np.abs(attention.scores).max())
    return {
        "steps": float(steps), "key_scale": key_scale,
        "alpha": float(attention.alpha[0]), "alpha_floor": math.exp(-2 * largest) / steps,
        "floor": attention.floor(0), "smallest": float(sigma[-1]), "norm": float(sigma[0]),
    }  # fmt: skip
