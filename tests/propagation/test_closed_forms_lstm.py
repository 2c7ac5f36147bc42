"""The LSTM where its product is known in closed form."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from tests.engine import last_product, log_norms, lstm, measured, silence, trajectory
from tests.reference import sigmoid
from vanishgrad.cells import LSTM
from vanishgrad.propagation.products.products import backward_products

EPS = np.finfo(float).eps


def random_lstm(n: int, seed: int = 0, gain: float = 1.0, recurrent: bool = True) -> LSTM:
    rng = np.random.default_rng(seed)
    W_hh = gain * rng.standard_normal((4 * n, n)) / math.sqrt(n) * recurrent
    return LSTM(W_hh, rng.standard_normal((4 * n, n)) / math.sqrt(n), rng.standard_normal(4 * n))


@pytest.mark.parametrize(
    ("bias", "steps", "expected"),
    [
        (1, 1, 0.731058578630005), (1, 20, 1.90126894419941e-3), (1, 100, 2.48437855572401e-14),
        (2, 100, 3.07316954368076e-6), (5, 100, 0.510923784856118),
    ],
)  # fmt: skip
def test_a_forget_bias_alone_decays_as_a_power_of_its_gate(bias: float, steps: int, expected: float) -> None:
    cell = lstm(f=(0, 0, bias))
    found = log_norms(cell, silence(cell, steps))
    for curve in ("cell", "conveyor"):
        assert np.exp(found[curve][0, -1]) == pytest.approx(expected, rel=2e-14)


def test_all_weights_zero() -> None:
    cell = lstm(3)
    found = log_norms(cell, silence(cell, 100))
    assert np.exp(found["cell"][0, -1]) == pytest.approx(7.88860905221012e-31, rel=1e-14)
    assert np.isneginf(found["hidden"][0, 1:]).all()


def test_without_recurrent_weights_only_the_conveyor_is_left() -> None:
    n, steps = 4, 30
    cell = random_lstm(n, recurrent=False)
    xs = np.random.default_rng(1).standard_normal((1, steps, n))
    path = trajectory(cell, xs)
    a = np.split(xs[0] @ cell.W_hx[0].T + cell.b[0], 4, axis=1)
    forget, output = sigmoid(a[1]).prod(axis=0), sigmoid(a[3][-1])
    blocks = {to: last_product(cell, path).block(to, "c") for to in ("h", "c")}
    h_c, c_c = (matrix[0] * np.exp(log_scale[0]) for matrix, log_scale in blocks.values())
    sech2 = np.cosh(path.states[-1, 0, n:]) ** -2
    np.testing.assert_allclose(c_c, np.diag(forget), rtol=100 * EPS)
    np.testing.assert_allclose(h_c, np.diag(output * sech2 * forget), rtol=100 * EPS)
    curves = measured(cell, path).curves
    assert np.isneginf(curves["hidden"].log_norm[0, 1:]).all()
    np.testing.assert_allclose(curves["conveyor"].log_norm, curves["cell"].log_norm, rtol=0, atol=1e-13)
    np.testing.assert_allclose(curves["conveyor"].log_rms, curves["cell"].log_rms, rtol=0, atol=1e-13)


def test_one_unit_with_all_weights_one_half() -> None:
    cell = LSTM(np.full((4, 1), 0.5), np.full((4, 1), 0.5), np.zeros(4))
    path = trajectory(cell, np.zeros((1, 1, 1)), np.array([[0.1, 0.2]]))
    J = cell.linearise(path, 0, 1).dense(1)[0]
    assert cell.gate_values(path)["forget"][0, 0, 0] == pytest.approx(0.51249739648421, abs=5e-15)
    np.testing.assert_allclose(path.states[1, 0], [0.0652956768496792, 0.128103016395338], rtol=0, atol=5e-16)
    expected = [[0.160531590666901, 0.258390055987836], [0.286834419694274, 0.51249739648421]]
    np.testing.assert_allclose(J, expected, rtol=0, atol=1e-15)
    assert np.linalg.det(J) == pytest.approx(0.00815686050621379, abs=1e-15)


def test_an_lstm_explodes_at_the_power_of_one_weight() -> None:
    cell = lstm(i=(0, 0, 40), f=(0, 0, -40), g=(3, 0, 0), o=(0, 0, 40))
    found = log_norms(cell, silence(cell, 20))["hidden"][0, -1]
    assert np.exp(found) == pytest.approx(3486784401, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_eigenvalues_at_the_zero_fixed_point(seed: int) -> None:
    n = 6
    cell = random_lstm(n, seed)
    cell.b[:] = 0
    J = cell.linearise(trajectory(cell, silence(cell, 1)), 0, 1).dense(1)[0]
    U_g = cell.W_hh[0, 2 * n : 3 * n]
    expected = np.concatenate([np.zeros(n), 0.5 + np.linalg.eigvals(U_g) / 4])
    np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(J)), np.sort_complex(expected), rtol=0, atol=1e-13)


def test_a_ginibre_candidate_has_radius_one_half_plus_a_quarter_of_its_gain() -> None:
    n, gain = 200, 2.0
    rng = np.random.default_rng(0)
    cell = lstm(n, 1, g=(gain * rng.standard_normal((n, n)) / math.sqrt(n), 0, 0))
    J = cell.linearise(trajectory(cell, silence(cell, 1)), 0, 1).dense(1)[0]
    assert abs(np.linalg.eigvals(J)).max() == pytest.approx(0.5 + gain / 4, abs=0.05)


def test_detours_can_cancel_the_conveyor() -> None:
    """U_g = -2, b_f = 3, b_o = 2: the whole is 1e-33 where the conveyor keeps 0.23; no lower bound."""
    steps = 30
    cell = lstm(f=(0, 0, 3), g=(-2, 0, 0), o=(0, 0, 2))
    found = log_norms(cell, silence(cell, steps))
    expected = sigmoid(3.0) * (sigmoid(3.0) - sigmoid(2.0)) ** (steps - 1)
    # The difference of the two gates loses a digit, to the power of 29.
    assert np.exp(found["cell"][0, -1]) == pytest.approx(expected, rel=steps * 10 * EPS)
    assert np.exp(found["cell"][0, -1]) == pytest.approx(6.345723e-34, rel=1e-7)
    assert np.exp(found["conveyor"][0, -1]) == pytest.approx(0.2327895, abs=5e-8)


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (3, 1), (8, 2)])
def test_determinant_and_sum_rule(n: int, seed: int) -> None:
    """Σ ln|det J_t| = T ln|det U_o| + Σ ln f + ln o(1 - o) + ln|tanh c|, so the Lyapunov exponents add up to it."""
    steps, cell = 150, random_lstm(n, seed)
    path = trajectory(cell, np.random.default_rng(seed).standard_normal((1, steps, n)))
    linearisation, gates = cell.linearise(path, 0, steps), cell.gate_values(path)
    f, o, c = gates["forget"][:, 0], gates["output"][:, 0], path.states[1:, 0, n:]
    by_step = (np.log(f) + np.log(o * (1 - o)) + np.log(abs(np.tanh(c)))).sum(axis=1)
    by_step += np.linalg.slogdet(cell.W_hh[0, 3 * n :])[1]
    found = np.array([np.linalg.slogdet(linearisation.dense(t)[0])[1] for t in range(1, steps + 1)])
    np.testing.assert_allclose(found, by_step, rtol=0, atol=1e-10)
    assert found.sum() == pytest.approx(by_step.sum(), abs=1e-10 * steps)


def test_determinant_of_a_product_is_the_product_of_determinants() -> None:
    n, steps, cell = 2, 4, random_lstm(2, 5)
    path = trajectory(cell, np.random.default_rng(5).standard_normal((1, steps, n)))
    matrix, log_scale = last_product(cell, path).block(None, None)
    linearisation = cell.linearise(path, 0, steps)
    expected = sum(np.linalg.slogdet(linearisation.dense(t)[0])[1] for t in range(1, steps + 1))
    found = np.linalg.slogdet(matrix[0])[1] + 2 * n * log_scale[0]
    # The product's condition number, 1e6 here, multiplies the roundoff of its small singular values.
    assert found == pytest.approx(expected, abs=1e-8)


def test_write_hold_and_read_for_any_length() -> None:
    """theory T10: a net of fixed size whose input gradient stays above 0.49 at every length."""
    for steps, expected in ((10, 0.5501), (100, 0.5462), (1000, 0.5465)):
        K = math.log(20 * steps)
        key = lambda signal, key: np.array([[signal, key]])  # noqa: E731
        cell = lstm(d=2, i=(0, key(0, 2 * K), -K), f=(0, 0, K), g=(0, key(1, 0), 0), o=(0, 0, 2))
        xs = np.zeros((1, steps, 2))
        xs[0, :, 0] = np.random.default_rng(0).uniform(-1, 1, steps)
        xs[0, 0] = 0.5, 1
        matrix, log_scale = _input_product(cell, xs)
        assert matrix[0, 0, 0] * np.exp(log_scale[0]) >= 0.49
        assert matrix[0, 0, 0] * np.exp(log_scale[0]) == pytest.approx(expected, abs=0.02)


def _input_product(cell: LSTM, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    products = backward_products(cell, trajectory(cell, xs), 1, input_lags={xs.shape[1] - 1})
    for product in products:
        if product.lag == xs.shape[1] - 1:
            return product.input_block()
    raise AssertionError


@pytest.mark.parametrize("steps", [10, 100])
def test_chrono_is_the_bias_that_lets_most_through_at_its_length(steps: int) -> None:
    """With i = 1 - f the response at lag T - 1 is (1 - f) f^(T-1), greatest at b_f = -b_i = ln(T - 1)."""

    def lost(b: float) -> float:
        cell = lstm(i=(0, 0, -b), f=(0, 0, b), g=(0, 1, 0))
        return -float(log_norms(cell, silence(cell, steps), curves=("input",))["input"][0, -1])

    exact = math.log(steps - 1)
    found = minimize_scalar(lost, bracket=(exact - 1, exact + 0.3, exact + 1), tol=1e-9).x
    assert found == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize(("steps", "expected"), [(10, 0.3486784401), (100, 0.36603234127), (1000, 0.36769542)])
def test_chrono_bias_keeps_one_over_e(steps: int, expected: float) -> None:
    cell = lstm(f=(0, 0, math.log(steps - 1)))
    found = log_norms(cell, silence(cell, steps), curves=("state", "conveyor"))["conveyor"][0, -1]
    assert float(np.exp(found)) == pytest.approx(float((1 - mpmath.mpf(1) / steps) ** steps), rel=4 * steps * EPS)
    assert float(np.exp(found)) == pytest.approx(expected, abs=5e-9)
