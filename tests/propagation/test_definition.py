"""The products are what they are defined to be: the derivative of s_t by s_k, and the naive product of Jacobians."""

from __future__ import annotations

import numpy as np
import pytest

from tests import reference
from tests.cells.cases import BATCH, BY_NAME, CASES, Case, T, random_run
from vanishgrad.cells import StoredTrajectory
from vanishgrad.propagation.products.products import Product, backward_products

ROUNDOFF = 1e-12
"""T products of matrices with entries of order 1, relative to the largest entry."""

every_cell = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
own_and_shared_weights = pytest.mark.parametrize("trials", [BATCH, 1], ids=["own", "shared"])


def whole(product: Product) -> np.ndarray:
    matrix, log_scale = product.block(None, None)
    return matrix * np.exp(log_scale)[:, None, None]


def until(path: StoredTrajectory, t: int) -> StoredTrajectory:
    return StoredTrajectory(path.states[: t + 1], path.records[:t])


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDOFF * max(1, np.abs(expected).max()))


@every_cell
@own_and_shared_weights
def test_product_is_the_triple_loop_for_all_k_up_to_t(case: Case, trials: int) -> None:
    run = random_run(case, trials)
    for t in range(1, T + 1):
        products = backward_products(run.cell, until(run.trajectory, t), BATCH)
        found = [whole(product).copy() for product in products]
        assert len(found) == t + 1
        for b in range(BATCH):
            step = run.sequence(b)
            jacobians = [
                reference.complex_step(lambda s: step(k, run.xs[b, k - 1], s), run.trajectory.states[k - 1, b])  # noqa: B023
                for k in range(1, t + 1)
            ]
            for lag, expected in enumerate(reference.products(jacobians)):
                assert_close(found[lag][b], np.array(expected))


@every_cell
def test_product_is_the_derivative_of_the_whole_run(case: Case) -> None:
    run = random_run(case)
    for product in backward_products(run.cell, run.trajectory, BATCH):
        k, found = T - product.lag, whole(product)
        for b in range(BATCH):
            through = run.sequence(b).through
            expected = reference.complex_step(lambda s: through(run.xs[b], s, k), run.trajectory.states[k, b])  # noqa: B023
            assert_close(found[b], expected)


@every_cell
def test_input_product_is_the_derivative_of_the_whole_run(case: Case) -> None:
    run = random_run(case)
    size = run.cell.parts[0].size
    for b in range(BATCH):
        through, s0 = run.sequence(b).through, run.trajectory.states[0, b]
        expected = reference.complex_step(lambda xs: through(xs, s0)[:size], run.xs[b]).reshape(size, T, -1)  # noqa: B023
        products = backward_products(run.cell, run.trajectory, BATCH, input_lags=range(T))
        for lag, product in zip(range(T), products, strict=False):
            matrix, log_scale = product.input_block()
            assert_close(matrix[b] * np.exp(log_scale[b]), expected[:, T - 1 - lag])


def test_lag_zero_is_the_identity() -> None:
    run = random_run(BY_NAME["lstm"])
    first = next(backward_products(run.cell, run.trajectory, BATCH))
    np.testing.assert_array_equal(whole(first), np.broadcast_to(np.eye(run.cell.state_size), first.matrix.shape))


def test_fewer_lags_are_a_prefix() -> None:
    run = random_run(BY_NAME["lstm"])
    some = [whole(product).copy() for product in backward_products(run.cell, run.trajectory, BATCH, lags=2)]
    every = [whole(product).copy() for product in backward_products(run.cell, run.trajectory, BATCH)]
    np.testing.assert_array_equal(some, every[:3])
