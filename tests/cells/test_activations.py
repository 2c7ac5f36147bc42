"""Activations: derivative on the whole real line, saturation included, and the bound that the theory uses."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from tests import reference
from vanishgrad.cells import ACTIVATIONS
from vanishgrad.cells.activations import HARD_SIGMOID, SIGMOID, TANH, Activation, hard_sigmoid

EVERY = [*ACTIVATIONS.values(), HARD_SIGMOID, hard_sigmoid(0.2, "hard_sigmoid_fifth")]
SATURATED = [-700.0, -40.0, -20.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 20.0, 40.0, 350.0]
EPS = np.finfo(float).eps

every_activation = pytest.mark.parametrize("activation", EVERY, ids=lambda activation: activation.name)


@every_activation
def test_derivative_is_the_complex_step(activation: Activation) -> None:
    a = np.linspace(-6, 6, 101) + 0.003
    np.testing.assert_allclose(activation.dphi(a), np.imag(activation.phi(a + 1e-30j)) / 1e-30, rtol=32 * EPS)


@every_activation
def test_gamma_is_the_greatest_slope(activation: Activation) -> None:
    slopes = activation.dphi(np.linspace(-20, 20, 4001))
    assert slopes.max() == pytest.approx(activation.gamma, abs=EPS)
    assert slopes.min() >= 0


@pytest.mark.parametrize("a", SATURATED)
@pytest.mark.parametrize(
    ("activation", "exact"),
    [(TANH, lambda a: mpmath.sech(a) ** 2), (SIGMOID, lambda a: 1 / (2 * mpmath.cosh(a / 2)) ** 2)],
    ids=["tanh", "sigmoid"],
)
def test_saturated_derivative_keeps_its_digits(activation: Activation, exact: object, a: float) -> None:
    with mpmath.workdps(30):
        expected = float(exact(mpmath.mpf(a)))
    assert float(activation.dphi(np.array([a]))[0]) == pytest.approx(expected, rel=256 * EPS, abs=0)


@pytest.mark.parametrize("a", [-30.0, -1.0, 0.0, 1.0, 20.0, 37.0, 50.0, 300.0])
def test_complement_keeps_its_digits(a: float) -> None:
    with mpmath.workdps(30):
        expected = float(1 / (1 + mpmath.exp(mpmath.mpf(a))))
    assert float(SIGMOID.complement(np.array([a]))[0]) == pytest.approx(expected, rel=256 * EPS, abs=0)


@every_activation
def test_complement_is_one_minus_phi(activation: Activation) -> None:
    a = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(activation.complement(a), 1 - activation.phi(a), rtol=0, atol=8 * EPS)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu", "linear"])
def test_phi_is_the_function_of_its_name(name: str) -> None:
    a = np.linspace(-30, 30, 61)
    expected = {"tanh": np.tanh, **{each: getattr(reference, each) for each in ("sigmoid", "relu", "linear")}}[name](a)
    np.testing.assert_allclose(ACTIVATIONS[name].phi(a), expected, rtol=0, atol=4 * EPS * np.abs(a).max())


def test_hard_sigmoid_is_clipped_at_both_ends() -> None:
    np.testing.assert_array_equal(HARD_SIGMOID.phi(np.array([-3.5, -3.0, 0.0, 3.0, 3.5])), [0, 0, 0.5, 1, 1])
    np.testing.assert_array_equal(HARD_SIGMOID.dphi(np.array([-3.5, 0.0, 3.5])), [0, 1 / 6, 0])


def test_relu_has_slope_zero_at_its_kink_even_under_a_complex_step() -> None:
    relu = ACTIVATIONS["relu"]
    assert relu.dphi(np.array([0.0]))[0] == 0
    assert np.imag(relu.phi(np.array([0.0 + 1e-30j])))[0] == 0


@every_activation
def test_dtype_is_kept(activation: Activation) -> None:
    a = np.linspace(-2, 2, 5, dtype=np.float32)
    assert activation.phi(a).dtype == activation.dphi(a).dtype == np.float32
