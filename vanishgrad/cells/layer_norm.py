"""Layer normalisation of vectors (Ba, Kiros and Hinton 2016), and its exact derivative."""

from __future__ import annotations

from vanishgrad.arrays import Array, for_each_sequence, namespace


class LayerNorm:
    r"""Layer normalisation y = gain ⊙ x̂ of vectors v of m numbers, without its shift.

    x̂ = (v - mean v) / σ with σ = √(var v + ε); its derivative is symmetric,

        dx̂/dv = (I - 11ᵀ/m - x̂x̂ᵀ/m) / σ .

    Parameters
    ----------
    v : (…, B, m) array
        Real or complex.
    gain : (S, m) array
        Each of S gains serves B / S consecutive vectors.
    epsilon : float
        ε, above 0: what keeps σ from 0, which counts where v is small, as W_hh h_0 of a zero start.
    """

    def __init__(self, v: Array, gain: Array, epsilon: float) -> None:
        xp = namespace(v)
        self._gain = for_each_sequence(gain, v.shape[-2])
        centred = v - xp.mean(v, axis=-1, keepdims=True)
        self._sigma = xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + epsilon)
        self.unscaled = centred / self._sigma

    @property
    def output(self) -> Array:
        """Return gain ⊙ x̂."""
        y: Array = self._gain * self.unscaled
        return y

    def cotangent(self, step: int, W: Array) -> Array:
        """Return W dy/dv, W (B, p, m), at a step of v (T, B, m)."""
        return self._through(step, W * self._gain[:, None], self.unscaled[step][:, None], -1)

    def tangent(self, step: int, V: Array) -> Array:
        """Return dy/dv V, V (B, m, q), at a step of v (T, B, m)."""
        pushed: Array = self._gain[..., None] * self._through(step, V, self.unscaled[step][..., None], -2)
        return pushed

    def _through(self, step: int, U: Array, x: Array, axis: int) -> Array:
        """Return the derivative of x̂ times U: U without its mean and without its share along x̂, over σ."""
        xp = namespace(U)
        lost = xp.mean(U, axis=axis, keepdims=True) + x * xp.mean(x * U, axis=axis, keepdims=True)
        image: Array = (U - lost) / self._sigma[step][..., None]
        return image
