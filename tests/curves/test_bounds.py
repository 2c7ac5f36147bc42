"""Each bound lies above what is measured, at every lag, on nets of every law; and each number is SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg

from tests.engine import lstm, measured, silence, trajectory
from vanishgrad.cells import ACTIVATIONS, LSTM, RNN, Cell
from vanishgrad.curves.block_contraction import BLOCK_STEPS
from vanishgrad.curves.bounds import Bound, bounds
from vanishgrad.questions.compare import CompareRequest, compare

ROUNDOFF = 1e-9
MODELS = [
    "rnn", "rnn:activation=relu", "rnn:activation=sigmoid", "rnn@keras", "rnn@gaussian:gain=2",
    "rnn@orthogonal", "rnn@orthogonal:activation=linear,gain=0.9", "rnn@identity:activation=relu", "rnn@identity",
    "lstm", "lstm@keras", "lstm@chrono", "lstm@gaussian:gain=3", "gru", "gru:reset=before", "gru@chrono",
    "gru@identity",
]  # fmt: skip


def found(cell: Cell, xs: np.ndarray) -> tuple[dict[str, Bound], np.ndarray]:
    path = trajectory(cell, xs)
    by_name = {bound.name: bound for bound in bounds(cell, path, path.steps)}
    return by_name, measured(cell, path, curves=("state",)).curves["state"].log_norm


@pytest.mark.parametrize("label", MODELS)
@pytest.mark.parametrize("trials", [1, 3])
def test_no_measured_norm_exceeds_a_bound(label: str, trials: int) -> None:
    (model,) = compare(CompareRequest((label,), hidden=7, input_size=3, steps=47, trials=trials)).models
    # The block contraction speaks of trial 0, the others of every trial.
    lines = [bound for bound in model.bounds if bound.log_norm is not None]
    lines = [bound for bound in lines if trials == 1 or bound.name != "block_contraction"]
    assert lines or trials > 1
    for bound in lines:
        measured_norm = model.curves[bound.curve].log_norm.high[: len(bound.log_norm)]
        assert (measured_norm <= bound.log_norm[: len(measured_norm)] + ROUNDOFF).all(), bound.name


@given(st.integers(1, 6), st.integers(0, 2**32 - 1), st.floats(0.05, 3), st.sampled_from(sorted(ACTIVATIONS)))
def test_bounds_of_random_vanilla_networks(n: int, seed: int, gain: float, activation: str) -> None:
    rng = np.random.default_rng(seed)
    sparse = rng.standard_normal((n, n)) * rng.integers(0, 2, (n, n))
    cell = RNN(gain * sparse, rng.standard_normal((n, 2)), rng.standard_normal(n), ACTIVATIONS[activation])
    by_name, log_norm = found(cell, rng.standard_normal((1, 25, 2)))
    for name in ("gamma_norm", "gamma_norm_scaled", "block_contraction"):
        bound = by_name[name]
        reach = min(len(bound.log_norm), 26)
        assert (log_norm[0, :reach] <= bound.log_norm[:reach] + ROUNDOFF * np.arange(1, reach + 1)).all(), name


def test_block_contraction_follows_the_definition() -> None:
    rng, n, steps = np.random.default_rng(0), 4, 35
    cell = RNN(0.8 * rng.standard_normal((n, n)), np.eye(n), np.zeros(n))
    path = trajectory(cell, rng.standard_normal((1, steps, n)))
    (bound,) = [bound for bound in bounds(cell, path, steps) if bound.name == "block_contraction"]
    linearisation = cell.linearise(path, 0, steps)
    worst, within = -math.inf, 0.0
    for end in (35, 25, 15):
        P = np.eye(n)
        for t in range(end, end - BLOCK_STEPS, -1):
            within = max(within, math.log(np.linalg.norm(P)))
            P = P @ linearisation.dense(t)[0]
        worst = max(worst, math.log(np.linalg.norm(P, 2)))
    assert bound.value == pytest.approx(math.exp(worst / BLOCK_STEPS))
    np.testing.assert_allclose(bound.log_norm, within + worst * (np.arange(31) // BLOCK_STEPS), rtol=1e-10)
    assert bound.holds is (worst < 0)


@pytest.mark.parametrize(("gain", "contracting"), [(1.0, True), (25.0, False)])
def test_block_contraction_of_large_states_is_that_of_their_products(gain: float, contracting: bool) -> None:
    """Vectors alone where every part of a block is below √m, products where it is not."""
    rng, n, steps = np.random.default_rng(0), 128, 23
    cell = LSTM(gain * rng.uniform(-1, 1, (4 * n, n)) / math.sqrt(n), rng.standard_normal((4 * n, 3)), np.zeros(4 * n))
    path = trajectory(cell, rng.standard_normal((1, steps, 3)))
    (bound,) = bounds(cell, path, steps)
    linearisation = cell.linearise(path, 0, steps)
    worst, within = -math.inf, -math.inf
    for end in (23, 13):
        P = np.eye(2 * n)
        for t in range(end, end - BLOCK_STEPS, -1):
            within = max(within, math.log(np.linalg.norm(P)))
            P = P @ linearisation.dense(t)[0]
        worst = max(worst, math.log(linalg.svdvals(P)[0]))
    assert (within == pytest.approx(math.log(2 * n) / 2)) is contracting
    assert bound.failure_probability == (pytest.approx(20e-9) if contracting else 0)  # 10 steps of 2 blocks
    assert ("probability 2e-08" in bound.claim) is contracting
    np.testing.assert_allclose(bound.log_norm, within + worst * (np.arange(21) // BLOCK_STEPS), rtol=0, atol=1e-9)
    assert bound.value == pytest.approx(math.exp(worst / BLOCK_STEPS), rel=1e-10)


@pytest.mark.parametrize(("activation", "gamma"), [("tanh", 1), ("relu", 1), ("linear", 1), ("sigmoid", 0.25)])
def test_gamma_times_the_norm(activation: str, gamma: float) -> None:
    W = np.random.default_rng(1).standard_normal((3, 5, 5))
    cell = RNN(W, np.zeros((3, 5, 1)), np.zeros((3, 5)), ACTIVATIONS[activation])
    by_name, _ = found(cell, silence(cell, 5, batch=3))
    norm = max(linalg.svdvals(each)[0] for each in W)
    assert by_name["gamma_norm"].value == pytest.approx(gamma * norm, rel=1e-12)
    assert by_name["gamma_norm"].holds is bool(gamma * norm < 1)
    np.testing.assert_allclose(by_name["gamma_norm"].log_norm, np.arange(6) * math.log(gamma * norm), rtol=1e-10)
    radius = max(abs(linalg.eigvals(each)).max() for each in W)
    assert by_name["spectral_radius"].value == pytest.approx(radius, rel=1e-10)


def test_the_radius_claims_something_of_linear_networks_only() -> None:
    W = 0.5 * np.eye(2)
    for activation, holds in (("linear", True), ("tanh", None), ("relu", None)):
        cell = RNN(W, np.zeros((2, 1)), np.zeros(2), ACTIVATIONS[activation])
        by_name, _ = found(cell, silence(cell, 5))
        assert by_name["spectral_radius"].holds is holds
        assert by_name["spectral_radius"].log_norm is None


@pytest.mark.parametrize("seed", range(5))
def test_perron_scaling_is_scipys(seed: int) -> None:
    W = np.random.default_rng(seed).standard_normal((6, 6)) / math.sqrt(6)
    values, left, right = linalg.eig(np.abs(W), left=True, right=True)
    k = np.argmax(values.real)
    scale = np.sqrt(np.abs(left[:, k]) / np.abs(right[:, k]))
    expected = linalg.svdvals(scale[:, None] * W / scale)[0]
    by_name, _ = found(RNN(W, np.zeros((6, 1)), np.zeros(6)), np.zeros((1, 5, 1)))
    # |W| is made primitive by a thousandth of its mean, which moves the scaling a little and its validity not at all.
    assert by_name["gamma_norm_scaled"].value == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(("seed", "best"), list(enumerate([0.99026, 1.22945, 1.32765, 1.60947, 1.66311])))
def test_scaling_lies_between_the_best_one_and_the_plain_norm(seed: int, best: float) -> None:
    """theory R24; near the optimum, and it proves vanishing where the plain norm cannot."""
    W = np.random.default_rng(seed).standard_normal((6, 6)) / math.sqrt(6)
    by_name, _ = found(RNN(W, np.zeros((6, 1)), np.zeros(6)), np.zeros((1, 5, 1)))
    assert best - 1e-5 <= by_name["gamma_norm_scaled"].value <= 1.1 * best
    assert by_name["gamma_norm_scaled"].value <= linalg.svdvals(W)[0]


def test_a_triangular_matrix_is_tamed_by_scaling_and_a_tame_one_beside_it_does_not_help() -> None:
    W = np.array([[[0.5, 100.0], [0.0, 0.5]], [[0.6, 0.0], [0.0, 0.6]]])
    cell = RNN(W, np.zeros((2, 2, 1)), np.zeros((2, 2)), ACTIVATIONS["linear"])
    by_name, log_norm = found(cell, np.zeros((2, 40, 1)))
    assert by_name["gamma_norm"].value > 100
    assert by_name["gamma_norm_scaled"].value < 10
    assert (log_norm <= by_name["gamma_norm_scaled"].log_norm + ROUNDOFF).all()


def test_gated_cells_and_untied_networks_claim_nothing_of_one_matrix() -> None:
    cell = lstm(2)
    path = trajectory(cell, silence(cell, BLOCK_STEPS))
    assert [bound.name for bound in bounds(cell, path, BLOCK_STEPS)] == ["block_contraction"]
    assert bounds(cell, path, BLOCK_STEPS - 1) == ()
    untied = RNN(np.zeros((1, 20, 2, 2)), np.zeros((1, 2, 1)), np.zeros((1, 2)))
    assert bounds(untied, trajectory(untied, silence(untied, 20)), 20) == ()


def test_zero_weights_are_bounded_by_zero() -> None:
    cell = RNN(np.zeros((2, 2)), np.zeros((2, 1)), np.zeros(2))
    by_name, _ = found(cell, silence(cell, 12))
    for name in ("gamma_norm", "gamma_norm_scaled", "block_contraction"):
        assert by_name[name].value == 0
        assert by_name[name].holds
