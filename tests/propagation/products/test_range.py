"""A direction that falls 1e-308 behind another may lead again, and a saturated unit is not zero: closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine import trajectory
from vanishgrad.cells import GRU, LSTM, RNN, Cell
from vanishgrad.cells.activations import RELU
from vanishgrad.cells.coupled import CoupledLSTM
from vanishgrad.cells.janet import JANET
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import Scope
from vanishgrad.propagation.lyapunov import lyapunov_spectrum
from vanishgrad.propagation.products.operator import product
from vanishgrad.propagation.singular_values.all_values import spectra
from vanishgrad.propagation.weight_gradient import OneSequence, contributions

STEPS = 450
LN_10 = np.log(10)
every_engine = pytest.mark.parametrize(
    "engine", ["dense", "adaptive", pytest.param("matrix-free", marks=pytest.mark.slow)]
)


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def found(cell: Cell, xs: np.ndarray, engine: str, s0: np.ndarray | None = None) -> dict[str, np.ndarray]:
    loss = np.full((1, cell.parts[0].size), cell.parts[0].size ** -0.5)
    measured = measure(cell, trajectory(cell, xs, s0), np.array([xs.shape[1]]), loss, 1e-3, Scope(None), engine)
    return {name: norms.log_norm[0] for name, norms in measured.curves.items()}


@every_engine
def test_the_cell_curve_of_an_lstm_without_recurrent_weights_is_its_conveyor(engine: str) -> None:
    W_hx = np.zeros((8, 2))
    W_hx[2:4] = np.eye(2)
    early, late = [logit(1e-3), logit(0.9)], [logit(0.99), logit(0.1)]
    xs = np.concatenate([np.tile(early, (STEPS, 1)), np.tile(late, (STEPS, 1))])[None]
    curves = found(LSTM(np.zeros((8, 2)), W_hx, np.zeros(8)), xs, engine)
    measured = ~np.isnan(curves["cell"])
    np.testing.assert_allclose(curves["cell"][measured], curves["conveyor"][measured], rtol=1e-12, atol=1e-12)
    assert measured.sum() > 10
    assert curves["cell"][-1] / LN_10 == pytest.approx(STEPS * np.log10(0.9 * 0.1), rel=1e-12)


@every_engine
def test_relu_units_that_are_masked_in_turn(engine: str) -> None:
    """diag(1, 0.1): the first unit dies at the oldest step, behind which only the second is left."""
    W_hh, W_hx, steps = np.diag([1, 0.1]), np.eye(2), 900
    xs = np.ones((1, steps, 2))
    xs[0, 0, 0] = -1e3
    curve = found(RNN(W_hh, W_hx, np.zeros(2), RELU), xs, engine)["state"]
    np.testing.assert_allclose(curve[:-1][~np.isnan(curve[:-1])], 0, atol=1e-13)
    assert curve[-1] == pytest.approx(-steps * LN_10, rel=1e-12)


@every_engine
@pytest.mark.parametrize("bias", [20.0, 354.0, 400.0, 5000.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_saturated_unit_is_not_zero(engine: str, bias: float, dtype: str) -> None:
    weights = (np.eye(1), np.zeros((1, 1)), np.array([bias]))
    cell = RNN(*(each.astype(dtype) for each in weights))
    curve = found(cell, np.zeros((1, 3, 1), dtype), engine, np.ones((1, 1), dtype))["state"]
    # tanh'(b + 1) = 4 e^(-2 (b + 1)) three times over
    np.testing.assert_allclose(
        curve, (np.log(4) - 2 * (bias + 1)) * np.arange(4), rtol=1e-6 if dtype == "float32" else 1e-13
    )


@every_engine
def test_a_forget_gate_that_is_shut_is_not_zero(engine: str) -> None:
    b = np.zeros(4)
    b[1] = -800
    curves = found(LSTM(np.zeros((4, 1)), np.zeros((4, 1)), b), np.zeros((1, 4, 1)), engine)
    np.testing.assert_allclose(curves["cell"], -800.0 * np.arange(5), rtol=1e-14)
    np.testing.assert_allclose(curves["conveyor"], -800.0 * np.arange(5), rtol=1e-14)


@every_engine
def test_a_state_to_which_a_saturated_candidate_returns_keeps_its_distance(engine: str) -> None:
    """h_1 - n̂_2 is (h_0 + 1) k + 2 (1 - k) with n̂_1 = 1 and n̂_2 = -1 to rounding, of terms that cancel to 1e-8."""
    cell = GRU(np.zeros((3, 1)), np.array([[0.0], [1.0], [40.0]]), np.array([0.0, 30.0, 0.0]))
    s0 = np.array([[-1 + 1e-8]])
    keep, z = (1 / (1 + np.exp(-a)) for a in (31.0, 29.0))
    expected = np.log(((s0[0, 0] + 1) * keep + 2 / (1 + np.exp(31.0))) * z * (1 / (1 + np.exp(29.0))))
    assert found(cell, np.array([[[1.0], [-1.0]]]), engine, s0)["input"][0] == pytest.approx(expected, abs=1e-14)


@every_engine
def test_zero_is_said_of_what_is_zero(engine: str) -> None:
    cell = RNN(np.eye(2), np.zeros((2, 1)), -np.ones(2), RELU)
    assert np.all(np.isneginf(found(cell, np.zeros((1, 3, 1)), engine)["state"][1:]))


def test_the_product_of_two_times_does_not_say_zero_of_a_saturated_unit() -> None:
    cell = RNN(np.eye(1), np.zeros((1, 1)), np.array([400.0]))
    found = product(cell, np.zeros((3, 1)), 3, 0, np.ones(1)).log_norm
    assert found == pytest.approx(3 * (np.log(4) - 802), rel=1e-14)


def test_what_a_saturated_unit_gives_to_the_gradient_is_not_zero() -> None:
    """G_l = φ'(a)^(l+1) (h, 1) by W_hh and b, a = 401 at every step, for a loss that sees h_T alone."""
    cell, xs, steps = RNN(np.eye(1), np.zeros((1, 1)), np.array([400.0])), np.zeros((3, 1)), 3
    path = OneSequence(cell, trajectory(cell, xs[None], np.ones((1, 1))), xs)
    parts = contributions(path, np.eye(steps)[:, -1:])
    slope = np.log(4) - 802
    np.testing.assert_allclose(parts.log_own, slope * np.arange(1, 4) + np.log(2) / 2, rtol=1e-14)
    np.testing.assert_allclose(parts.log_lost[:-1], parts.log_own[1:], rtol=1e-14)


@every_engine
def test_the_cell_of_a_coupled_lstm_that_is_its_candidate_but_for_rounding(engine: str) -> None:
    """g = 1 to 2e-44 at every step, and 1 - c_t is 0.7/2^t: ∂h_t/∂h_{t-1} goes by c - g alone, through the forget gate."""
    steps, n = 100, 1
    cell = CoupledLSTM(np.array([[1e-30], [0.0], [0.0]]), np.zeros((3, n)), np.array([0.0, 50.0, 0.0]))
    hidden = found(cell, np.zeros((1, steps, n)), engine, np.array([[0.0, 0.3]]))["hidden"]
    last = np.log(0.7 / 2 ** (steps - 1) * 1e-30 / 4 * (1 - np.tanh(1) ** 2) / 2)
    assert hidden[1] == pytest.approx(last, abs=1e-12)


def test_a_janet_whose_gate_is_shut_gives_to_the_gradient_by_its_own_number_too() -> None:
    cell = JANET(np.zeros((2, 1)), np.zeros((2, 1)), np.array([-800.0, 0.5]))
    log_norm = found(cell, np.zeros((1, 2, 1)), "dense", np.ones((1, 1)))["state"]
    assert log_norm == pytest.approx([0, -800, -1600])


def test_a_gradient_comes_by_the_direction_that_leads_again() -> None:
    """diag(1, 0.1): of h_T only the second unit is left at the oldest step, 10^-899 of the first behind it."""
    W_hh, steps = np.diag([1, 0.1]), 900
    xs = np.ones((steps, 2))
    xs[0, 0] = -1e3
    cell = RNN(W_hh, np.eye(2), np.zeros(2), RELU)
    parts = contributions(OneSequence(cell, trajectory(cell, xs[None]), xs), np.eye(steps)[:, -1:] * np.ones(2))
    # x_1 = (-1000, 1) and b: the second unit's row of W_hx, and of b; h_0 = 0
    assert parts.log_own[-1] == pytest.approx(-(steps - 1) * LN_10 + np.log(1e6 + 2) / 2, rel=1e-12)


def test_the_operator_of_a_product_keeps_what_leaves_floating_point() -> None:
    cell = RNN(np.diag([1.0, 0.1]), np.eye(2), np.zeros(2), RELU)
    xs = np.ones((900, 2))
    xs[0, 0] = -1e3
    for found in (
        product(cell, xs, 900, 0),
        product(RNN(np.eye(1), np.zeros((1, 1)), np.array([400.0])), xs[:3, :1], 3, 0),
    ):
        operator, size = found.as_linear_operator(), len(found.matrix)
        largest = np.log(np.abs(found.matrix).max()) + found.log_scale
        assert largest == pytest.approx(found.log_norm, rel=1e-12)
        np.testing.assert_array_equal(operator @ np.eye(size), found.matrix)
        np.testing.assert_allclose(operator.rmatmat(np.eye(size)), found.matrix.T, rtol=1e-12)


@pytest.mark.parametrize("engine", ["dense", "matrix-free"])
def test_a_block_that_is_zero_beside_one_that_is_not(engine: str) -> None:
    """Without recurrent weights the hidden state hands nothing on, while the cell state does."""
    rng = np.random.default_rng(0)
    curves = found(LSTM(np.zeros((8, 2)), rng.normal(0, 1, (8, 2)), np.zeros(8)), rng.normal(0, 1, (1, 20, 2)), engine)
    assert np.all(np.isneginf(curves["hidden"][[1, -1]]))
    assert np.isfinite(curves["cell"][[1, -1]]).all()


def test_all_singular_values_of_saturated_units() -> None:
    cell = RNN(np.eye(2), np.zeros((2, 1)), np.array([400.0, 800.0]))
    path = trajectory(cell, np.zeros((1, 3, 1)), np.ones((1, 2)))
    ((_, blocks),) = spectra(cell, path, [3], {"state": None})
    np.testing.assert_allclose(blocks["state"].log_sigma[0], 3 * (np.log(4) - np.array([802, 1602])), rtol=1e-14)


def test_lyapunov_exponents_of_saturated_units() -> None:
    cell = RNN(np.eye(2), np.zeros((2, 1)), np.array([400.0, 800.0]))
    found = lyapunov_spectrum(cell, [np.zeros((1, 20, 1))], np.ones((1, 2)), 10, burn_in=10)
    lam = np.log(4) - np.array([802, 1602])
    np.testing.assert_allclose(found.log_det, lam.sum(), rtol=1e-14)
    assert found.lam[0, 0] == pytest.approx(lam[0], rel=1e-12)
