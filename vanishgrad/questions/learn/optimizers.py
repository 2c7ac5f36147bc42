"""Optimizers: Adam and stochastic gradient descent, and the clipping of a gradient's norm; as PyTorch has them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from vanishgrad.arrays import Array

CLIP_EPSILON = 1e-6
"""Added to the norm that clipping divides by, as `torch.nn.utils.clip_grad_norm_` does."""


class Optimizer(ABC):
    """Turns gradients of S seeds, (S, P), into steps."""

    def __init__(self, lr: float) -> None:
        self.lr = lr

    @abstractmethod
    def step(self, gradient: Array) -> Array:
        """Return what is to be subtracted, (S, P)."""

    def keep(self, seeds: Array) -> None:
        """Go on with some of the seeds alone."""
        return


class StochasticGradientDescent(Optimizer):
    """θ ← θ - lr g."""

    def step(self, gradient: Array) -> Array:
        """Return lr g."""
        return self.lr * gradient


class Adam(Optimizer):
    """θ ← θ - lr m̂ / (√v̂ + ε) with running means m of g and v of g² (Kingma and Ba 2015)."""

    BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self._updates = 0
        self._m = self._v = np.zeros(())

    def step(self, gradient: Array) -> Array:
        """Return lr m̂ / (√v̂ + ε)."""
        self._updates += 1
        self._m = self.BETA_1 * self._m + (1 - self.BETA_1) * gradient
        self._v = self.BETA_2 * self._v + (1 - self.BETA_2) * gradient**2
        m_scale, v_scale = 1 - self.BETA_1**self._updates, (1 - self.BETA_2**self._updates) ** 0.5
        return self.lr / m_scale * self._m / (np.sqrt(self._v) / v_scale + self.EPSILON)

    def keep(self, seeds: Array) -> None:
        """Go on with the means of some seeds alone."""
        self._m, self._v = self._m[seeds], self._v[seeds]


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "sgd": StochasticGradientDescent}


def clip_factors(norms: Array, clip: float | None) -> Array:
    """Return by what each seed's gradient is multiplied, (S,), so that its norm is at most `clip`."""
    if clip is None:
        return np.ones_like(norms)
    return np.minimum(1.0, clip / (norms + CLIP_EPSILON))
