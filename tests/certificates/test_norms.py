"""The verified 2-norm, the search for Δ, and the checker's exact test of both."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from tests.certificates.nets import DIGITS, matrix, norm, scaled
from vanishgrad.certificates.checking.integer_products import gram
from vanishgrad.certificates.checking.norm_bound import norm_at_most
from vanishgrad.certificates.cholesky import norm_up, scaled_norm_up
from vanishgrad.certificates.perron import perron_scale
from vanishgrad.certificates.scaling import balanced_scale, short

EXCESS = 1e-10
"""The relative excess that is promised at n = 256; n γ_n / 2 and the margin of 2^-43 are below a tenth of it."""


def gaussian(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, n)) / n**0.5


MATRICES = {
    "1x1": np.array([[-0.3]]),
    "zero": np.zeros((3, 3)),
    "identity": np.eye(4),
    "rank one": np.outer([1.0, 2, 3], [1.0, -1, 0.5]),
    "nilpotent": 1.5 * np.array([[1.0, -1], [1, -1]]),
    "graded": gaussian(5) * 10.0 ** np.arange(0, -100, -20)[:, None],
    "huge": gaussian(4) * 1e200,
    "tiny": gaussian(4) * 1e-300,
    "subnormal": gaussian(3) * 1e-315,
    **{f"gaussian {n}": gaussian(n) for n in (2, 6, 12)},
}


@pytest.mark.parametrize("W", MATRICES.values(), ids=MATRICES.keys())
def test_the_bound_is_above_the_norm_of_60_digits(W):
    with mp.workdps(DIGITS):
        true = norm(matrix(W))
        assert true <= mp.mpf(norm_up(W))
        if W.any() and np.abs(W).max() > 1e-290:
            assert mp.mpf(norm_up(W)) <= true * (1 + EXCESS)


@pytest.mark.parametrize("n", [64, 256])
def test_the_excess_over_the_svd_is_as_promised(n):
    W = gaussian(n)
    assert 0 <= norm_up(W) / np.linalg.norm(W, 2) - 1 <= EXCESS


@pytest.mark.parametrize("shape", [(3, 7), (7, 3)])
def test_rectangles_have_bounds_too(shape):
    W = np.random.default_rng(1).normal(size=shape)
    with mp.workdps(DIGITS):
        assert norm(matrix(W)) <= norm_up(W)


@pytest.mark.parametrize(("seed", "least"), list(enumerate((0.99026, 1.22945, 1.32765, 1.60947, 1.66311))))
def test_the_scaling_finds_the_least_norm_of_the_reference(seed, least):
    """R24; the smoothed search ends within ln(n)/1024 of the minimum."""
    W = np.random.default_rng(seed).normal(size=(6, 6)) / 6**0.5
    found = scaled_norm_up(W, balanced_scale(W, perron_scale(W)))
    assert least - 1e-5 <= found <= least * (1 + np.log(6) / 1024)


@pytest.mark.parametrize("seed", range(5))
def test_the_scaled_bound_is_above_60_digits(seed):
    W = gaussian(5, seed)
    scale = balanced_scale(W, perron_scale(W))
    with mp.workdps(DIGITS):
        assert norm(scaled(matrix(W), scale.tolist())) <= scaled_norm_up(W, scale)


def test_a_strictly_triangular_matrix_can_be_scaled_below_any_norm():
    W = np.triu(gaussian(8), 1) * 3
    assert scaled_norm_up(W, short(perron_scale(W))) < 0.2 * norm_up(W)


@pytest.mark.parametrize("W", MATRICES.values(), ids=MATRICES.keys())
def test_the_checker_confirms_the_bound_and_refutes_less(W):
    one = np.ones(len(W))
    assert norm_at_most(one, W, one, norm_up(W)) is True
    if W.any():
        assert norm_at_most(one, W, one, float(np.linalg.norm(W, 2) * (1 - 1e-9))) is False


@pytest.mark.parametrize("n", [3, 40, 130])
def test_the_checker_scales_as_the_prover_does(n):
    W = gaussian(n)
    scale = short(perron_scale(W))
    mu = scaled_norm_up(W, scale)
    assert norm_at_most(scale, W, scale, mu) is True
    assert norm_at_most(scale, W, scale, mu * (1 - 1e-8)) is False


def test_the_checker_never_confirms_what_60_digits_deny():
    """Around the norm, in steps of a unit in the last place, the checker may be undecided but not wrong."""
    W = gaussian(4, 3)
    one = np.ones(4)
    with mp.workdps(DIGITS):
        true = norm(matrix(W))
        for units in range(-8, 9):
            mu = float(true) * (1 + units * 2.0**-52)
            found = norm_at_most(one, W, one, mu)
            assert found is None or found is bool(true <= mu)


@pytest.mark.parametrize("bits", [5, 53, 200])
def test_integer_products_are_exact(bits):
    random = np.random.default_rng(0)
    X = np.array(
        [[int(random.integers(-(2**31), 2**31)) ** 9 % 2**bits * sign for sign in (1, -1, 1)] for _ in range(300)]
    )
    X = X.astype(object)
    assert (gram(X) == X.T @ X).all()
