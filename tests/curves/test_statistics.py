"""Statistics over trials, against SciPy and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vanishgrad.curves.statistics import band, interval, quantile, slopes, student_t

INF = np.inf
tables = st.integers(1, 30).flatmap(
    lambda m: st.lists(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), min_size=m, max_size=m)
)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 8, 19, 20, 63, 199, 1000])
@pytest.mark.parametrize("coverage", [0.5, 0.95, 0.99])
def test_student_t_is_scipys(degrees: int, coverage: float) -> None:
    assert student_t(degrees, coverage) == pytest.approx(
        stats.t.ppf((1 + coverage) / 2, degrees), rel=1e-9
    )  # SciPy 1.14 is good to 4e-11


@given(tables, st.sampled_from([0.0, 0.05, 0.25, 0.5, 0.95, 1.0]))
def test_quantile_is_numpys_where_all_is_finite(rows: list[list[float]], q: float) -> None:
    values = np.array(rows)
    np.testing.assert_allclose(quantile(values, q), np.quantile(values, q, axis=0), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("values", "q", "expected"), [
    ([-INF, 0.0, 1.0], 0.0, -INF),
    ([-INF, 0.0, 1.0], 0.5, 0.0),
    ([-INF, 0.0, 1.0], 0.25, -INF),
    ([-INF, -INF, 1.0], 0.5, -INF),
    ([-INF, -INF], 0.5, -INF),
    ([np.nan, 2.0, 4.0], 0.5, 3.0),
    ([np.nan, np.nan, 4.0], 0.05, 4.0),
])  # fmt: skip
def test_quantile_with_exact_zeros_and_absent_trials(values: list[float], q: float, expected: float) -> None:
    assert quantile(np.array(values)[:, None], q)[0] == expected


def test_quantile_of_no_trial_is_no_number() -> None:
    assert np.isnan(quantile(np.full((3, 1), np.nan), 0.5)[0])


@pytest.mark.parametrize(("trials", "low", "high"), [(19, 0.0, 18.0), (20, 0.95, 18.05), (21, 1.0, 19.0)])
def test_band_is_min_max_below_twenty_trials_and_quantiles_from_there(trials: int, low: float, high: float) -> None:
    found = band(np.arange(trials, dtype=float)[:, None])
    assert [each[0] for each in found] == pytest.approx([low, high])


def test_interval_is_scipys_and_none_for_one_value() -> None:
    values = np.random.default_rng(0).normal(3, 2, 8)
    expected = stats.t.interval(0.95, 7, loc=values.mean(), scale=stats.sem(values))
    assert interval(values) == pytest.approx(expected, rel=1e-11)
    assert interval(values[:1]) is None


def test_interval_of_equal_values_has_no_width() -> None:
    assert interval(np.full(4, 2.5)) == (2.5, 2.5)


def test_interval_covers_the_mean_as_often_as_it_says() -> None:
    samples = np.random.default_rng(1).normal(0, 1, (2000, 8))
    covered = np.mean([low <= 0 <= high for low, high in map(interval, samples)])
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 2000))


def test_slopes_are_least_squares() -> None:
    rng, lags = np.random.default_rng(2), np.arange(50.0, 101.0)
    values = rng.standard_normal((3, 51)) - 0.5 * lags
    expected = [stats.linregress(lags, row).slope for row in values]
    np.testing.assert_allclose(slopes(lags, values), expected, rtol=1e-12)


def test_slopes_skip_zeros_and_need_two_points() -> None:
    lags = np.arange(4.0)
    values = np.array([[0, 2, -INF, 6], [0, -INF, -INF, -INF], [-INF] * 4])
    found = slopes(lags, values)
    assert found[0] == pytest.approx(2)
    assert np.isnan(found[1:]).all()
