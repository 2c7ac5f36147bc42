"""DeltaNet and gated DeltaNet: linear attention that overwrites, by the delta rule (Yang et al. 2024 and 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vanishgrad.arrays import Array, floating, for_each_sequence
from vanishgrad.cells.activations import SIGMOID
from vanishgrad.cells.key_side import KeySide, KeySideCell, silu
from vanishgrad.cells.mamba import softplus
from vanishgrad.cells.published_law import Draw, Tensors, linear_uniform
from vanishgrad.random_streams import Role

EPSILON = 1e-6
"""Added to ‖k‖² before its root."""
LARGEST_RATE = 16.0
SMALLEST_RATE = 0.01
"""Between which e^{A_log} is uniform."""


class DeltaNet(KeySideCell):
    r"""S_t = (I - β k kᵀ) S_{t-1} + β k vᵀ, k = κ/√(‖κ‖² + ε), κ = silu(W_k x), v = silu(W_v x), β = g σ(W_β x).

    J_t = I - β_t k_t k_tᵀ on the key side of each head: with g = 1 it erases along k, and has norm 1; with g = 2 and
    β = 2 it is a Householder reflection and loses nothing. The causal convolution before silu, the query that reads
    S and the output projection are not in the recurrence.

    Yang, Wang, Zhang, Shen and Kim (2024), "Parallelizing linear transformers with the delta rule over sequence
    length"; g = 2: Grazzi et al. (2025), "Unlocking state-tracking in linear RNNs through negative eigenvalues".
    Published law: that of nn.Linear without bias, U(±1/√d).

    Parameters
    ----------
    W_hx : (S, n + H·d_k + H, d) array
        Rows of v, k and β.
    b : (S, n + H·d_k + H) array
        Zero in the paper.
    heads, keys : int
        H and d_k.
    reach : float
        g.
    """

    name = "deltanet"

    def __init__(self, W_hx: Array, b: Array, heads: int = 4, keys: int = 16, reach: float = 1.0) -> None:
        super().__init__(W_hx, b, heads, keys)
        self.reach = reach

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return W_hx of an nn.Linear without bias."""
        rows = draw.n + cls.other_rows(draw.keys, {})
        return {"W_hx": linear_uniform(draw.of(Role.W_HX), rows, draw.d), "b": np.zeros(rows)}

    @classmethod
    def other_rows(cls, numbers: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> int:
        """Return the rows of k and β."""
        return int(numbers["heads"]) * (int(numbers["keys"]) + 1)

    def unit_keys(self, record: Array) -> Array:
        """Return k, (…, H, d_k)."""
        n, size = self.hidden_size, self.heads * self.keys
        kappa = silu(record[..., n : n + size]).reshape(*record.shape[:-1], self.heads, self.keys)
        unit: Array = kappa / np.sqrt((kappa**2).sum(axis=-1, keepdims=True) + EPSILON)
        return unit

    def rate(self, record: Array) -> Array:
        """Return β, (…, H, 1)."""
        first = self.hidden_size + self.heads * self.keys
        beta: Array = self.reach * SIGMOID.phi(record[..., first : first + self.heads])[..., None]
        return beta

    def key_side(self, record: Array) -> KeySide:
        """Return w = 1, p = r = β k, q = k."""
        k, beta = self.unit_keys(record), self.rate(record)
        return KeySide(np.ones_like(k), beta * k, silu(record[..., : self.hidden_size]), beta * k, k)


class GatedDeltaNet(DeltaNet):
    r"""S_t = α (I - β k kᵀ) S_{t-1} + β k vᵀ with α = exp(-e^{A_log} softplus(W_a x + b_a)): decay, then delta.

    J_t = α_t (I - β_t k_t k_tᵀ) on the key side of each head; k, v and β as in `DeltaNet`.

    Yang, Kautz and Hatamizadeh (2025), "Gated delta networks: improving Mamba2 with delta rule". Published law:
    Qwen3-Next's in transformers, e^{A_log} uniform on [0.01, 16], b_a = 1, matrices as nn.Linear's: α has median
    3.4e-5 where x is zero, so that nearly every new head forgets at once.

    Parameters
    ----------
    W_hx : (S, n + H·d_k + 2 H, d) array
        Rows of v, k, β and a.
    b : (S, n + H·d_k + 2 H) array
        dt_bias in the rows of a, zero elsewhere in the paper.
    A_log : (S, H) array
    """

    name = "gated-deltanet"
    tensors = ("W_hx", "b", "A_log")

    def __init__(self, W_hx: Array, b: Array, A_log: Array, heads: int = 4, keys: int = 16, reach: float = 1.0) -> None:
        super().__init__(W_hx, b, heads, keys, reach)
        self.A_log = np.atleast_2d(A_log)

    @classmethod
    def other_rows(cls, numbers: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> int:
        """Return the rows of k, β and a."""
        return int(numbers["heads"]) * (int(numbers["keys"]) + 2)

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return W_hx of an nn.Linear, and dt_bias = 1."""
        tensors = super().published(draw)
        tensors["b"][-int(draw.keys["heads"]) :] = 1.0
        return tensors

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return A_log."""
        rates = draw.of(Role.OTHER_TENSOR).uniform(SMALLEST_RATE, LARGEST_RATE, int(draw.keys["heads"]))
        return {"A_log": np.log(rates)}

    def key_side(self, record: Array) -> KeySide:
        """Return w = α, p = α β k, q = k, r = β k."""
        side = super().key_side(record)
        rate = for_each_sequence(np.exp(floating(self.A_log)), record.shape[-2])
        alpha = np.exp(-rate * softplus(record[..., -self.heads :]))[..., None]
        assert side.p is not None
        return side._replace(w=alpha * side.w, p=alpha * side.p)
