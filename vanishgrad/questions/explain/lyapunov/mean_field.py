"""The Lyapunov spectrum of an infinitely wide random tanh network, where theory knows it."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import RNN
from vanishgrad.cells.activations import TANH
from vanishgrad.questions.explain.run import Run

Z = np.linspace(-12, 12, 1201)
NORMAL = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)
"""The trapezoid rule is exact to rounding here; Gauss–Hermite weights overflow at high orders."""
W = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 1000), np.geomspace(1e6, 1e100, 600)[1:]])
"""The curve's parameter, from the largest exponent to the least."""
MAX_ITERATIONS = 1000


def mean_field(run: Run, exponents: int) -> Array | None:
    """Return theory's quantiles (i - ½)/n of the leading exponents, (K,); None for other networks than it speaks of.

    It speaks of tanh networks with independent Gaussian weights and no bias, driven by white noise or nothing.
    """
    cell, sequences = run.cell, run.sequences
    random = run.subject.source.get("law") == "gaussian" and sequences.source.partition(":")[0] in ("white", "zeros")
    if not (random and isinstance(cell, RNN) and cell.activation is TANH) or cell.b.any():
        return None
    n = cell.hidden_size
    largest = float(np.abs(cell.W_hh).max())
    gain = largest * float(np.sqrt(n * np.mean((cell.W_hh / (largest or 1)) ** 2)))
    noise = float(np.std(sequences.xs @ np.swapaxes(cell.W_hx, -1, -2)))
    return exponents_above(gain, noise, (np.arange(exponents) + 0.5) / n)


def exponents_above(gain: float, noise: float, shares: Array) -> Array:
    r"""Return the exponents that these shares of all lie above, nats per step.

    With q = g² E tanh²(√q z) + s², d = sech²(√q z), z standard normal, and w >= 0,

        e^{2λ} = g² E d²/(1 + w d²),    E 1/(1 + w d²) = share of the exponents below λ .

    Parameters
    ----------
    gain, noise : float
        g and s: weights N(0, g²/N), and W_hx x of variance s².
    shares : array
        Each between 0 and 1.
    """
    if gain == 0:
        return np.full(shares.shape, -np.inf)
    square = TANH.dphi(np.sqrt(variance(gain, noise)) * Z) ** 2
    below = _mean(1 / (1 + W[:, None] * square))
    lam = np.log(gain) + np.log(_mean(square / (1 + W[:, None] * square))) / 2
    return np.interp(shares, 1 - below, lam)


def largest_exponent(gain: float, noise: float) -> float:
    """Return λ₁ = ln g + ½ ln E d², the exponent that no share lies above: w = 0 in `exponents_above`."""
    square = TANH.dphi(np.sqrt(variance(gain, noise)) * Z) ** 2
    return float(np.log(gain) + np.log(_mean(square)) / 2)


def variance(gain: float, noise: float) -> float:
    """Return the fixed point q of the pre-activations' variance, by iteration from above."""
    q = gain**2 + noise**2
    for _ in range(MAX_ITERATIONS):
        q, before = gain**2 * float(_mean(np.tanh(np.sqrt(q) * Z) ** 2)) + noise**2, q
        if before - q <= 1e-12 * q:
            break
    return q


def _mean(values: Array) -> Array:
    """Return E over a standard normal z of values by z, the last axis."""
    return np.trapezoid(values * NORMAL, Z, axis=-1)
