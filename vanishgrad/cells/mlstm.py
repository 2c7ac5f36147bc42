"""mLSTM, the matrix memory of xLSTM: linear attention with a forget gate for each head (Beck et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.activations import SIGMOID
from vanishgrad.cells.key_side import KeySide, KeySideCell, KeySideLinearisation
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.published_law import Draw, Tensors, linear_uniform
from vanishgrad.random_streams import Role

LOWEST_FORGET_BIAS, HIGHEST_FORGET_BIAS, INPUT_BIAS_DEVIATION = 3.0, 6.0, 0.1


class MLSTM(KeySideCell):
    r"""S_t = σ(a_f) S_{t-1} + e^{a_i} v_t k_tᵀ/√d_k, a_f and a_i one number a head: J_t = σ(a_f) I in each head.

    S is the paper's memory without its stabiliser, C e^m: (C, n, m) and (C e^{-s}, n e^{-s}, m + s) are one memory. The
    normaliser n e^m has the same Jacobian, and only h = Sᵀq/max(|nᵀq|, 1) reads both.

    Beck, Pöppel, Spanring, Auer, Prudnikova, Kopp, Klambauer, Brandstetter and Hochreiter (2024), "xLSTM: extended long
    short-term memory". Published law: xlstm's, no weights of the gates, forget biases from 3 to 6 over the heads, input
    biases N(0, 0.1²); v and k of an nn.Linear without bias.

    Parameters
    ----------
    W_hx : (S, n + H d_k + 2 H, d) array
        Rows of v, k, i and f.
    b : (S, n + H d_k + 2 H) array
    heads, keys : int
        H and d_k.
    """

    name = "mlstm"
    is_diagonal = True

    def __init__(self, W_hx: Array, b: Array, heads: int = 4, keys: int = 16) -> None:
        super().__init__(W_hx, b, heads, keys)

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return v and k of an nn.Linear, gates of their biases alone."""
        heads, keys = int(draw.keys["heads"]), int(draw.keys["keys"])
        rows = draw.n + heads * keys
        W_hx = np.concatenate([linear_uniform(draw.of(Role.W_HX), rows, draw.d), np.zeros((2 * heads, draw.d))])
        b_i = draw.of(Role.OTHER_TENSOR).standard_normal(heads) * INPUT_BIAS_DEVIATION
        b_f = np.linspace(LOWEST_FORGET_BIAS, HIGHEST_FORGET_BIAS, heads)
        return {"W_hx": W_hx, "b": np.concatenate([np.zeros(rows), b_i, b_f])}

    @classmethod
    def other_rows(cls, numbers: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> int:
        """Return the rows of k, i and f."""
        return int(numbers["heads"]) * (int(numbers["keys"]) + 2)

    def key_side(self, record: Array) -> KeySide:
        """Return w = σ(a_f), r = e^{a_i} k/√d_k; nothing is erased."""
        n, H, K = self.hidden_size, self.heads, self.keys
        k = record[..., n : n + H * K].reshape(*record.shape[:-1], H, K) * K**-0.5
        write, keep = np.exp(record[..., -2 * H : -H])[..., None], SIGMOID.phi(record[..., -H:])[..., None]
        return KeySide(keep + 0 * k, write * k, record[..., :n])

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return σ(a_f), (T', B, n·d_k)."""
        sizes: Array = np.exp(self.log_multipliers(a, before, after))
        return sizes

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln σ(a_f) = -ln(1 + e^{-a_f}), (T', B, n·d_k)."""
        logs: Array = -np.logaddexp(0, -a[..., -self.heads :])
        return np.repeat(logs[..., self.head_of], self.keys, axis=-1)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _MLSTMLinearisation(self, states, records, start)


class _MLSTMLinearisation(KeySideLinearisation):
    """All of it is the conveyor."""

    def conveyor(self, t: int) -> Array:
        w, _, _ = self._at(t)
        return w.reshape(len(w), -1)
