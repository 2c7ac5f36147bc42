"""Lyapunov exponents of models whose directions lie further apart than floating point is wide, against mpmath."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from mpmath import mp

import vanishgrad
from tests import reference
from tests.engine import trajectory
from tests.fuzz import multiple_precision as exact
from tests.fuzz.models import Model, draw
from vanishgrad.cells import LSTM, RNN
from vanishgrad.cells.activations import LINEAR, RELU, TANH
from vanishgrad.propagation.lyapunov import lyapunov_spectrum

DIGITS = 1500
"""More than two directions of any model below come apart."""
STEPS = 50


def log_r(model: Model, k: int) -> np.ndarray:
    """Return the sums of ln R_ii, (K,), of Gram and Schmidt's process at each step, with so many digits."""
    states = trajectory(model.cell, model.xs).states[:, 0]
    with mp.workdps(DIGITS):
        start = np.linalg.qr(np.random.default_rng(0).standard_normal((k, states.shape[1])).T)[0]
        V = np.array([[mp.mpf(float(each)) for each in row] for row in start])
        sums = [mp.mpf(0)] * k
        for J in exact.jacobians(model.step, model.xs[0], states).by_state:
            V = exact.times(J, V)
            for i in range(k):
                for j in range(i):
                    V[:, i] -= V[:, j] * mp.fdot(V[:, j], V[:, i])
                r = mp.sqrt(mp.fdot(V[:, i], V[:, i]))
                sums[i], V[:, i] = sums[i] + mp.log(r) if r else -mp.inf, V[:, i] / (r or 1)
        return np.array([float(each) for each in sums])


def network(W: np.ndarray, xs: np.ndarray, U: np.ndarray | None = None, phi=(LINEAR, lambda a: a)) -> Model:
    U = np.zeros((len(W), xs.shape[-1])) if U is None else U
    given = {"W_hh": W, "W_hx": U, "b": np.zeros(len(W))}
    return Model("network", RNN(*given.values(), phi[0]), partial(reference.rnn, **given, phi=phi[1]), xs[None])


def diagonal(*entries: float) -> Model:
    return network(np.diag(entries), np.ones((30, 1)), np.eye(len(entries))[:, -1:])


def graded() -> Model:
    """ReLU units that do not meet, 1e-10 apart at each step."""
    x = np.random.default_rng(1).uniform(1, 2, (STEPS, 3))
    return network(np.diag([1e-35, 1e-20, 1e-28]), x, np.eye(3), (RELU, reference.relu))


def blocks_in_turn() -> Model:
    """Two dense blocks of tanh units that the input saturates in turn, so that each leads by 1e-400 for a while."""
    rng = np.random.default_rng(2)
    W, U = np.zeros((4, 4)), np.zeros((4, 2))
    W[:2, :2], W[2:, 2:] = rng.normal(0, 1, (2, 2, 2))
    U[:2, 0], U[2:, 1] = 1, 1
    x = np.where(np.arange(60)[:, None] // 20 % 2 == [[0, 1]], 30.0, 0.1) * rng.uniform(0.9, 1.1, (60, 2))
    return network(W, x, U, (TANH, np.tanh))


def forget_gates_in_turn() -> Model:
    """Forget gates of an LSTM without recurrent weights: 1e-3 beside 0.9 for one half, the other way round after it."""
    x = np.where(np.arange(60)[:, None] < 30, [[-60.0, 2.0]], [[3.0, -55.0]])
    U = np.zeros((8, 2))
    U[2:4] = np.eye(2)
    given = {"W_hh": np.full((8, 2), 1e-3), "W_hx": U, "b": np.zeros(8)}
    return Model("lstm", LSTM(*given.values()), partial(reference.lstm, **given), x[None])


MODELS = {
    "1e200 and 1e-200": (diagonal(1e200, 1e-200), 0),
    "1e-200 before 1e100": (diagonal(1e-200, 1e100, 1.0), 0),
    "graded relu": (graded(), 0),
    "blocks that lead in turn": (blocks_in_turn(), 3),
    "forget gates that close in turn": (forget_gates_in_turn(), 2),
    "graded lstm": (draw(16), 0),
    "saturated gru": (draw(10), 0),
    "switching tanh": (draw(1043), 2),
}


@pytest.mark.parametrize(("model", "lost"), MODELS.values(), ids=MODELS)
def test_every_exponent_is_right_or_said_to_be_lost(model: Model, lost: int) -> None:
    """Those of two blocks are: while one leads, the other's vectors become parallel to the last digit."""
    m, steps = model.cell.state_size, min(model.xs.shape[1], STEPS)
    model = model._replace(xs=model.xs[:, :steps])
    right = log_r(model, m)
    for k in (m, max(m - 1, 1)):
        lam = lyapunov_spectrum(model.cell, [model.xs], np.zeros((1, m)), steps, exponents=k).lam[0] * steps
        known = np.isfinite(lam)
        assert known.sum() >= k - lost
        assert lam[known] == pytest.approx(right[:k][known], rel=1e-9, abs=1e-9)


def test_float32_has_room_for_them_too() -> None:
    model = graded()
    cell = model.cell.with_tensors(np.float32)
    lam = lyapunov_spectrum(cell, [np.float32(model.xs)], np.zeros((1, 3), np.float32), STEPS).lam[0]
    assert lam * STEPS == pytest.approx(log_r(model, 3), rel=1e-6)


def test_the_sum_of_exponents_is_that_of_the_determinants() -> None:
    model = diagonal(1e200, 1e-200, 1e-250)
    spectrum = lyapunov_spectrum(model.cell, [model.xs], np.zeros((1, 3)), 30)
    assert spectrum.lam.sum() == pytest.approx(-250 * np.log(10), rel=1e-14)
    assert spectrum.log_det == pytest.approx(-250 * np.log(10), rel=1e-14)


def test_a_determinant_of_entries_1e_400_apart() -> None:
    W = np.array([[1e200, 1e-200], [1e200, 0]])
    spectrum = lyapunov_spectrum(network(W, np.ones((1, 1))).cell, [np.ones((1, 1, 1))], np.zeros((1, 2)), 1)
    assert spectrum.log_det == pytest.approx(0, abs=1e-12)


def test_the_dense_jacobians_of_a_step_of_ones_own_take_vectors_in_extended_range() -> None:
    W = np.diag([1e-100, 0.5, 1e-20])
    cell = vanishgrad.cell(lambda p, x, s: {"h": p["W"] @ s["h"] + x}, {"h": 3}, {"W": W}, input_size=3)
    lam = lyapunov_spectrum(cell, [np.ones((1, 30, 3))], np.zeros((1, 3)), 30).lam[0]
    assert lam.sum() == pytest.approx(np.linalg.slogdet(W)[1], rel=1e-9)
    assert lam == pytest.approx(np.log([0.5, 1e-20, 1e-100]), abs=0.2)
