"""S4D and S5: a diagonal state-space model of complex numbers, discretised by a step size (Gu et al. 2022)."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array, floating, for_each_sequence
from vanishgrad.cells.lru import LRU
from vanishgrad.cells.mamba import LARGEST_STEP, SMALLEST_STEP
from vanishgrad.cells.published_law import Draw, Tensors
from vanishgrad.random_streams import Role


class S4D(LRU):
    r"""x_t = Λ̄ ⊙ x_{t-1} + B̄ u_t + b, Λ̄ = e^{ΛΔ}, B̄ = (Λ̄ - 1)/Λ · B: J = diag Λ̄, whatever the input.

    The zero-order hold of dx/dt = Λ x + B u over a step Δ of the unit's own. The state is (h, im) = (Re x, Im x) as an
    LRU's. Time constants are -1/(Re Λ Δ) steps; Re Λ > 0 grows.

    Gu, Gupta, Goel and Ré (2022), "On the parameterization and initialization of diagonal state space models"; Smith,
    Warrington and Linderman (2023), "Simplified state space layers for sequence modeling" (S5). Published law: S4D-Lin,
    Λ_n = -1/2 + i π n for the n-th of a channel's `states` states, B = 1, Δ of a channel log-uniform on [0.001, 0.1];
    a channel reads one input.

    Parameters
    ----------
    W_hx : (S, 2·n, d) array
        Re B̄, then Im B̄.
    b : (S, 2·n) array
    Lambda_re, Lambda_im, log_step : (S, n) arrays
        Λ and ln Δ.
    states : int
        Of a channel, of the law.
    """

    name = "s4d"
    tensors = ("W_hx", "b", "Lambda_re", "Lambda_im", "log_step")
    has_weights = False

    def __init__(
        self, W_hx: Array, b: Array, Lambda_re: Array, Lambda_im: Array, log_step: Array, states: int = 32
    ) -> None:
        zeros = np.zeros((1, W_hx.shape[-2] // 2), W_hx.dtype)
        super().__init__(W_hx, b, zeros, zeros, zeros)
        self.Lambda_re, self.Lambda_im, self.log_step = map(np.atleast_2d, (Lambda_re, Lambda_im, log_step))
        self.states = int(states)

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return B̄ of B = 1 for the input of each channel."""
        own = cls.other_tensors(draw)
        B = np.zeros((draw.n, draw.d))
        B[np.arange(draw.n), np.arange(draw.n) // int(draw.keys["states"]) % draw.d] = 1
        Lambda = own["Lambda_re"] + 1j * own["Lambda_im"]
        held = zero_order_hold(Lambda, own["log_step"], B.astype(complex))
        return {"W_hx": np.concatenate([held.real, held.imag]), "b": np.zeros(2 * draw.n)}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return S4D-Lin's Λ and step sizes."""
        N = int(draw.keys["states"])
        channels = np.arange(draw.n) // N
        low, high = math.log(SMALLEST_STEP), math.log(LARGEST_STEP)
        log_step = draw.of(Role.OTHER_TENSOR).uniform(low, high, channels[-1] + 1)[channels]
        return {"Lambda_re": np.full(draw.n, -0.5), "Lambda_im": np.pi * (np.arange(draw.n) % N), "log_step": log_step}

    def _log_eigenvalues(self) -> Array:
        """Return ln Λ̄ = Λ Δ, (S, n)."""
        step = np.exp(floating(self.log_step))
        logs: Array = (floating(self.Lambda_re) + 1j * floating(self.Lambda_im)) * step
        return logs

    def eigenvalues(self, batch: int) -> tuple[Array, Array]:
        """Return Re Λ̄ and Im Λ̄, each (B | 1, n)."""
        Lambda = for_each_sequence(np.exp(self._log_eigenvalues()), batch)
        return Lambda.real, Lambda.imag

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return |Λ̄| at every step."""
        return np.exp(self.log_multipliers(a, before, after).real)

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln Λ̄ = Λ Δ at every step."""
        logs = for_each_sequence(self._log_eigenvalues(), a.shape[1])
        by_step: Array = np.broadcast_to(logs, (*a.shape[:2], self.hidden_size))
        return by_step


def zero_order_hold(Lambda: Array, log_step: Array, B: Array) -> Array:
    """Return B̄ = (e^{ΛΔ} - 1)/Λ · B, (n, d), Δ B where Λ is 0."""
    step = np.exp(log_step)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(Lambda == 0, step, np.expm1(Lambda * step) / Lambda)
    held: Array = factor[:, None] * B
    return held
