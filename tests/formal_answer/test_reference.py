"""Every worked number against its closed form or against a value computed elsewhere to more digits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vanishgrad.formal_answer.quantities import limits, retention, scalars, vanilla
from vanishgrad.formal_answer.quantities.lstm import path_counts
from vanishgrad.formal_answer.worked import worked_numbers

STEPS = 32 * np.finfo(float).eps
"""A few dozen roundings in a row."""

WORKED = {
    "detours.partial": 6.345723e-34, "detours.conveyor": 0.2327895, "burst.measured": 3486784401.0,
    "nilpotent.ratio": math.sqrt(2), "nilpotent.norm_W": 3.0, "infinity.two": 2.7, "unstable.noise": 0.097375320,
    "slow.at_1": 0.419974341614026, "slow.at_10": 0.0409120419691288, "slow.at_100": 1.59200408636506e-3,
    "slow.at_1000": 5.17094875286382e-5, "bias1.kept": 2.48437855572401e-14, "bias2.kept": 3.07316954368076e-6,
    "bias5.kept": 0.510923784856118, "bias1.half_life": 2.21268, "bias5.e_folding": 148.9126,
    "chrono.kept": 0.36603234127, "chrono.bias": 4.5951198501, "chrono.mean_kept": 0.14964755,
    "additive.at_50": 0.5014709501677829, "additive.limit": 0.4947753664, "additive.floor": 0.4659,
    "default.rate": 0.5 + 1 / (4 * math.sqrt(3)), "paths.partial": 89, "paths.total": 233, "threshold.radius": 1.0,
    "window.low": 0.999894645, "window.high": 1.000095315, "samples.factor": 1 / 0.9**200, "memory90.in_f": 27.7008310,
    "three.kept": 3, "underflow.value": 0.0, "small.conveyor": 7.88860905221012e-31,
}  # fmt: skip


@pytest.fixture(scope="module")
def worked():
    return worked_numbers(100)


@pytest.mark.parametrize(("name", "expected"), WORKED.items())
def test_worked_number(worked, name, expected):
    digits = len(f"{expected:.16g}".split("e")[0].replace(".", "").lstrip("0"))
    assert worked[name] == pytest.approx(expected, rel=max(10.0 ** (1 - min(digits, 7)), 1e-7), abs=1e-300)


def test_logistic_map_has_a_positive_exponent(worked):
    assert worked["logistic.exponent"] == pytest.approx(0.432, abs=0.003)  # 20 000 steps: ± 0.002
    assert worked["logistic.margin"] == pytest.approx(0.01)


def test_detours_follow_their_closed_form(worked):
    assert worked["detours.partial"] == pytest.approx(worked["detours.closed_form"], rel=30 * STEPS)


@pytest.mark.parametrize(
    ("w", "fixed_point", "log_slope"),
    [(1.25, 0.7104118, -0.4794176), (1.5, 0.8585596, -0.9306102), (2.0, 0.9575040, -1.7935285)],
)
def test_latch(w, fixed_point, log_slope):
    (row,) = scalars.latch([w])
    assert row["fixed_point"] == pytest.approx(fixed_point, abs=5e-8)
    assert row["log_slope"] == pytest.approx(log_slope, abs=5e-8)


@pytest.mark.parametrize(("steps", "mean"), [(10, 0.16244721), (100, 0.14964755), (1000, 0.14860877)])
def test_mean_under_chrono(steps, mean):
    assert scalars.chrono_mean(steps) == pytest.approx(mean, abs=1e-8)


@pytest.mark.parametrize("steps", [10, 100])
def test_chrono_bias_maximises_the_response(steps):
    best = math.log(steps - 1)

    def response(b):
        f = scalars.sigma(b)
        return (1 - f) * f ** (steps - 1)

    assert response(best) == pytest.approx(scalars.chrono(steps)["response"])
    assert response(best) > max(response(best - 1e-3), response(best + 1e-3))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_bias_for_keeps_what_it_promises(kept):
    assert scalars.sigma(scalars.bias_for(100, kept)) ** 100 == pytest.approx(kept)


SANDWICH = [
    (0.72134, 0.99026, 1.30867),
    (0.90002, 1.22945, 1.63562),
    (1.02412, 1.32765, 1.58885),
    (1.44113, 1.60947, 1.86950),
    (1.28323, 1.66311, 2.00200),
]


@pytest.mark.parametrize("seed", range(5))
def test_sandwich(seed):
    W = np.random.default_rng(seed).normal(size=(6, 6)) / math.sqrt(6)
    found = (vanilla.principal_radius(W), vanilla.scaled_norm(W)[0], vanilla.norm(W))
    assert found == pytest.approx(SANDWICH[seed], abs=2e-5)
    assert found[1] <= vanilla.spectral_radius(np.abs(W))


def test_scaled_norm_belongs_to_its_condition():
    W = np.array([[0.5, 20.0], [0.0, 0.5]])
    scaled, log_condition = vanilla.scaled_norm(W)
    assert scaled < 0.6
    assert np.linalg.norm(np.linalg.matrix_power(W, 30), 2) <= math.exp(log_condition) * scaled**30


@pytest.mark.parametrize(
    "W", [[[0.0, 0.0, -0.4], [0.0] * 3, [0.0] * 3], [[0.0] * 3, [0.0] * 3, [-0.6, 0.0, 0.0]]], ids=["upper", "lower"]
)
def test_scaled_norm_of_a_nilpotent_matrix_is_a_number(W):
    """Its infimum 0 is reached by no Δ: the search runs off, and has to stay within the range of a float64."""
    scaled, log_condition = vanilla.scaled_norm(np.array(W))
    assert scaled < 1e-3
    assert math.isfinite(log_condition)


THRESHOLD = {"phi": 0.98, "kappa": 0.1, "omega": 0.3, "eta": 0.4}


def test_cone_rates():
    assert retention.cone_rate(**THRESHOLD) == pytest.approx(0.9206659275674582, rel=STEPS)
    assert limits.majorant_radius(0.98, 0.1, 0.3, 0.4) == pytest.approx(1.0362977544445355, rel=STEPS)


def test_cone_rate_is_sharp_for_one_unit():
    phi, kappa, omega, eta = THRESHOLD.values()
    J = np.array([[omega - eta * kappa, eta * phi], [-kappa, phi]])
    assert np.linalg.eigvals(J).real.max() == pytest.approx(retention.cone_rate(**THRESHOLD), rel=STEPS)


def test_majorant_reaches_one_exactly_at_the_threshold():
    kappa_eta = (1 - 0.98) * (1 - 0.3)
    assert limits.majorant_radius(0.98, kappa_eta / 0.4, 0.3, 0.4) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize(
    ("steps", "counts"), list(enumerate([(1, 2), (2, 5), (5, 13), (13, 34), (34, 89), (89, 233)], 1))
)
def test_path_counts(steps, counts):
    assert path_counts(steps) == counts


@pytest.mark.parametrize("f", [0.9, 0.99])
def test_the_price_of_a_long_memory_is_a_sum_over_lags(f):
    """White input: the mean square of a derivative is the sum of squares of the derivatives of √(1 - f²) f^j."""
    lags = np.arange(int(60 / (1 - f)))
    step = 1e-30
    derivative = (np.sqrt(1 - (f + 1j * step) ** 2) * (f + 1j * step) ** lags).imag / step
    found = scalars.memory_sensitivity(f)
    assert found["in_f"] == pytest.approx(np.sum(derivative**2), rel=1e-10)
    assert found["in_b"] == pytest.approx(np.sum((derivative * f * (1 - f)) ** 2), rel=1e-10)
    assert found["plain"] == pytest.approx(np.sum((lags[1:] * f ** (lags[1:] - 1.0)) ** 2), rel=1e-10)
