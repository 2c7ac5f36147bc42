"""Norms by products with vectors alone, against full SVDs of the dense product."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.cells.cases import BY_NAME, CASES, Case, random_run
from tests.engine import lstm, measured, silence, trajectory
from tests.propagation.test_every_lag import two_groups
from vanishgrad.cells import ACTIVATIONS, RNN, Cell, StoredTrajectory
from vanishgrad.cells.activations import LINEAR
from vanishgrad.propagation.singular_values.matrix_free import INPUT_BLOCK, RESIDUAL, TOLERANCE, VectorBlock, leading
from vanishgrad.propagation.singular_values.scaled_vectors import LinearisedSteps, ScaledVectors
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

N, D, STEPS, TRIALS = 20, 9, 60, 2
LAGS = (0, 1, 2, 7, 30, STEPS - 1, STEPS)
MODELS = [
    "rnn", "rnn@orthogonal", "rnn@gaussian:untied=true", "rnn@identity:activation=relu", "lstm", "lstm@chrono",
    "lstm@gaussian:gain=5", "gru", "gru:reset=before",
]  # fmt: skip


def blocks(cell: Cell) -> dict[str, VectorBlock]:
    every = {"state": VectorBlock(None, None), "input": VectorBlock("h", INPUT_BLOCK)}
    if len(cell.parts) > 1:
        every |= {"hidden": VectorBlock("h", "h"), "cell": VectorBlock("c", "c"), "output": VectorBlock("h", None)}
    return every


def both(cell: Cell, path: StoredTrajectory) -> list[tuple[str, int, np.ndarray, np.ndarray, np.ndarray]]:
    """Name, lag, ln σ₁ and its error by vectors, ln σ₁ by the dense engine."""
    named = blocks(cell)
    wanted = [
        (name, lag)
        for name, block in named.items()
        for lag in LAGS
        if (lag < path.steps if block.source == INPUT_BLOCK else 0 < lag <= path.steps)
    ]
    found = leading(cell, path, [(named[name], lag) for name, lag in wanted], {})
    dense = measured(cell, path).curves
    return [
        (name, lag, found[named[name], lag].log_norm, found[named[name], lag].error, dense[name].log_norm[:, lag])
        for name, lag in wanted
    ]


def model(label: str, steps: int = STEPS) -> tuple[Cell, StoredTrajectory]:
    spec = parse(label).resolved(N, steps)
    cell = draw(spec, D, steps, TRIALS, seed=0).cell(spec)
    return cell, trajectory(cell, np.random.default_rng(0).standard_normal((TRIALS, steps, D)))


@pytest.mark.parametrize("label", MODELS)
def test_every_block_is_the_dense_one_within_its_error(label: str) -> None:
    for name, lag, found, error, dense in both(*model(label)):
        roundoff = 1e-10  # what the dense norms are converged to
        assert error.max() <= RESIDUAL
        np.testing.assert_array_equal(np.isneginf(found), np.isneginf(dense))
        some = np.isfinite(dense)
        assert (np.abs(found[some] - dense[some]) <= error[some] + roundoff).all(), (name, lag)


@pytest.mark.parametrize("label", MODELS)
def test_the_largest_of_all_trials_takes_no_more_rows(label: str) -> None:
    cell, path = model(label)
    of_each, largest = (
        leading(cell, path, [(VectorBlock(None, None), STEPS)], {}, largest_only=only)[VectorBlock(None, None), STEPS]
        for only in (False, True)
    )
    assert largest.settled
    assert largest.rows <= of_each.rows
    assert largest.log_norm.max() == pytest.approx(of_each.log_norm.max(), abs=2 * TOLERANCE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_cell_offers_what_it_takes(case: Case) -> None:
    run = random_run(case)
    dense = run.linearisation
    P = np.eye(run.cell.state_size)
    for t in range(run.trajectory.steps, 0, -1):
        lag, block = run.trajectory.steps - t + 1, VectorBlock(None, None)
        P = P @ dense.dense(t)
        found = leading(run.cell, run.trajectory, [(block, lag)], {})[block, lag].log_norm
        with np.errstate(divide="ignore"):
            expected = np.log(np.linalg.svd(P, compute_uv=False)[:, 0])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_a_contracting_product_of_three_thousand_steps() -> None:
    """Far below the range of a float64, against the mean rate of an orthogonal matrix times 0.5."""
    Q, steps = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0], 3000
    cell = RNN(0.5 * Q, np.zeros((6, 1)), np.zeros(6), ACTIVATIONS["linear"])
    block = VectorBlock(None, None)
    found = leading(cell, trajectory(cell, silence(cell, steps)), [(block, steps)], {})[block, steps]
    assert found.log_norm[0] == pytest.approx(steps * math.log(0.5), rel=1e-12)


def test_close_singular_values_and_a_lead_that_has_changed() -> None:
    rotation = np.linalg.qr(np.random.default_rng(2).standard_normal((16, 16)))[0]
    cell, expected = two_groups(rotation, 0.9, 20, 45)
    path, block = trajectory(cell, np.zeros((1, 45, 1))), VectorBlock(None, None)
    first = leading(cell, path, [(block, 19)], {})[block, 19]
    found = leading(cell, path, [(block, 45)], {(block, 45): first.left})[block, 45]
    assert found.log_norm[0] == pytest.approx(expected[45], abs=1e-9)


def test_a_block_that_vanishes_beside_another_is_not_called_zero() -> None:
    """U = 0 but U_o = 1e-3: after 200 steps ∂h/∂h is 1e-600, far below ∂c/∂c in the same vectors."""
    cell = lstm(2, f=(0, 0, 5), o=(1e-3, 0, 0), g=(0, 0, 1), i=(0, 0, 1))
    path, hidden = trajectory(cell, silence(cell, 200)), VectorBlock("h", "h")
    found = leading(cell, path, [(hidden, 200), (hidden, 20), (VectorBlock("c", "c"), 200)], {})
    dense = measured(cell, path).curves
    assert dense["hidden"].log_norm[0, 200] < -1000
    np.testing.assert_allclose(found[hidden, 200].log_norm, dense["hidden"].log_norm[:, 200], rtol=1e-12)
    assert found[hidden, 20].log_norm == pytest.approx(dense["hidden"].log_norm[:, 20], abs=1e-9)
    assert found[VectorBlock("c", "c"), 200].log_norm == pytest.approx(dense["cell"].log_norm[:, 200], abs=1e-9)


def test_float32_is_close_to_float64() -> None:
    cell, path = model("lstm")
    single = type(cell)(*(each.astype(np.float32) for each in (cell.W_hh, cell.W_hx, cell.b)))
    short = trajectory(single, np.random.default_rng(0).standard_normal((TRIALS, STEPS, D)).astype(np.float32))
    for (name, lag, *double), (*_, found, error, _) in zip(both(cell, path), both(single, short), strict=True):
        assert error.max() < 1e-5
        np.testing.assert_allclose(found, double[0], rtol=0, atol=1e-3, err_msg=f"{name} {lag}")


def test_more_vectors_than_one_chunk_move_as_one_by_one() -> None:
    run, rng = random_run(BY_NAME["lstm"]), np.random.default_rng(0)
    values = rng.standard_normal((3, 70, run.cell.state_size))
    back, forth = (ScaledVectors.on(values, values) for _ in range(2))
    for t, linearisation in LinearisedSteps(run.cell, run.trajectory).backward():
        back.cotangent(linearisation, t)
    for t, linearisation in LinearisedSteps(run.cell, run.trajectory).forward(1):
        forth.tangent(linearisation, t)
    P = np.eye(run.cell.state_size)
    for t in range(run.trajectory.steps, 0, -1):
        P = P @ run.linearisation.dense(t)
    scale = [2.0 ** each.exponents[..., None] for each in (back, forth)]
    np.testing.assert_allclose(back.values * scale[0], values @ P, rtol=0, atol=1e-11)
    np.testing.assert_allclose(forth.values * scale[1], values @ np.swapaxes(P, 1, 2), rtol=0, atol=1e-11)


@pytest.mark.parametrize("steps", [1, 5])
def test_a_cluster_of_values_is_not_taken_for_one(steps: int) -> None:
    """The gap of the Ritz values is that to 1/2, and says that a mean of the cluster has settled."""
    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((5, 5)))[0]
    cell = RNN((Q * [1 + 3e-6, 1 + 1e-6, 1, 0.5, 0.1]) @ Q.T, np.ones((5, 1)), np.zeros(5), LINEAR)
    path = trajectory(cell, np.zeros((1, steps, 1)))
    found = leading(cell, path, [(VectorBlock(None, None), steps)], {})[VectorBlock(None, None), steps]
    assert found.log_norm == pytest.approx([steps * np.log1p(3e-6)], abs=2e-8)


def test_an_input_whose_square_is_beyond_the_range() -> None:
    cell = RNN(np.eye(3), np.full((3, 1), 1e-200), np.zeros(3), LINEAR)
    path = trajectory(cell, np.zeros((1, 2, 1)))
    found = leading(cell, path, [(VectorBlock("h", INPUT_BLOCK), 1)], {})[VectorBlock("h", INPUT_BLOCK), 1]
    assert found.log_norm == pytest.approx([np.log(3) / 2 - 200 * np.log(10)], abs=1e-9)
