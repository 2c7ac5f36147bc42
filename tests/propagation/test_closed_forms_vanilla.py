"""The vanilla network where its product is known in closed form."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from tests.engine import last_product, log_norms, silence, trajectory
from vanishgrad.cells import ACTIVATIONS, RNN

EPS = np.finfo(float).eps


def vanilla(W: np.ndarray, activation: str = "linear", b: float = 0.0) -> RNN:
    W = np.atleast_2d(np.asarray(W, dtype=float))
    return RNN(W, np.eye(len(W)), np.full(len(W), b), ACTIVATIONS[activation])


def orthogonal(n: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(3).standard_normal((n, n)))[0]


def test_an_orthogonal_linear_network_keeps_every_singular_value() -> None:
    cell = vanilla(orthogonal(32))
    product = last_product(cell, trajectory(cell, silence(cell, 1000)))
    matrix, log_scale = product.block(None, None)
    sigma = np.linalg.svd(matrix[0], compute_uv=False) * np.exp(log_scale[0])
    np.testing.assert_allclose(sigma, 1, rtol=0, atol=1e-12)


def test_a_jordan_block_grows_linearly() -> None:
    cell = vanilla([[1, 1], [0, 1]])
    found = log_norms(cell, silence(cell, 100))["state"][0]
    assert np.exp(found[100]) == pytest.approx((100 + math.sqrt(10004)) / 2, rel=100 * EPS)
    assert np.exp(found[100]) == pytest.approx(100.0099990002, abs=5e-11)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(1, 0.419974341614026), (10, 0.0409120419691288), (100, 1.59200408636506e-3), (1000, 5.17094875286382e-5)],
)
def test_an_autonomous_tanh_unit_forgets_polynomially(steps: int, expected: float) -> None:
    cell = vanilla(1.0, "tanh")
    found = log_norms(cell, silence(cell, steps), np.ones((1, 1)))["state"][0, -1]
    assert np.exp(found) == pytest.approx(expected, rel=1e-14 * steps + 4e-15)


def test_its_power_tends_to_three_halves() -> None:
    cell = vanilla(1.0, "tanh")
    thousand, ten_thousand = (
        last_product(cell, trajectory(cell, silence(cell, steps), np.ones((1, 1)))).log_frobenius(None, None)[0]
        for steps in (1000, 10_000)
    )
    assert (ten_thousand - thousand) / math.log(10) == pytest.approx(-1.4986, abs=5e-5)


def test_a_nilpotent_matrix_explodes_at_its_norm_where_units_saturate() -> None:
    """theory: eigenvalues do not decide; ρ(W) = 0, ‖W‖ = 3, ‖J_60‖/1.5^60 → √2."""
    W, steps = 1.5 * np.array([[1.0, -1.0], [1.0, -1.0]]), 60
    xs, h = np.zeros((1, steps, 2)), np.zeros(2)
    for t in range(steps):
        wanted = np.array([0.0, 40.0])
        xs[0, t] = wanted - W @ h
        h = np.tanh(wanted)
    found = log_norms(vanilla(W, "tanh"), xs)["state"][0, -1]
    assert np.exp(found - steps * math.log(1.5)) == pytest.approx(1.41421356, abs=5e-9)
    assert abs(np.linalg.eigvals(W)).max() < 1e-7
    assert np.linalg.norm(W, 2) == pytest.approx(3, rel=4 * EPS)


@pytest.mark.parametrize(
    ("w", "fixed_point", "slope"),
    [(1.25, 0.7104118, -0.4794176), (1.5, 0.8585596, -0.9306102), (2, 0.9575040, -1.7935285)],
)
def test_a_latch_forgets_at_the_slope_of_its_fixed_point(w: float, fixed_point: float, slope: float) -> None:
    exact = float(mpmath.findroot(lambda a: mpmath.tanh(w * a) - a, fixed_point))
    found = log_norms(vanilla(w, "tanh"), np.zeros((1, 50, 1)), np.array([[exact]]))["state"][0]
    assert exact == pytest.approx(fixed_point, abs=5e-8)
    np.testing.assert_allclose(np.diff(found), slope, rtol=0, atol=6e-8)


@pytest.mark.parametrize(("w", "rate"), [(3.9, -0.025318), (4, 0.0), (5, 0.223144)])
def test_a_sigmoid_unit_is_critical_at_weight_four(w: float, rate: float) -> None:
    found = log_norms(vanilla(w, "sigmoid", b=-w / 2), np.zeros((1, 20, 1)), np.array([[0.5]]))["state"][0]
    np.testing.assert_allclose(np.diff(found), math.log(w / 4), rtol=0, atol=64 * EPS)
    assert math.log(w / 4) == pytest.approx(rate, abs=5e-7)


def test_determinants_multiply() -> None:
    """Σ ln|det J_t| = T ln|det W| + Σ ln φ'."""
    rng, steps = np.random.default_rng(2), 200
    W = rng.standard_normal((4, 4)) / 2
    cell, xs = vanilla(W, "tanh"), rng.standard_normal((1, steps, 4))
    path = trajectory(cell, xs)
    linearisation = cell.linearise(path, 0, steps)
    found = sum(np.linalg.slogdet(linearisation.dense(t)[0])[1] for t in range(1, steps + 1))
    expected = steps * np.linalg.slogdet(W)[1] + np.log1p(-(path.states[1:, 0] ** 2)).sum()
    assert found == pytest.approx(expected, abs=1e-10 * steps)


def test_a_product_that_dies_is_exactly_zero() -> None:
    dead = vanilla(np.full((3, 3), 0.5), "relu", b=-10.0)
    found = log_norms(dead, silence(dead, 5))
    np.testing.assert_array_equal(found["state"], [[0, *[-np.inf] * 5]])
    assert np.isneginf(found["input"]).all()


def test_a_product_dies_at_the_step_where_the_last_unit_does() -> None:
    cell = vanilla(np.eye(2), "relu")
    xs = np.ones((1, 6, 2))
    xs[0, 2] = -100
    np.testing.assert_array_equal(log_norms(cell, xs)["state"], [[0, 0, 0, 0, -np.inf, -np.inf, -np.inf]])


def test_identity_relu_keeps_singular_values_at_one_or_zero() -> None:
    """An IRNN's J is diagonal: 1 where the unit was active at every step, else 0."""
    cell, rng = vanilla(np.eye(6), "relu"), np.random.default_rng(8)
    xs = rng.standard_normal((1, 12, 6))
    path = trajectory(cell, xs)
    matrix, log_scale = last_product(cell, path).block(None, None)
    active = (path.states[1:, 0] > 0).all(axis=0)
    np.testing.assert_array_equal(matrix[0] * np.exp(log_scale[0]), np.diag(active.astype(float)))
