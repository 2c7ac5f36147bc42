"""Measured rates against random-matrix theory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from vanishgrad.curves.curve import Trend, Verdict
from vanishgrad.curves.model_result import ModelResult
from vanishgrad.questions.compare import CompareRequest, compare

TRIALS = 8


def measured(label: str, **request: object) -> ModelResult:
    (model,) = compare(CompareRequest((label,), **{"trials": TRIALS, "curves": ("state",), **request})).models
    return model


@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize(("n", "exact"), [(1, -0.635181422730739), (2, -0.288608), (4, -0.135181), (8, -0.065088)])
def test_fresh_gaussian_matrices_have_newmans_rate(n: int, exact: float, gain: float) -> None:
    """λ₁ = ln g + (ψ(n/2) + ln 2/n)/2; a slope over L steps has 6/5 of the variance ψ₁(n/2)/(4 L) of their mean."""
    steps = 1200
    model = measured(f"rnn@gaussian:activation=linear,untied=true,gain={gain}", hidden=n, steps=steps)
    newman = math.log(gain) + (special.psi(n / 2) + math.log(2 / n)) / 2
    deviation = math.sqrt(1.2 * special.polygamma(1, n / 2) / 4 / (steps / 2) / TRIALS)
    assert newman - math.log(gain) == pytest.approx(exact, abs=5e-7)
    assert model.curves["state"].rate.value == pytest.approx(newman, abs=4 * deviation)


def test_a_tied_linear_network_has_the_rate_of_its_spectral_radius() -> None:
    model = measured("rnn@gaussian:activation=linear,gain=0.9", hidden=5, steps=2000, trials=1, input="zeros")
    radius = next(bound for bound in model.bounds if bound.name == "spectral_radius").value
    # The norm of a power turns with the phase of the leading pair: a bounded wave, so a slope error of order 1/T.
    assert model.curves["state"].rate.value == pytest.approx(math.log(radius), abs=2e-5)


@pytest.mark.parametrize("gain", [0.9, 1.0, 1.1])
def test_an_orthogonal_linear_network_has_the_rate_of_its_gain(gain: float) -> None:
    curve = measured(f"rnn@orthogonal:activation=linear,gain={gain}", hidden=8, steps=300).curves["state"]
    assert curve.rate.value == pytest.approx(math.log(gain), abs=1e-12)
    np.testing.assert_allclose(curve.log_norm.median, math.log(gain) * np.arange(301), rtol=0, atol=1e-10)
    assert curve.trend is {0.9: Trend.CONTRACTING, 1.0: Trend.NEUTRAL, 1.1: Trend.EXPANDING}[gain]
    assert curve.verdict is {0.9: Verdict.VANISHING, 1.0: Verdict.PRESERVED, 1.1: Verdict.EXPLODING}[gain]


def test_the_default_law_has_the_radius_and_norm_of_the_circular_law() -> None:
    """U(±1/√n): ρ → 1/√3 and ‖W‖ → 2/√3, from 3 % and 1 % away at this size."""
    model = measured("rnn", hidden=300, input_size=1, steps=1, trials=1)
    value = {bound.name: bound.value for bound in model.bounds}
    assert value["spectral_radius"] == pytest.approx(1 / math.sqrt(3), rel=0.06)
    assert value["gamma_norm"] == pytest.approx(2 / math.sqrt(3), rel=0.03)


def test_weak_uncoupled_gates_decay_by_half() -> None:
    """Zero biases, weights → 0: 2^-t; at PyTorch's gain the coupling makes it 0.64^t or so."""
    weak = measured("lstm@gaussian:gain=1e-6", hidden=8, steps=40, input="zeros").curves["state"].rate
    default = measured("lstm", hidden=32, steps=40, trials=4).curves["state"].rate
    assert weak.factor == pytest.approx(0.5, rel=1e-4)
    assert 0.55 < default.factor < 0.75
