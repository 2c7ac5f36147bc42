"""Mamba-2's recurrence: a state-space model whose decay is one number for each head (Dao and Gu 2024)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vanishgrad.arrays import Array, floating, for_each_sequence
from vanishgrad.cells.key_side import KeySide, KeySideCell, KeySideLinearisation, silu
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.mamba import LARGEST_STEP, SMALLEST_STEP, softplus
from vanishgrad.cells.published_law import Draw, Tensors, linear_uniform
from vanishgrad.random_streams import Role


class Mamba2(KeySideCell):
    r"""S_t = α_t S_{t-1} + Δ_t u_t B_tᵀ, α = e^{Δ A}, A = -e^{A_log} and Δ one number a head: J_t = α_t I in each head.

    u = silu(W_u x), B = silu(W_B x), Δ = softplus(W_dt x + b_dt); S (n, N), of which y = S C + D u is read. G groups
    of consecutive heads have a B each. The causal convolution before silu, gate and norm are not in the recurrence.

    Dao and Gu (2024), "Transformers are SSMs: generalized models and efficient algorithms through structured
    state-space duality". Published law: transformers', A_h = -1 … -H over the heads, softplus(b_dt) log-uniform on
    [0.001, 0.1], W_hx of an nn.Linear without bias, U(±1/√d).

    Parameters
    ----------
    W_hx : (S, n + G·N + H, d) array
        Rows of u, B and Δ.
    b : (S, n + G·N + H) array
        dt_bias in the rows of Δ.
    A_log : (S, H) array
    heads, states, groups : int
        H, N and G.
    """

    name = "mamba2"
    tensors = ("W_hx", "b", "A_log")
    is_diagonal = True

    def __init__(self, W_hx: Array, b: Array, A_log: Array, heads: int = 4, states: int = 16, groups: int = 1) -> None:
        super().__init__(W_hx, b, heads, states)
        self.groups = int(groups)
        self.A_log, self.states = np.atleast_2d(A_log), self.keys

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return W_hx of an nn.Linear without bias, and dt_bias of log-uniform step sizes."""
        heads, rows = int(draw.keys["heads"]), draw.n + cls.other_rows(draw.keys, {})
        low, high = math.log(SMALLEST_STEP), math.log(LARGEST_STEP)
        steps = np.exp(draw.of(Role.OTHER_TENSOR).uniform(low, high, heads))
        b = np.concatenate([np.zeros(rows - heads), np.log(np.expm1(steps))])
        return {"W_hx": linear_uniform(draw.of(Role.W_HX), rows, draw.d), "b": b}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return A_log = ln 1 … ln H."""
        return {"A_log": np.log(np.arange(1, int(draw.keys["heads"]) + 1))}

    @classmethod
    def other_rows(cls, numbers: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> int:
        """Return the rows of B and Δ."""
        return int(numbers["groups"]) * int(numbers["states"]) + int(numbers["heads"])

    def log_decay(self, record: Array) -> Array:
        """Return Δ and ln α = Δ A, stacked: (2, …, H)."""
        rate = for_each_sequence(np.exp(floating(self.A_log)), record.shape[-2])
        step = softplus(record[..., -self.heads :])
        return np.stack([step, -step * rate])

    def key_side(self, record: Array) -> KeySide:
        """Return w = α, r = Δ B; nothing is erased."""
        n = self.hidden_size
        step, log_alpha = self.log_decay(record)
        B = silu(record[..., n : n + self.groups * self.keys]).reshape(*record.shape[:-1], self.groups, self.keys)
        B = B[..., np.arange(self.heads) * self.groups // self.heads, :]
        alpha = np.exp(log_alpha)[..., None]
        return KeySide(alpha * np.ones_like(B), step[..., None] * B, silu(record[..., :n]))

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return α, (T', B, n·N)."""
        sizes: Array = np.exp(self.log_multipliers(a, before, after))
        return sizes

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln α = Δ A, (T', B, n·N)."""
        return np.repeat(self.log_decay(a)[1][..., self.head_of], self.keys, axis=-1)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _Mamba2Linearisation(self, states, records, start)


class _Mamba2Linearisation(KeySideLinearisation):
    """All of it is the conveyor."""

    def conveyor(self, t: int) -> Array:
        w, _, _ = self._at(t)
        return w.reshape(len(w), -1)
