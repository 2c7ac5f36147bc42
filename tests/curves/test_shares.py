"""The share of the parameter gradient by lag, against complex steps of every single term."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import BATCH, CASES, Case, T, random_run
from tests.reference import complex_step
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import Scope
from vanishgrad.questions.compare import CompareRequest, compare

every_cell = pytest.mark.parametrize(
    "case", [case for case in CASES if "W_hh" in case.shapes], ids=lambda case: case.name
)


@every_cell
def test_shares_are_those_of_the_terms(case: Case) -> None:
    """Term t of dL/dW_hh: the weights move at step t alone, and all later steps carry it on."""
    run = random_run(case)
    size = run.cell.parts[0].size
    loss = np.random.default_rng(3).standard_normal((BATCH, size))
    found = measure(run.cell, run.trajectory, np.full(BATCH, T), loss, 1e-3, Scope(("state",))).shares
    for b in range(BATCH):
        step, terms = run.sequence(b), []
        for t in range(T, 0, -1):

            def loss_of(W: np.ndarray) -> np.ndarray:
                s = step(t, run.xs[b, t - 1], run.trajectory.states[t - 1, b], W_hh=W)  # noqa: B023
                return loss[b] @ step.through(run.xs[b], s, t)[:size]  # noqa: B023

            terms.append(np.linalg.norm(complex_step(loss_of, step.tensors["W_hh"])))
        expected = np.array(terms) / sum(terms) if any(terms) else np.full(T, np.nan)
        np.testing.assert_allclose(found[b], expected, rtol=1e-11, atol=1e-15)


def test_near_lags_own_the_gradient_of_a_default_tanh_network() -> None:
    """theory T0d: the total does not vanish, its long-term part does."""
    (rnn,) = compare(CompareRequest(("rnn",), steps=60, curves=("state",))).models
    share = rnn.share_by_lag
    assert share.sum() == pytest.approx(1)
    assert share[10:].sum() < 4e-3
    assert share[20:].sum() < 1e-5
    assert share[30:].sum() < 1e-8


def test_shares_beyond_the_range_of_float64_underflow_to_zero_and_still_sum_to_one() -> None:
    request = CompareRequest(("rnn@gaussian:gain=0.1",), hidden=4, steps=600, trials=2, curves=("state",))
    (rnn,) = compare(request).models
    assert rnn.share_by_lag[-1] == 0
    assert rnn.share_by_lag.sum() == pytest.approx(1)


def test_a_gradient_of_exactly_zero_has_no_shares() -> None:
    request = CompareRequest(("rnn@gaussian:activation=relu",), hidden=2, steps=5, trials=1, input="zeros")
    (rnn,) = compare(request).models
    assert not rnn.share_by_lag.any()
