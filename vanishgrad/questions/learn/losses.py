"""Losses of a read-out, with their gradients: logistic, cross entropy and squared."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from vanishgrad.arrays import Array


class Loss(ABC):
    """A loss ℓ(z, y) of a read-out z (…, o) and a target y, and whether z counts as correct."""

    name: str

    @abstractmethod
    def value(self, z: Array, y: Array) -> Array:
        """Return ℓ, (…,)."""

    @abstractmethod
    def gradient(self, z: Array, y: Array) -> Array:
        """Return ∂ℓ/∂z, (…, o)."""

    @abstractmethod
    def correct(self, z: Array, y: Array) -> Array:
        """Return whether the read-out says the target, (…,)."""


class Logistic(Loss):
    """ℓ = ln(1 + exp(-z)) for y = 1 and ln(1 + exp(z)) for y = 0; z (…, 1), y (…,) of 0 and 1."""

    name = "logistic"

    def value(self, z: Array, y: Array) -> Array:
        """Return ln(1 + exp(∓z)), which no z overflows."""
        loss: Array = np.logaddexp(0, np.where(y == 1, -z[..., 0], z[..., 0]))
        return loss

    def gradient(self, z: Array, y: Array) -> Array:
        """Return σ(z) - y, as ∓σ(∓z), which keeps its digits."""
        sign = np.where(y == 1, -1, 1).astype(z.dtype)[..., None]
        e = np.exp(-np.abs(z))
        return sign * np.where(sign * z >= 0, 1 / (1 + e), e / (1 + e))

    def correct(self, z: Array, y: Array) -> Array:
        """Return whether the sign of z is the target's."""
        return (z[..., 0] > 0) == (y == 1)


class CrossEntropy(Loss):
    """ℓ = ln Σ_j exp(z_j) - z_y; z (…, o), y (…,) of classes."""

    name = "cross entropy"

    def value(self, z: Array, y: Array) -> Array:
        """Return -ln of the softmax at the target."""
        shifted = z - z.max(axis=-1, keepdims=True)
        at_target = np.take_along_axis(shifted, y[..., None], axis=-1)[..., 0]
        loss: Array = np.log(np.exp(shifted).sum(axis=-1)) - at_target
        return loss

    def gradient(self, z: Array, y: Array) -> Array:
        """Return softmax(z) - e_y."""
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        at_target = np.take_along_axis(p, y[..., None], axis=-1)
        np.put_along_axis(p, y[..., None], at_target - 1, axis=-1)
        return p

    def correct(self, z: Array, y: Array) -> Array:
        """Return whether the target is the most probable class."""
        return z.argmax(axis=-1) == y


class Squared(Loss):
    """ℓ = Σ_j (z_j - y_j)² / o; z and y (…, o)."""

    name = "squared"
    TOLERANCE = 0.04
    """Within which an output counts as correct (Hochreiter and Schmidhuber 1997, section 5.4)."""

    def value(self, z: Array, y: Array) -> Array:
        """Return the mean square over the outputs."""
        loss: Array = ((z - y) ** 2).mean(axis=-1)
        return loss

    def gradient(self, z: Array, y: Array) -> Array:
        """Return 2 (z - y) / o."""
        return 2 * (z - y) / z.shape[-1]

    def correct(self, z: Array, y: Array) -> Array:
        """Return whether every output is within `TOLERANCE` of its target."""
        close: Array = (np.abs(z - y) < self.TOLERANCE).all(axis=-1)
        return close
