"""RWKV-7's recurrence: a decay for each key channel, and the generalised delta rule (Peng et al. 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vanishgrad.arrays import Array, floating, for_each_sequence
from vanishgrad.cells.activations import SIGMOID
from vanishgrad.cells.key_side import KeySide, KeySideCell
from vanishgrad.cells.published_law import Draw, Tensors
from vanishgrad.random_streams import Role

FASTEST = 0.606531
"""e^{-1/2} as the rwkv package has it: w ≥ exp(-0.606531) = 0.545."""
RANK = 32
"""Of the low-rank projections that w and a are made of."""
SMALLEST_NORM = 1e-12


class RWKV7(KeySideCell):
    r"""S_t = S_{t-1} (diag w - κ̂ (a ⊙ κ̂)ᵀ) + v k̃ᵀ, S (n, d_k): J_t = (diag w - (a ⊙ κ̂) κ̂ᵀ) on the key side of a head.

    k = W_k x, v = W_v x, w = exp(-0.606531 σ(w0 + W_w2 tanh(W_w1 x))), a = σ(a0 + W_a2 W_a1 x), κ = k ⊙ k_k,
    κ̂ = κ/‖κ‖ in each head, k̃ = k ⊙ (1 + (a - 1) ⊙ k_a). Not symmetric: its norm may exceed its radius. The token
    shift before the projections, the mixing of values between layers and the read-out are not in the recurrence.

    Peng et al. (2025), "RWKV-7 Goose with expressive dynamic state evolution". Published law: RWKV-LM's of a first
    layer: W_w1 = W_a1 = 0, so that w0 alone decides, w0 = -6.5 + 5 (i/(C - 1))^0.85 over the C = H d_k key channels,
    a0 = 0, k_k = 0.85, k_a = 1, W_k U(±0.05/√C), W_v U(±0.5/√C), W_w2 and W_a2 of orthogonal columns times 0.1.

    Parameters
    ----------
    W_hx : (S, n + H·d_k + 2 R, d) array
        Rows of v, k, W_w1 and W_a1.
    b : (S, n + H·d_k + 2 R) array
        Zero in the paper.
    W_w, W_a : (S, H·d_k, R) arrays
        W_w2 and W_a2.
    w0, a0, k_k, k_a : (S, H·d_k) arrays
    heads, keys : int
        H and d_k.
    """

    name = "rwkv7"
    tensors = ("W_hx", "b", "W_w", "w0", "W_a", "a0", "k_k", "k_a")

    def __init__(
        self, W_hx: Array, b: Array, W_w: Array, w0: Array, W_a: Array, a0: Array, k_k: Array, k_a: Array,
        heads: int = 4, keys: int = 16,
    ) -> None:  # fmt: skip
        self.W_w, self.W_a = (each if each.ndim > 2 else each[None] for each in (W_w, W_a))
        self.w0, self.a0, self.k_k, self.k_a = map(np.atleast_2d, (w0, a0, k_k, k_a))
        super().__init__(W_hx, b, heads, keys)

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return W_v and W_k uniform, and W_w1 = W_a1 = 0."""
        size = int(draw.keys["heads"]) * int(draw.keys["keys"])
        uniform = draw.of(Role.W_HX).uniform(-1, 1, (draw.n + size, draw.d)) * size**-0.5
        uniform[: draw.n] *= 0.5
        uniform[draw.n :] *= 0.05
        rows = draw.n + size + 2 * RANK
        return {"W_hx": np.concatenate([uniform, np.zeros((2 * RANK, draw.d))]), "b": np.zeros(rows)}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return what w, a, κ and k̃ are made of."""
        size = int(draw.keys["heads"]) * int(draw.keys["keys"])
        place = np.arange(size) / max(size - 1, 1)
        return {
            "W_w": _orthogonal(draw, 0, size),
            "w0": -6.5 + 5 * place**0.85,
            "W_a": _orthogonal(draw, 1, size),
            "a0": np.zeros(size),
            "k_k": np.full(size, 0.85),
            "k_a": np.ones(size),
        }

    @property
    def rank(self) -> int:
        """R."""
        return int(self.W_w.shape[-1])

    @classmethod
    def other_rows(cls, numbers: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> int:
        """Return the rows of k, W_w1 and W_a1."""
        return int(numbers["heads"]) * int(numbers["keys"]) + 2 * shapes["W_w"][-1]

    def key_side(self, record: Array) -> KeySide:
        """Return w, p = a ⊙ κ̂, q = κ̂, r = k̃."""
        n, size, batch = self.hidden_size, self.heads * self.keys, record.shape[-2]
        v, k = record[..., :n], record[..., n : n + size]
        of_w, of_a = record[..., n + size : n + size + self.rank], record[..., n + size + self.rank :]
        w0, a0, k_k, k_a = (for_each_sequence(floating(each), batch) for each in (self.w0, self.a0, self.k_k, self.k_a))
        w = np.exp(-FASTEST * SIGMOID.phi(w0 + _through(self.W_w, np.tanh(of_w))))
        a = SIGMOID.phi(a0 + _through(self.W_a, of_a))
        w, a, k_k, k, k_a = (each.reshape(*each.shape[:-1], self.heads, self.keys) for each in (w, a, k_k, k, k_a))
        kappa = k * k_k
        squared = (kappa**2).sum(axis=-1, keepdims=True)
        unit = kappa / np.sqrt(np.where(squared.real > SMALLEST_NORM**2, squared, SMALLEST_NORM**2))
        return KeySide(w, k * (1 + (a - 1) * k_a), v, a * unit, unit)


def _through(W: Array, x: Array) -> Array:
    """Return W x, W (S, p, q) and x (…, B, q)."""
    W = for_each_sequence(floating(W), x.shape[-2])
    product: Array = (x[..., None, :] @ np.matrix_transpose(W))[..., 0, :]
    return product


def _orthogonal(draw: Draw, place: int, size: int) -> Array:
    """Return a matrix (size, R) by torch's `orthogonal_`, of gain 0.1, and √(R/size) times that where R is larger."""
    normal = draw.of(Role.OTHER_TENSOR, place).standard_normal((max(size, RANK), min(size, RANK)))
    Q, R = np.linalg.qr(normal)
    Q = Q * np.sign(np.diagonal(R))
    return 0.1 * max(1.0, RANK / size) ** 0.5 * (Q if size >= RANK else Q.T)
