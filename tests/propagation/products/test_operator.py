"""The product for any (t, k), and SciPy's solvers on it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.sparse.linalg import svds

import vanishgrad
from tests import reference
from tests.cells.cases import BY_NAME, CASES, Case, T, random_run
from tests.engine import lstm
from vanishgrad.cells import ACTIVATIONS, RNN
from vanishgrad.errors import UsageError
from vanishgrad.propagation.products.operator import product

every_cell = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@every_cell
def test_product_is_the_derivative_of_the_run_for_all_k_up_to_t(case: Case) -> None:
    run = random_run(case, trials=1)
    xs, s0, through = run.xs[0], run.trajectory.states[0, 0], run.sequence(0).through
    for t in range(T + 1):
        for k in range(t + 1):
            found = product(run.cell, xs, t, k, s0)
            expected = reference.complex_step(lambda s: through(xs[:t], s, k), run.trajectory.states[k, 0])  # noqa: B023
            np.testing.assert_allclose(found.matrix * np.exp(found.log_scale), expected, rtol=0, atol=1e-12)


@every_cell
def test_operator_is_the_matrix_from_either_side(case: Case) -> None:
    run, rng = random_run(case, trials=1), np.random.default_rng(0)
    found = product(run.cell, run.xs[0], T, 1, run.trajectory.states[0, 0])
    operator, m = found.as_linear_operator(), run.cell.state_size
    vector, block = rng.standard_normal(m), rng.standard_normal((m, 3))
    for result, expected in (
        (operator @ vector, found.matrix @ vector),
        (operator @ block, found.matrix @ block),
        (operator.rmatvec(vector), found.matrix.T @ vector),
        (operator.rmatmat(block), found.matrix.T @ block),
    ):
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12 * np.abs(found.matrix).max())


def long_product(steps: int) -> tuple[RNN, np.ndarray]:
    rng, n = np.random.default_rng(1), 20
    return RNN(rng.standard_normal((n, n)) / math.sqrt(n), np.eye(n), np.zeros(n)), rng.standard_normal((steps, n))


@pytest.mark.parametrize("steps", [10, 1500])
def test_scipy_finds_the_largest_singular_value_however_small(steps: int) -> None:
    cell, xs = long_product(steps)
    found = vanishgrad.product(cell, xs, steps, 0)
    (sigma,) = svds(found.as_linear_operator(), k=1, return_singular_vectors=False, random_state=0)
    assert found.log_scale + math.log(sigma) == pytest.approx(found.log_norm, rel=1e-10)
    P, log_scale, states = np.eye(20), 0.0, np.zeros(20)
    for x in xs:
        states = np.tanh(cell.W_hh[0] @ states + x)
        P = (1 - states**2)[:, None] * (cell.W_hh[0] @ P)
        size = np.linalg.norm(P, 2)
        P, log_scale = P / size, log_scale + math.log(size)
    assert found.log_norm == pytest.approx(log_scale, rel=1e-9)


def test_a_product_of_zero_is_zero() -> None:
    dead = RNN(np.eye(2), np.zeros((2, 1)), np.full(2, -5.0), ACTIVATIONS["relu"])
    found = product(dead, np.zeros((4, 1)), 4, 0)
    assert not found.matrix.any()
    assert found.log_norm == -math.inf


def test_the_empty_product_is_the_identity() -> None:
    found = product(lstm(2), np.zeros((3, 1)), 2, 2)
    np.testing.assert_array_equal(found.matrix, np.eye(4))
    assert (found.t, found.k, found.log_scale, found.log_norm) == (2, 2, 0, 0)


@pytest.mark.parametrize(("t", "k"), [(1, 2), (4, 0), (2, -1)])
def test_times_that_cannot_be(t: int, k: int) -> None:
    with pytest.raises(UsageError, match=rf"expected 0 ≤ k ≤ t ≤ 3, got k = {k} and t = {t}"):
        product(lstm(2), np.zeros((3, 1)), t, k)


def test_several_trials_cannot_be() -> None:
    cell = random_run(BY_NAME["rnn-tanh"]).cell
    with pytest.raises(UsageError, match=r"expected a cell with one set of weights, got 3 trials; try cell.trial\(0\)"):
        product(cell, np.zeros((3, 3)), 1, 0)
