"""What a curve says of its rate: design, section 1, sentence by sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tests.curves.curves import ABSENT, LEVEL, ZERO, line, read
from vanishgrad.curves.curve import Rate, Trend, Verdict
from vanishgrad.reports.sentences import exponential


def noisy(rate: float, trials: int, steps: int = 100, seed: int = 0) -> list[list[float]]:
    walk = np.random.default_rng(seed).normal(rate, 0.05, (trials, steps)).cumsum(axis=1)
    return [[0.0, *row] for row in walk.tolist()]


@pytest.mark.parametrize("steps", [4, 5, 100, 101])
def test_rate_is_the_slope_over_the_second_half_of_the_lags(steps: int) -> None:
    half = steps // 2
    bent = [-3.0 * min(lag, half) - 0.5 * max(lag - half, 0) for lag in range(steps + 1)]
    found = read(bent, bent)
    assert found.rate.value == pytest.approx(-0.5)
    assert found.rate.factor == pytest.approx(math.exp(-0.5))


@pytest.mark.parametrize(("steps", "fitted"), [(1, False), (2, False), (3, False), (4, True)])
def test_no_rate_below_four_lags(steps: int, fitted: bool) -> None:
    found = read(line(-1, steps), line(-1, steps))
    assert (found.rate is not None) is fitted
    assert (found.trend is not None) is fitted


def test_rate_of_the_trials_and_its_student_interval() -> None:
    trials = noisy(-0.2, 8)
    slopes = [stats.linregress(range(50, 101), row[50:]).slope for row in trials]
    low, high = stats.t.interval(0.95, 7, loc=np.mean(slopes), scale=stats.sem(slopes))
    found = read(*trials).rate
    assert (found.value, found.low, found.high) == pytest.approx((np.mean(slopes), low, high), rel=1e-9)
    np.testing.assert_allclose(read(*trials).trial_rates, slopes)


def test_one_trial_has_a_rate_without_an_interval() -> None:
    found = read(line(-0.2))
    assert found.rate.value == pytest.approx(-0.2)
    assert found.rate.low is None
    assert found.rate.high is None
    assert found.trend is Trend.CONTRACTING


@pytest.mark.parametrize(
    ("rate", "trend"), [(-0.2, Trend.CONTRACTING), (0.2, Trend.EXPANDING), (0.0, Trend.NEUTRAL), (1e-13, Trend.NEUTRAL)]
)
def test_trend_of_a_certain_rate(rate: float, trend: Trend) -> None:
    assert read(line(rate), line(rate)).trend is trend


def test_trend_is_neutral_where_the_interval_contains_zero() -> None:
    found = read(line(-0.2), line(0.1))
    assert found.rate.low < 0 < found.rate.high
    assert found.trend is Trend.NEUTRAL
    assert found.half_life is None
    assert found.projected_horizon is None


def test_half_life_and_projected_horizon_only_if_contracting() -> None:
    falling, growing = read(line(-0.011), line(-0.011)), read(line(0.011), line(0.011))
    assert falling.half_life == pytest.approx(math.log(2) / 0.011)
    assert falling.projected_horizon == 628
    assert growing.half_life is None
    assert growing.projected_horizon is None


def test_half_life_of_a_forget_bias_of_one() -> None:
    rate = -math.log1p(math.exp(-1))
    assert read(line(rate), line(rate)).half_life == pytest.approx(2.21268, abs=5e-6)


def test_a_curve_whose_halves_differ_is_transient() -> None:
    bent = [-1.0 * min(lag, 50) - 0.1 * max(lag - 50, 0) for lag in range(101)]
    assert read(bent, bent, bent).transient
    assert not read(line(-0.1), line(-0.1), line(-0.1)).transient


def test_one_trial_is_never_called_transient() -> None:
    assert not read([-1.0 * min(lag, 50) - 0.1 * max(lag - 50, 0) for lag in range(101)]).transient


def test_noise_alone_is_seldom_transient() -> None:
    transients = [read(*noisy(-0.2, 8, seed=seed)).transient for seed in range(100)]
    # The first half's mean has the interval's own error too: about 16 % fall outside, and 4 deviations make 31.
    assert np.sum(transients) <= 31


def test_trials_at_zero_have_no_say_in_the_rate() -> None:
    dead = [0.0, *[ZERO] * 100]
    found = read(line(-0.2), line(-0.4), dead)
    assert found.zero_trials == 1
    assert found.rate.value == pytest.approx(-0.3)
    assert found.rate.low is not None


def test_a_trial_that_dies_within_the_fit_has_no_say_either() -> None:
    dies = [*line(-0.8, 90), *[ZERO] * 10]
    assert read(line(-0.2), line(-0.4), dies).rate.value == pytest.approx(-0.3)
    assert read(line(-0.2), line(-0.4), dies).trial_rates[2] == pytest.approx(-0.8)


def test_exactly_half_at_zero_still_have_a_rate() -> None:
    dead = [0.0, *[ZERO] * 100]
    assert read(line(-0.2), dead).rate.value == pytest.approx(-0.2)
    assert read(line(-0.2), dead).verdict is Verdict.VANISHING


@pytest.mark.parametrize("rate", [-0.2, -0.01, 0.2])
def test_more_than_half_at_zero_is_vanishing_without_a_rate_whatever_the_others_do(rate: float) -> None:
    dead = [0.0, *[ZERO] * 100]
    found = read(line(rate), dead, dead)
    assert found.verdict is Verdict.VANISHING
    assert (found.rate, found.trend, found.half_life, found.projected_horizon) == (None, None, None, None)


def test_rate_reads_lags_up_to_the_shortest_sequence() -> None:
    long = [-0.5 * min(lag, 40) for lag in range(101)]
    short = [*line(-0.5, 40), *[ABSENT] * 60]
    found = read(long, short)
    assert found.final_lag == 40
    assert found.rate.value == pytest.approx(-0.5)


def test_the_projection_goes_on_from_the_last_lag_and_never_back() -> None:
    late = [0.0] * 50 + [-0.1 * lag for lag in range(51)]
    found = read(late, late)
    assert found.horizon.censored
    assert found.projected_horizon == round(100 + (LEVEL + 5) / found.rate.value)
    assert found.projected_horizon > 100


def test_a_factor_beyond_the_range_of_a_float64_is_infinite() -> None:
    assert Rate(800.0, None, None).factor == np.inf
    assert exponential(800.0) == "10^347"
    assert exponential(0.0) == "1.00"
