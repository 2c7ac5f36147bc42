"""σ and tanh against 60-digit arithmetic: the prover's floats and decimals, the checker's rationals and balls."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from tests.certificates.nets import DIGITS, sigma
from vanishgrad.certificates import decimals, intervals
from vanishgrad.certificates.checking import ball_arithmetic as balls
from vanishgrad.certificates.checking import rational

RANDOM = np.random.default_rng(0)
POINTS = np.concatenate([RANDOM.normal(size=400) * 10.0 ** RANDOM.integers(-12, 4, 400), [0.0, 709.0, -745.2, 1e-320]])
PROMISED = 2.0**-50
"""4 units in the last place, what NumPy's vectorised functions promise; a quarter of SLACK."""


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(DIGITS):
        yield


def numpy_error(function, truth, points) -> float:
    with np.errstate(under="ignore", over="ignore"):
        pairs = [(float(function(np.array([a]))[0]), truth(mp.mpf(float(a)))) for a in points]
    return float(max(abs(mp.mpf(value) / true - 1) for value, true in pairs if abs(true) > mp.mpf(2) ** -1020))


@pytest.mark.parametrize(("function", "truth"), [(np.exp, mp.exp), (np.tanh, mp.tanh)])
def test_numpy_keeps_what_the_slack_relies_on(function, truth):
    assert numpy_error(function, truth, POINTS[np.abs(POINTS) < 700]) <= PROMISED


def test_numpy_keeps_it_in_long_arrays_too():
    """Long arrays go through the vectorised loops."""
    points = np.linspace(-40, 40, 4001)
    for function, truth in ((np.exp, mp.exp), (np.tanh, mp.tanh)):
        values = function(points)
        errors = [abs(mp.mpf(float(v)) / truth(mp.mpf(float(a))) - 1) for v, a in zip(values, points, strict=True) if a]
        assert max(errors) <= PROMISED


@pytest.mark.parametrize("a", POINTS.tolist())
def test_the_floats_enclose(a):
    at, size, true = np.array([a]), np.array([abs(a)]), mp.mpf(a)
    assert intervals.sigma_down(at)[0] <= sigma(true) <= intervals.sigma_up(at)[0]
    assert intervals.tanh_down(size)[0] <= mp.tanh(abs(true)) <= intervals.tanh_up(size)[0]
    assert mp.sech(true) ** 2 <= intervals.sech2_up(size)[0]


@pytest.mark.parametrize("a", POINTS.tolist())
def test_the_rationals_enclose_within_two_to_the_minus_100(a):
    """They are finer than 60 digits where e^-a is small: the oracle takes as many as an exponent can ask for."""
    exact = Fraction(a)
    with mp.workdps(1000):
        true = mp.mpf(a)
        for (lo, hi), value in ((rational.sigma(exact), sigma(true)), (rational.tanh(abs(exact)), mp.tanh(abs(true)))):
            assert as_mp(lo) <= value <= as_mp(hi)
            assert hi - lo <= Fraction(1, 2**100)


@pytest.mark.parametrize("a", POINTS[np.abs(POINTS) < 100].tolist())
@pytest.mark.parametrize("p", [64, 150])
def test_the_balls_are_right_to_four_units(a, p):
    units = int(Fraction(a) * 2**p)
    true = as_mp(Fraction(units, 2**p))
    for function, truth in ((balls.sigma, sigma), (balls.tanh, mp.tanh)):
        assert abs(function(units, p) - truth(true) * mp.mpf(2) ** p) <= 4


@pytest.mark.parametrize("a", POINTS[np.abs(POINTS) < 1000].tolist())
def test_the_decimals_are_right_to_16_epsilon(a):
    with localcontext(decimals.context(40)):
        for function, truth in ((decimals.logistic, sigma), (decimals.hyperbolic, mp.tanh)):
            assert abs(mp.mpf(str(function(Decimal(a)))) - truth(mp.mpf(a))) <= 16 * mp.mpf(10) ** -39


def test_integers_are_exact_whatever_the_exponents():
    array = np.array([1.5, -0.0, 2.0**-1074, -3e300, 0.1])
    found = rational.integers(array)
    assert [Fraction(int(each), 2**found.scale) for each in found.values] == [Fraction(each) for each in array]


def as_mp(value: Fraction) -> mp.mpf:
    return mp.mpf(value.numerator) / value.denominator
