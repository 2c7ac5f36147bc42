"""LRU, the linear recurrent unit: a diagonal recurrence of complex numbers (Orvieto et al. 2023)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, floating, for_each_sequence, namespace
from vanishgrad.cells.activations import LINEAR, Activation
from vanishgrad.cells.cell import Part
from vanishgrad.cells.elementwise import ElementwiseCell, Slopes
from vanishgrad.cells.linearisation import Outer
from vanishgrad.cells.published_law import Draw, Tensors, no_columns
from vanishgrad.random_streams import Role


class LRU(ElementwiseCell):
    r"""x_t = λ ⊙ x_{t-1} + γ ⊙ (B u_t + b), λ = exp(-e^ν + i e^θ), γ = e^{γ_log}: J = diag λ, whatever the input.

    The state is (h, im) = (Re x, Im x), in which J is [[Re λ, -Im λ], [Im λ, Re λ]] unit by unit, of singular values
    |λ|; h is what a read-out Re(C x) with C = I sees. Time constants are e^{-ν} steps.

    Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu and De (2023), "Resurrecting recurrent neural networks for long
    sequences". Published law: lru-pytorch's and the paper's, |λ|² uniform on [r_min², r_max²], angles uniform on
    [0, 2π), γ = √(1 - |λ|²), Re B and Im B from N(0, 1/(2 d)); r_min = 0, r_max = 1.

    Parameters
    ----------
    W_hx : (S, 2·n, d) array
        Re B, then Im B.
    b : (S, 2·n) array
        Zero in the paper.
    nu_log, theta_log, gamma_log : (S, n) arrays
        ν, θ and γ_log.
    r_min, r_max : float
        Of the law.
    """

    name = "lru"
    seen_parts = 0
    tensors = ("W_hx", "b", "nu_log", "theta_log", "gamma_log")
    activation = LINEAR

    def __init__(
        self, W_hx: Array, b: Array, nu_log: Array, theta_log: Array, gamma_log: Array, r_min: float = 0.0,
        r_max: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__(no_columns(W_hx), W_hx, b)
        self.nu_log, self.theta_log, self.gamma_log = map(np.atleast_2d, (nu_log, theta_log, gamma_log))
        self.r_min, self.r_max = r_min, r_max

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return Re B and Im B from N(0, 1/(2 d)), and no biases."""
        normal = draw.of(Role.W_HX).standard_normal((2 * draw.n, draw.d))
        return {"W_hx": normal * (2 * draw.d) ** -0.5, "b": np.zeros(2 * draw.n)}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return ν, θ and γ_log of eigenvalues uniform on a ring."""
        u, angle = draw.of(Role.OTHER_TENSOR).random((2, draw.n))
        low, high = draw.keys["r_min"], draw.keys["r_max"]
        squared = np.clip(low**2 + u * (high**2 - low**2), np.finfo(float).tiny, 1 - np.finfo(float).eps)
        log_size = np.log(squared) / 2
        tiny = np.finfo(float).tiny
        theta = np.log(np.maximum(2 * np.pi * angle, tiny))
        return {"nu_log": np.log(-log_size), "theta_log": theta, "gamma_log": np.log1p(-squared) / 2}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The real part h, then the imaginary one."""
        return (Part("h", self.hidden_size), Part("im", self.hidden_size))

    @property
    def activations(self) -> tuple[Activation, ...]:
        """It is linear."""
        return (LINEAR,)

    def eigenvalues(self, batch: int) -> tuple[Array, Array]:
        """Return Re λ and Im λ, each (B | 1, n)."""
        size, angle = np.exp(-np.exp(floating(self.nu_log))), np.exp(floating(self.theta_log))
        re, im = size * np.cos(angle), size * np.sin(angle)
        return for_each_sequence(re, batch), for_each_sequence(im, batch)

    def state(self, record: Array, s: Array) -> Array:
        """Return (Re x_t, Im x_t)."""
        n = self.hidden_size
        re, im = self.eigenvalues(s.shape[-2])
        x_re, x_im = s[..., :n], s[..., n:]
        gamma = for_each_sequence(np.exp(floating(self.gamma_log)), s.shape[-2])
        moved = [re * x_re - im * x_im + gamma * record[..., :n], im * x_re + re * x_im + gamma * record[..., n:]]
        return namespace(s).concat(moved, axis=-1)

    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        like = 0 * a[..., : self.hidden_size] + 1
        re, im = (like * each for each in self.eigenvalues(a.shape[1]))
        gamma = like * for_each_sequence(np.exp(floating(self.gamma_log)), a.shape[1])
        kept = {("h", "h"): re, ("h", "im"): -im, ("im", "h"): im, ("im", "im"): re}
        return Slopes((gamma, gamma), kept, groups=((0,), (1,)))

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return |λ| at every step."""
        size = for_each_sequence(np.exp(-np.exp(self.nu_log)), a.shape[1])
        sizes: Array = np.broadcast_to(size, (*a.shape[:2], self.hidden_size))
        return sizes

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln λ = -e^ν + i e^θ at every step."""
        log_lambda = for_each_sequence(-np.exp(self.nu_log) + 1j * np.exp(self.theta_log), a.shape[1])
        logs: Array = np.broadcast_to(log_lambda, (*a.shape[:2], self.hidden_size))
        return logs

    def own_gradients(self, w: Array, a: Array, before: Array) -> tuple[Outer, ...]:
        n, (re, im) = self.hidden_size, self.eigenvalues(w.shape[0])
        rate, angle = (for_each_sequence(np.exp(floating(each)), w.shape[0]) for each in (self.nu_log, self.theta_log))
        gamma = for_each_sequence(np.exp(floating(self.gamma_log)), w.shape[0])
        carried_re, carried_im = re * before[:, :n] - im * before[:, n:], im * before[:, :n] + re * before[:, n:]
        w_re, w_im = w[:, :n], w[:, n:]
        return (
            Outer("nu_log", -rate * (w_re * carried_re + w_im * carried_im)),
            Outer("theta_log", angle * (w_im * carried_re - w_re * carried_im)),
            Outer("gamma_log", gamma * (w_re * a[:, :n] + w_im * a[:, n:])),
        )
