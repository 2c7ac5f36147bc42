"""T9: attention's gradient at every distance, for scaled dot products and for additive scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vanishgrad.cells.arrays import Array


@dataclass(frozen=True, eq=False)
class Attention:
    """c = Σ α_s W_v h_s with α = softmax of the scores e_s = a(q, h_s) / temperature.

    Attributes
    ----------
    W_v : (d, d) array
    h : (T, d) array
    scores : (T,) array
    score_gradients : (T, d) array
        ∇_h a at every h_s.
    """

    W_v: Array
    h: Array
    scores: Array
    score_gradients: Array

    @property
    def alpha(self) -> Array:
        """The weights α, (T,)."""
        e = np.exp(self.scores - self.scores.max())
        alpha: Array = e / e.sum()
        return alpha

    def gradient(self, s: int) -> Array:
        """Return ∂c/∂h_s = α_s [W_v + (v_s - c)(∇_h a)ᵀ], (d, d)."""
        values = self.h @ self.W_v.T
        moved = np.outer(values[s] - self.alpha @ values, self.score_gradients[s])
        return np.asarray(self.alpha[s] * (self.W_v + moved))

    def floor(self, s: int) -> float:
        """Return α_s (σ_min(W_v) - ‖v_s - c‖ ‖∇_h a‖) ≤ σ_min(∂c/∂h_s)."""
        values = self.h @ self.W_v.T
        least = float(np.linalg.svd(self.W_v, compute_uv=False)[-1])
        moved = float(np.linalg.norm(values[s] - self.alpha @ values) * np.linalg.norm(self.score_gradients[s]))
        return float(self.alpha[s]) * (least - moved)


def dot_product(W_v: Array, W_k: Array, q: Array, h: Array) -> Attention:
    """Return attention with scores qᵀ W_k h_s / √d."""
    slope = W_k.T @ q / math.sqrt(len(q))
    return Attention(W_v, h, h @ slope, np.broadcast_to(slope, h.shape))


def additive(W_v: Array, W_q: Array, W_k: Array, w: Array, q: Array, h: Array) -> Attention:
    """Return attention with Bahdanau's scores wᵀ tanh(W_q q + W_k h_s), which Xu et al. 2015 use too."""
    inner = np.tanh(h @ W_k.T + W_q @ q)
    return Attention(W_v, h, inner @ w, (w * (1 - inner**2)) @ W_k)


def example(steps: int, width: int = 8, seed: int = 0) -> dict[str, float]:
    """Return the gradient at the oldest of T positions: weight, floor, σ_min, norm and the guarantee e^(-2B)/T."""
    draw = np.random.default_rng(seed)
    W_v = np.linalg.qr(draw.standard_normal((width, width)))[0]
    W_k, q = draw.standard_normal((width, width)) * 0.1, draw.standard_normal(width)
    h = np.tanh(draw.standard_normal((steps, width)))
    found = dot_product(W_v, W_k, q, h)
    sigma = np.linalg.svd(found.gradient(0), compute_uv=False)
    largest = float(np.abs(found.scores).max())
    return {
        "steps": float(steps), "alpha": float(found.alpha[0]), "alpha_floor": math.exp(-2 * largest) / steps,
        "floor": found.floor(0), "smallest": float(sigma[-1]), "norm": float(sigma[0]),
    }  # fmt: skip
