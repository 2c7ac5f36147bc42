"""Attention and the additive skip along a recurrence's own states, against complex steps of both."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import BATCH, BY_NAME, CASES, Case, T, random_run
from tests.engine import driven
from tests.reference import complex_step
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.inputs.sequences import input_sequences
from vanishgrad.models.random_models import weights_of
from vanishgrad.propagation.run import run
from vanishgrad.questions.compare import CompareRequest
from vanishgrad.questions.explain.attention.measure import Shortcuts, shortcuts
from vanishgrad.random_streams import Role, stream
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

ROUNDOFF = 1e-11

some_cells = pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in ("rnn-tanh", "lstm", "gru-before", "projected")],
    ids=lambda case: case.name,
)  # fmt: skip


def found(cell: Cell, trajectory: StoredTrajectory, xs: np.ndarray, lengths: list[int]) -> Shortcuts:
    return shortcuts(cell, trajectory, driven(xs, lengths), 1e-3, seed=4)


@some_cells
def test_attention_is_that_of_the_head_that_the_seed_draws(case: Case) -> None:
    own = random_run(case)
    n, h = own.cell.parts[0].size, own.trajectory.states[1:, :, : own.cell.parts[0].size]
    expected = []
    for b in range(BATCH):
        head = stream(4, Role.ATTENTION, b, own.cell.row.stream)
        W_q, W_k = head.standard_normal((2, n, n)) / np.sqrt(n)
        W_v, _ = np.linalg.qr(head.standard_normal((n, n)))
        q = W_q @ h[-1, b]

        def context(moved: np.ndarray) -> np.ndarray:
            e = np.exp(moved @ W_k.T @ q / np.sqrt(n))  # noqa: B023
            return (e / e.sum()) @ moved @ W_v.T  # noqa: B023

        blocks = complex_step(context, h[:, b]).reshape(n, T, n).swapaxes(0, 1)
        expected.append(np.log(np.linalg.norm(blocks, 2, axis=(1, 2)))[::-1])
    curve = found(own.cell, own.trajectory, own.xs, [T] * BATCH).attention
    np.testing.assert_allclose(curve.log_norm.median, np.median(expected, axis=0), rtol=0, atol=ROUNDOFF)
    np.testing.assert_allclose(curve.log_norm.low, np.min(expected, axis=0), rtol=0, atol=ROUNDOFF)


@some_cells
def test_the_skip_adds_an_earlier_output_to_the_last(case: Case) -> None:
    own = random_run(case)
    n, states = own.cell.parts[0].size, own.trajectory.states
    expected = np.empty((BATCH, T))
    for b in range(BATCH):
        step = own.sequence(b)
        for k in range(1, T + 1):

            def output(h: np.ndarray) -> np.ndarray:
                s = np.concatenate([h, states[k, b, n:]])  # noqa: B023
                return step.through(own.xs[b], s, k)[:n] + h  # noqa: B023

            expected[b, T - k] = np.log(np.linalg.norm(complex_step(output, states[k, b, :n]), 2))
    curve = found(own.cell, own.trajectory, own.xs, [T] * BATCH).skip
    np.testing.assert_allclose(curve.log_norm.median, np.median(expected, axis=0), rtol=0, atol=ROUNDOFF)
    np.testing.assert_allclose(curve.log_norm.high, np.max(expected, axis=0), rtol=0, atol=ROUNDOFF)


def test_equal_states_share_the_weight_equally_and_the_gradient_falls_as_one_over_their_number() -> None:
    steps, n = 40, 3
    cell = random_run(BY_NAME["rnn-tanh"]).cell
    cell = cell.with_weights(W_hh=cell.W_hh[:1, :n, :n], W_hx=0 * cell.W_hx[:1, :n], b=0 * cell.b[:1, :n])
    xs = np.zeros((2, steps, 3))
    result = found(cell, run(cell, xs, np.zeros((2, n))), xs, [steps] * 2)
    np.testing.assert_allclose(result.attention.log_norm.median, -np.log(steps), rtol=1e-13)
    np.testing.assert_allclose(result.log_typical, -np.log(result.lengths), rtol=1e-13)
    assert result.exponent == pytest.approx(-1, abs=1e-12)
    assert result.largest_score == 0


@pytest.mark.parametrize("label", ["rnn", "lstm", "gru@chrono", "rnn@gaussian:gain=3"])
def test_attention_dilutes_polynomially_whatever_the_recurrence_does(label: str) -> None:
    """theory T9: every weight is at least e^(-2B)/T, and the rate over the lags is no rate."""
    request = CompareRequest((label,), hidden=16, steps=200, trials=4)
    sequences = input_sequences(request.shared_input(), 16)
    _, weights = weights_of(parse(label), request, sequences)
    cell = weights.cell(parse(label).resolved(16, 200))
    trajectory = run(cell, sequences.xs, np.zeros((4, cell.state_size)))
    result = shortcuts(cell, trajectory, sequences, 1e-3, 0)
    assert result.exponent == pytest.approx(-1, abs=0.15)
    assert result.attention.rate is not None
    assert abs(result.attention.rate.value) < 0.01


@pytest.mark.parametrize(("gain", "last"), [(0.5, 0.0), (3.0, 1499 * np.log(3))])
def test_a_vanishing_recurrence_leaves_the_skip_alone_and_an_exploding_one_swamps_it(gain: float, last: float) -> None:
    """W = gain Q, linear: I + (gain Q)^lag, far beyond the range of float64 for the gain 3."""
    spec = parse(f"rnn@orthogonal:activation=linear,gain={gain}").resolved(4, 1500)
    cell = draw(spec, 4, 1500, 1, seed=0).cell(spec)
    xs = np.zeros((1, 1500, 4))
    result = found(cell, run(cell, xs, np.zeros((1, 4))), xs, [1500])
    assert result.skip.log_norm.median[-1] == pytest.approx(last, abs=1e-9)


def test_each_trial_ends_at_its_own_length() -> None:
    own = random_run(BY_NAME["lstm"])
    whole = found(own.cell, own.trajectory, own.xs, [T] * BATCH)
    ragged = found(own.cell, own.trajectory, own.xs, [T, 3, T])
    assert ragged.attention.count.tolist() == [3, 3, 3, 2, 2, 2]
    assert ragged.skip.count.tolist() == [3, 3, 3, 2, 2, 2]
    np.testing.assert_allclose(ragged.skip.log_norm.median[:3], whole.skip.log_norm.median[:3], rtol=1e-13)
