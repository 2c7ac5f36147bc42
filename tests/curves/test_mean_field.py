"""Mean-field theory of wide random networks against the engine: the driven network, and annealed against quenched."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.questions.compare import CompareRequest, compare

Z = np.linspace(-12, 12, 6001)
NORMAL = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)


def mean(values: np.ndarray) -> float:
    """E over a standard normal z, by the trapezoid rule (Gauss-Hermite weights overflow at this order)."""
    return float(np.trapezoid(values * NORMAL, Z))


def fixed_point(gain: float, noise: float) -> tuple[float, float]:
    """q = g² E tanh²(√q z) + s² and the rate ½ ln(g² E sech⁴(√q z)) of a driven tanh network."""
    q = 1.0
    for _ in range(500):
        q = gain**2 * mean(np.tanh(np.sqrt(q) * Z) ** 2) + noise**2
    return q, 0.5 * np.log(gain**2 * mean(np.cosh(np.sqrt(q) * Z) ** -4.0))


@pytest.mark.parametrize(("gain", "noise", "q", "rate"), [(1, 1, 1.46385, -0.45955), (2, 0.5, 2.47971, 0.12039)])
def test_the_published_fixed_points(gain, noise, q, rate):
    assert fixed_point(gain, noise) == pytest.approx((q, rate), abs=5e-6)


@pytest.mark.parametrize(("gain", "noise"), [(1, 1), (1.3, 0.5)])
def test_a_wide_network_falls_at_the_mean_field_rate(gain, noise):
    """The typical direction of ∂s_T/∂s_k: m₁^(T) = χ^T, so its logarithm falls by ½ ln χ a step."""
    request = CompareRequest(
        models=(f"rnn@gaussian:gain={gain}",), hidden=200, steps=30, trials=3, burn_in=20, input=f"white:{noise}"
    )
    (model,) = compare(request).models
    log_rms = model.curves["state"].log_rms.mean
    lags = np.arange(1, 16)
    slope = np.polyfit(lags, log_rms[lags], 1)[0]
    assert slope == pytest.approx(fixed_point(gain, noise)[1], abs=0.03)  # 1/√n, and a few lags' fluctuation


def test_the_annealed_rate_is_not_the_quenched_one():
    """Gaussian, linear, n = 4: ½ ln E‖J v‖² = 0 a step, while ln ‖J v‖ falls."""
    request = CompareRequest(
        models=("rnn@gaussian:activation=linear,untied=true",),
        hidden=4,
        steps=6,
        trials=3000,
        input="zeros",
        initial="normal",
    )
    (model,) = compare(request).models
    curve = model.curves["state"]
    assert curve.log_rms.mean[-1] < -0.3  # while E rms² = 1 at every lag
    annealed = 0.5 * np.log(np.mean(np.exp(2 * curve.trial_final)))
    assert annealed > np.mean(curve.trial_final) + 0.3
