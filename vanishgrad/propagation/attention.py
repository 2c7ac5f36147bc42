"""Gradient of attention: what a query sends back to each of the earlier states, beside the recurrence.

The context of a query has a path of length one to every state, so that nothing in its gradient is exponential in the
distance; but the weights sum to 1, and what each state gets falls with their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array


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
        indirect = np.outer(values[s] - self.alpha @ values, self.score_gradients[s])
        return np.asarray(self.alpha[s] * (self.W_v + indirect))

    def orthogonal_norms(self) -> tuple[Array, Array]:
        r"""Return ‖∂c/∂h_s‖₂ and ‖∂c/∂h_s‖_F, each (T,), for an orthogonal W_v.

        α_s W_v (I + a wᵀ) with a = W_vᵀ (v_s - c), w = ∇_h a(q, h_s): beside ones, the singular values of I + a wᵀ are
        two with the product p = |1 + a·w| and the sum of squares S = 2 + 2 a·w + ‖a‖²‖w‖², so that
        σ₁ = (√(S + 2p) + √(S - 2p))/2. O(T d).
        """
        values = self.h @ self.W_v.T
        a, w = (values - self.alpha @ values) @ self.W_v, self.score_gradients
        along, size = np.vecdot(a, w), np.vecdot(a, a) * np.vecdot(w, w)
        product, squares = np.abs(1 + along), 2 + 2 * along + size
        pair = np.sqrt(squares + 2 * product) + np.sqrt(np.maximum(squares - 2 * product, 0))
        d = self.W_v.shape[0]
        spectral: Array = product if d == 1 else pair / 2
        return self.alpha * spectral, self.alpha * np.sqrt(d - 2 + squares)

    def floor(self, s: int) -> float:
        """Return α_s (σ_min(W_v) - ‖v_s - c‖ ‖∇_h a‖) ≤ σ_min(∂c/∂h_s)."""
        values = self.h @ self.W_v.T
        least = float(np.linalg.svd(self.W_v, compute_uv=False)[-1])
        indirect = float(np.linalg.norm(values[s] - self.alpha @ values) * np.linalg.norm(self.score_gradients[s]))
        return float(self.alpha[s]) * (least - indirect)


def dot_product(W_v: Array, W_k: Array, q: Array, h: Array) -> Attention:
    """Return attention with scores qᵀ W_k h_s / √d."""
    slope = W_k.T @ q / math.sqrt(len(q))
    return Attention(W_v, h, h @ slope, np.broadcast_to(slope, h.shape))


def additive(W_v: Array, W_q: Array, W_k: Array, w: Array, q: Array, h: Array) -> Attention:
    """Return attention with Bahdanau's scores wᵀ tanh(W_q q + W_k h_s), which Xu et al. 2015 use too."""
    inner = np.tanh(h @ W_k.T + W_q @ q)
    return Attention(W_v, h, inner @ w, (w * (1 - inner**2)) @ W_k)
