"""The norms of all pairs of times, against products one by one and beyond the range of floating point."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.cells.cases import CASES, Case, T, random_run
from tests.engine import lstm, silence, trajectory
from tests.reference import products
from vanishgrad.cells import RNN
from vanishgrad.cells.activations import RELU
from vanishgrad.propagation.products.all_pairs import pair_log_norms

RELATIVE = 1e-9
every_cell = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@every_cell
@pytest.mark.parametrize("times", [range(T + 1), (1, 4, 6)], ids=["every", "some"])
def test_every_pair_is_the_norm_of_the_triple_loop(case: Case, times: range | tuple[int, ...]) -> None:
    run = random_run(case, trials=1)
    alone = trajectory(run.cell, run.xs[:1], run.trajectory.states[0, :1])
    linearisation = run.cell.linearise(alone, 0, T)
    found = np.exp(pair_log_norms(run.cell, alone, np.array(times)))
    for i, t in enumerate(times):
        by_lag = products([linearisation.dense(s)[0] for s in range(1, t + 1)]) if t else [np.eye(run.cell.state_size)]
        for j, k in enumerate(times):
            if k <= t:
                assert found[i, j] == pytest.approx(np.linalg.norm(np.array(by_lag[t - k]), 2), rel=RELATIVE)
            else:
                assert math.isnan(found[i, j])


def test_scales_beyond_floating_point_and_blocks_at_their_own_pace() -> None:
    """f = σ(-1) on the cell alone: f^(t - k) down to 1e-1140, beside a hidden state that is gone after a step."""
    cell = lstm(f=(0, 0, -1))
    times = np.arange(0, 2001, 250)
    found = pair_log_norms(cell, trajectory(cell, silence(cell, 2000)), times)
    slope = -math.log1p(math.e)
    for i, t in enumerate(times):
        for j, k in enumerate(times[:i]):
            # The whole state: h_t = c_t / 2, which adds its half to c's one.
            assert found[i, j] == pytest.approx(slope * (t - k) + math.log(1.25) / 2, rel=1e-12)


def test_a_gate_that_is_shut_is_not_zero() -> None:
    cell = lstm(f=(0, 0, -2000))
    found = pair_log_norms(cell, trajectory(cell, silence(cell, 4)), np.arange(5))
    lags = np.subtract.outer(np.arange(5), np.arange(5))[np.tril_indices(5, -1)]
    np.testing.assert_allclose(found[np.tril_indices(5, -1)], -2000.0 * lags + math.log(1.25) / 2, rtol=1e-14)


def test_exact_zero_is_minus_infinity() -> None:
    cell = RNN(np.eye(2), np.zeros((2, 1)), -np.ones(2), RELU)
    found = pair_log_norms(cell, trajectory(cell, silence(cell, 4)), np.arange(5))
    assert np.all(np.isneginf(found[np.tril_indices(5, -1)]))


def test_a_direction_that_falls_far_behind_may_lead_again() -> None:
    """diag(1, 0.1) of ReLUs: the first unit dies at the oldest step, behind which only the second is left."""
    steps = 900
    xs = np.ones((1, steps, 2))
    xs[0, 0, 0] = -1e3
    cell = RNN(np.diag([1, 0.1]), np.eye(2), np.zeros(2), RELU)
    found = pair_log_norms(cell, trajectory(cell, xs), np.arange(0, steps + 1, 300))
    assert found[-1, 0] == pytest.approx(-steps * math.log(10), rel=1e-12)
    assert found[-1, 1] == pytest.approx(0, abs=1e-12)
