"""What a curve says of its last lag, its horizon, its peak and its zeros: design, section 1, sentence by sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.curves.curves import ABSENT, LEVEL, ZERO, line, read
from vanishgrad.curves.curve import Verdict, curve, kept_throughout

LOW, MIDDLE, HIGH = LEVEL - 1, 0.0, -LEVEL + 1


def ending(value: float, steps: int = 10) -> list[float]:
    """A curve that goes straight from 0 to a value."""
    return line(value / steps, steps)


@pytest.mark.parametrize(("ends", "verdict"), [
    ([LOW, LOW], Verdict.VANISHING),
    ([HIGH, HIGH], Verdict.EXPLODING),
    ([MIDDLE, MIDDLE], Verdict.PRESERVED),
    ([LOW, MIDDLE], Verdict.INCONCLUSIVE),
    ([MIDDLE, HIGH], Verdict.INCONCLUSIVE),
    ([LOW, HIGH], Verdict.INCONCLUSIVE),
    ([LEVEL, -LEVEL], Verdict.PRESERVED),
])  # fmt: skip
def test_verdict_needs_both_ends_of_the_band(ends: list[float], verdict: Verdict) -> None:
    assert read(*map(ending, ends)).verdict is verdict


def test_verdict_uses_quantiles_from_twenty_trials_on() -> None:
    """One outlier in forty lies beyond the 5 % quantile; below twenty trials every one counts."""
    assert read(*[ending(LOW)] * 39, ending(MIDDLE)).verdict is Verdict.VANISHING
    assert read(*[ending(LOW)] * 18, ending(MIDDLE)).verdict is Verdict.INCONCLUSIVE


def test_verdict_reads_the_last_lag_alone() -> None:
    dip = [0.0, LOW, LOW, 0.0, 0.0]
    assert read(dip, dip).verdict is Verdict.PRESERVED
    assert kept_throughout(read(dip, dip)).verdict is Verdict.INCONCLUSIVE  # as of `input`
    assert kept_throughout(read([0.0] * 5)).verdict is Verdict.PRESERVED
    assert kept_throughout(read(ending(LOW))).verdict is Verdict.VANISHING


def test_verdict_counts_are_over_trials() -> None:
    found = read(ending(LOW), ending(LOW), ending(MIDDLE), ending(HIGH))
    assert found.verdict_counts == {"vanishing": 2, "preserved": 1, "exploding": 1}
    assert sum(found.verdict_counts.values()) == 4
    np.testing.assert_allclose(found.trial_final, [LOW, LOW, MIDDLE, HIGH], rtol=1e-12)


@pytest.mark.parametrize("threshold", [1e-3, 0.1, 0.5])
def test_horizon_is_the_largest_lag_at_or_above_the_threshold(threshold: float) -> None:
    rate = -0.1
    found = read(line(rate), line(rate), threshold=threshold).horizon
    assert found.lag == math.floor(math.log(threshold) / rate)
    assert not found.censored


def test_horizon_is_censored_where_the_curve_never_falls_below() -> None:
    found = read(line(-0.01), line(-0.01)).horizon
    assert (found.lag, found.censored) == (100, True)


def test_horizon_is_not_censored_where_the_curve_falls_at_the_very_last_lag() -> None:
    trial = [0.0, 0.0, 0.0, LOW]
    found = read(trial, trial).horizon
    assert (found.lag, found.censored) == (2, False)


def test_horizon_ends_at_the_first_fall_though_the_curve_comes_back() -> None:
    found = read([0.0, -1.0, LOW, 0.0, 0.0], [0.0, -1.0, LOW, 0.0, 0.0]).horizon
    assert (found.lag, found.censored) == (1, False)


def test_horizon_of_the_median_curve_between_those_of_the_trials() -> None:
    found = read(line(-0.1), line(-0.2), line(-0.4)).horizon
    assert (found.low, found.lag, found.high) == (17, 34, 69)


def test_a_curve_that_starts_below_has_no_horizon() -> None:
    found = read(line(-0.1, 10, start=LOW), line(-0.1, 10, start=LOW)).horizon
    assert (found.lag, found.low, found.high, found.censored) == (None, None, None, False)


def test_peak_where_a_product_grows_tenfold_before_it_decays() -> None:
    humped = [*line(1, 5), *line(-1, 20, start=4)]
    found = read(humped, humped).peak
    assert (found.lag, found.log_norm) == (5, 5)


@pytest.mark.parametrize(
    "trial", [[0, 2.2, 1, 0, 0], line(-0.1), line(0.5)], ids=["not-tenfold", "decays-at-once", "only-grows"]
)
def test_no_peak(trial: list[float]) -> None:
    assert read(trial, trial).peak is None


def test_bands_are_median_mean_and_ends() -> None:
    found = read(line(-0.1, 4), line(-0.2, 4), line(-0.6, 4)).log_norm
    lags = np.arange(5)
    for name, rate in (("median", -0.2), ("mean", -0.3), ("low", -0.6), ("high", -0.1)):
        np.testing.assert_allclose(getattr(found, name), rate * lags, atol=1e-15)


def test_typical_direction_has_its_own_band() -> None:
    np.testing.assert_allclose(read(line(-0.1), line(-0.1)).log_rms.median, np.array(line(-0.1)) - 1)


def test_a_zero_takes_the_mean_and_leaves_the_median() -> None:
    found = read([0, -1, -2, -3, -4], [0, -1, -2, -3, -4], [0, -1, ZERO, ZERO, ZERO])
    np.testing.assert_array_equal(np.isnan(found.log_norm.mean), [False, False, True, True, True])
    np.testing.assert_array_equal(found.log_norm.median, [0, -1, -2, -3, -4])
    np.testing.assert_array_equal(found.log_norm.low, [0, -1, ZERO, ZERO, ZERO])


def test_zero_lag_is_the_median_first_zero() -> None:
    found = read([0, ZERO, ZERO, ZERO, ZERO], [0, 0, 0, ZERO, ZERO], [0, 0, 0, 0, ZERO], line(-1, 4))
    assert (found.zero_trials, found.zero_lag) == (3, 3)
    assert read(line(-1, 4)).zero_lag is None


def test_a_trial_at_zero_is_vanishing() -> None:
    assert read([0.0, *[ZERO] * 9], line(0, 9)).verdict_counts == {"vanishing": 1, "preserved": 1}


def test_sequences_of_different_lengths() -> None:
    """`count` says how many trials each lag has; horizon and verdict read up to the shortest."""
    found = read([*line(-0.1, 7)], [*line(-0.1, 4), *[ABSENT] * 3], [*line(-0.1, 5), *[ABSENT] * 2])
    np.testing.assert_array_equal(found.count, [3, 3, 3, 3, 3, 2, 1, 1])
    assert (found.horizon.lag, found.horizon.censored) == (4, True)
    np.testing.assert_allclose(found.trial_final, -0.4)
    np.testing.assert_allclose(found.log_norm.median, -0.1 * np.arange(8))


def test_alive_is_the_lower_median_over_trials() -> None:
    log_norm = np.zeros((4, 11))
    found = curve(log_norm, log_norm, {10: np.array([9, 3, 5, 7])}, 1e-3)
    assert found.alive == {10: 5}
