"""Norms of products by lag against NumPy's norms of the same matrices."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.curves.product_norms import ProductNorms

ROUNDOFF = 1e-13
"""Of a norm of 5 × 4 numbers, with the largest of a sum of a few logarithms of order 1000."""


def a_sweep(rng, lags: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(rng.standard_normal((3, 5, 4)), rng.uniform(-1000, 1000, 3)) for _ in range(lags)]


def test_norms_are_numpys_on_any_scale(rng):
    sweep = a_sweep(rng, 4)
    recorder = ProductNorms(np.array([3, 3, 3]))
    for lag, (matrix, log_scale) in enumerate(sweep):
        sigma = recorder.observe(lag, {"a": (matrix, log_scale)})
        np.testing.assert_allclose(sigma["a"], np.linalg.norm(matrix, 2, axis=(1, 2)), rtol=ROUNDOFF)
    norms = recorder.norms("a")
    for lag, (matrix, log_scale) in enumerate(sweep):
        spectral, frobenius = (np.log(np.linalg.norm(matrix, kind, axis=(1, 2))) for kind in (2, "fro"))
        np.testing.assert_allclose(norms.log_norm[:, lag], spectral + log_scale, rtol=ROUNDOFF)
        np.testing.assert_allclose(norms.log_rms[:, lag], frobenius + log_scale - np.log(2), rtol=ROUNDOFF)
    assert norms.alive == {}


def test_beyond_a_trials_last_lag_stands_nan(rng):
    recorder = ProductNorms(np.array([0, 2, 1]))
    for lag, product in enumerate(a_sweep(rng, 3)):
        recorder.observe(lag, {"a": product})
    expected = [[False, True, True], [False, False, False], [False, False, True]]
    np.testing.assert_array_equal(np.isnan(recorder.norms("a").log_norm), expected)


@pytest.mark.parametrize("unobserved", [0.0, np.nan])
def test_lags_that_are_not_given_have_the_value_that_was_named(rng, unobserved):
    recorder = ProductNorms(np.array([2]), unobserved=unobserved)
    recorder.observe(0, {"a": (rng.standard_normal((1, 2, 2)), np.zeros(1))})
    np.testing.assert_array_equal(recorder.norms("a").log_norm[:, 1:], [[unobserved, unobserved]])


def test_singular_values_are_counted_at_powers_of_ten_and_the_last_lag():
    recorder = ProductNorms(np.array([12]), threshold=0.5)
    matrix, log_scale = np.diag([1.0, 1e-3, 1e-6])[None], np.array([np.log(1e3)])
    for lag in range(13):
        recorder.observe(lag, {"a": (matrix, log_scale)})
    assert {lag: counts.tolist() for lag, counts in recorder.norms("a").alive.items()} == {10: [2], 12: [2]}


def test_a_zero_matrix_has_minus_infinity():
    recorder = ProductNorms(np.array([0]))
    recorder.observe(0, {"a": (np.zeros((1, 2, 2)), np.zeros(1))})
    assert recorder.curve("a", 1e-3).zero_trials == 1
