"""How much of ∂L/∂θ comes from each lag, against complex steps of what truncated backpropagation is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.cells.cases import BATCH, BY_NAME, CASES, Case, Run, T, random_run
from tests.reference import complex_step
from vanishgrad.api import random_cell
from vanishgrad.cells import RNN
from vanishgrad.cells.activations import LINEAR
from vanishgrad.propagation import weight_gradient as module
from vanishgrad.propagation.run import run as run_cell
from vanishgrad.propagation.weight_gradient import OneSequence, contributions, gradients, outputs, segment_gradient

ROUNDOFF = 1e-12
"""Sums over T² products of a dozen factors of order 1."""

one_layer = pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in ("rnn-untied", "stack")], ids=lambda case: case.name
)


def cotangents(run: Run) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((T, run.cell.parts[0].size))


def path(run: Run, b: int, first: int = 0) -> OneSequence:
    alone = type(run.trajectory)(run.trajectory.states[:, b : b + 1], run.trajectory.records[:, b : b + 1])
    return OneSequence(run.cell.trial(b), alone, run.xs[b], first)


def definition(run: Run, b: int, g: np.ndarray, begin: Callable[[int], int]) -> np.ndarray:
    """∂/∂θ of Σ_t g_t · h_t, where h_t is run from the stored state of step begin(t), a constant."""
    step, states, size = run.sequence(b), run.trajectory.states[:, b], g.shape[1]
    pieces = []
    for name in run.cell.tensors:

        def loss(moved: np.ndarray) -> np.ndarray:
            total = 0j
            for t in range(1, T + 1):
                s = states[begin(t)]
                for k in range(begin(t) + 1, t + 1):
                    s = step(k, run.xs[b, k - 1], s, **{name: moved})  # noqa: B023
                total = total + g[t - 1] @ s[:size]
            return total

        pieces.append(complex_step(loss, step.tensors[name]).ravel())
    return np.concatenate(pieces)


@one_layer
@pytest.mark.parametrize("length", [1, 3, T])
def test_lags_below_a_length_sum_to_the_gradient_that_is_cut_off_there(case: Case, length: int) -> None:
    run, b = random_run(case), 1
    g = cotangents(run)
    expected = definition(run, b, g, lambda t: max(t - length, 0))
    terms = [each for _, each in gradients(path(run, b), outputs(path(run, b), g))]
    assert len(terms) <= T
    found = sum(np.ldexp(each.values, each.exponent) for each in terms[:length])
    scale = max(np.abs(expected).max(), 1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDOFF * scale)


@one_layer
@pytest.mark.parametrize("segment", [1, 4, T])
def test_segments_are_detached_where_they_begin(case: Case, segment: int) -> None:
    run, b = random_run(case, trials=1), BATCH - 1
    g = cotangents(run)
    expected = definition(run, b, g, lambda t: (t - 1) // segment * segment)
    found = segment_gradient(path(run, b), g, segment)
    scale = max(np.abs(expected).max(), 1)
    np.testing.assert_allclose(np.ldexp(found.values, found.exponent), expected, rtol=0, atol=ROUNDOFF * scale)


@pytest.mark.parametrize("numbers", [1, 200, 2**22])
def test_norms_are_those_of_the_partial_sums_however_few_gradients_are_held(
    monkeypatch: pytest.MonkeyPatch, numbers: int
) -> None:
    run = random_run(BY_NAME["lstm"])
    g, at = cotangents(run), path(run, 0)
    terms = [np.ldexp(each.values, each.exponent) for _, each in gradients(at, outputs(at, g))]
    monkeypatch.setattr(module, "STRETCH", numbers)
    found = contributions(at, g)
    for lag in range(T):
        assert np.exp(found.log_own[lag]) == pytest.approx(np.linalg.norm(terms[lag]), rel=ROUNDOFF)
        assert np.exp(found.log_kept[lag]) == pytest.approx(np.linalg.norm(sum(terms[: lag + 1])), rel=ROUNDOFF)
        lost = np.linalg.norm(sum(terms[lag + 1 :], np.zeros(1)))
        assert np.exp(found.log_lost[lag]) == pytest.approx(lost, rel=ROUNDOFF)


def test_a_rest_far_below_roundoff_of_the_whole_keeps_its_logarithm() -> None:
    """h_t = w h_{t-1} + x_t, L = h_T: the term at lag l is w^l (h_{T-1-l}, x, 1), here for w = 1/1000."""
    steps, w = 150, 1e-3
    cell = RNN(np.array([[w]]), np.ones((1, 1)), np.zeros(1), LINEAR)
    xs = np.ones((1, steps, 1))
    g = np.zeros((steps, 1))
    g[-1] = 1
    found = contributions(OneSequence(cell, run_cell(cell, xs, np.zeros((1, 1))), xs[0]), g)
    lags = np.arange(steps - 1)
    h = (1 - w ** (steps - 1 - lags)) / (1 - w)
    expected = lags * np.log(w) + np.log(np.hypot(np.hypot(h, 1), 1))
    np.testing.assert_allclose(found.log_own[:-1], expected, rtol=1e-13)
    assert found.log_own[-1] == pytest.approx((steps - 1) * np.log(w) + np.log(2) / 2, rel=1e-13)
    assert found.log_lost[100] == pytest.approx(found.log_own[101], rel=1e-4)
    assert np.isneginf(found.log_lost[-1])


def test_growth_beyond_the_range_of_float64_keeps_its_logarithm() -> None:
    steps, w = 400, 10.0
    cell = RNN(np.array([[w]]), np.zeros((1, 1)), np.zeros(1), LINEAR)
    xs = np.zeros((1, steps, 1))
    g = np.ones((steps, 1))
    found = contributions(OneSequence(cell, run_cell(cell, xs, np.zeros((1, 1))), xs[0]), g)
    whole = math.log(sum(10**j * (steps - j) for j in range(steps)))
    assert found.log_kept[-1] == pytest.approx(whole, rel=1e-13)


def test_steps_before_the_first_are_no_part_of_the_gradient() -> None:
    run = random_run(BY_NAME["lstm"])
    g = cotangents(run)
    late = path(run, 0, first=2)
    expected = definition(run, 0, np.where(np.arange(1, T + 1)[:, None] > 2, g, 0), lambda t: min(2, t))
    found = segment_gradient(late, g, T)
    np.testing.assert_allclose(np.ldexp(found.values, found.exponent), expected, rtol=0, atol=10 * ROUNDOFF)


def test_a_loss_without_any_cotangent_has_no_lags() -> None:
    run = random_run(BY_NAME["lstm"])
    assert contributions(path(run, 0), np.zeros((T, run.cell.hidden_size))).log_own.size == 0


def test_near_lags_own_the_gradient_of_a_default_tanh_network() -> None:
    """theory T0d: lags from 20 on carry less than a millionth of a gradient that does not vanish."""
    cell, rng = random_cell("rnn", 64), np.random.default_rng(0)
    xs = rng.standard_normal((1, 60, 64))
    g = np.zeros((60, 64))
    g[-1] = rng.standard_normal(64) / 8
    found = contributions(OneSequence(cell, run_cell(cell, xs, np.zeros((1, 64))), xs[0]), g)
    assert found.log_kept[-1] > 0
    assert found.log_lost[19] - found.log_kept[-1] < np.log(1e-6)
