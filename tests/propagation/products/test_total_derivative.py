"""The total derivative by the cell state, and the textbooks' product, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import BATCH, BY_NAME, Case, N, Run, T, random_run
from tests.engine import lstm, silence, trajectory
from tests.reference import complex_step, sigmoid
from vanishgrad.propagation.products.total_derivative import TotalProducts, total_products

ROUNDOFF = 1e-12
"""T products of matrices with entries of order 1, relative to the largest entry."""
every_cell_state = pytest.mark.parametrize("name", ["lstm", "peephole", "projected"])


def values(product: TotalProducts) -> tuple[np.ndarray, np.ndarray]:
    total, four_term = (matrix * np.exp(scale)[:, None, None] for matrix, scale in (product.total, product.four_term))
    return total, four_term


def hidden(run: Run, k: int, b: int, c: np.ndarray) -> np.ndarray:
    """h_k as a function of c_k, with what else the step has taken in held fixed."""
    tensors, h, x = run.sequence(b).tensors, run.trajectory.states[k - 1, b], run.xs[b, k - 1]
    p = run.cell.parts[0].size
    a = (tensors["W_hh"] @ h[:p] + tensors["W_hx"] @ x + tensors["b"])[3 * N :]
    if "w_c" in tensors:
        a = a + tensors["w_c"][2 * N :] * c
    h_k = sigmoid(a) * np.tanh(c)
    return tensors["W_hr"] @ h_k if "W_hr" in tensors else h_k


def slope(run: Run, k: int, b: int) -> np.ndarray:
    """E_k = ∂h_k/∂c_k."""
    p = run.cell.parts[0].size
    return complex_step(lambda c: hidden(run, k, b, c), run.trajectory.states[k, b, p:])


@every_cell_state
def test_total_is_the_derivative_by_the_node(name: str) -> None:
    run = random_run(BY_NAME[name])
    p = run.cell.parts[0].size
    found = [values(product)[0] for product in total_products(run.cell, run.trajectory, BATCH)]
    assert len(found) == T
    for lag, total in enumerate(found):
        k = T - lag
        for b in range(BATCH):
            through = run.sequence(b).through
            expected = complex_step(
                lambda c: through(run.xs[b], np.concatenate([hidden(run, k, b, c), c]), k)[p:],  # noqa: B023
                run.trajectory.states[k, b, p:],
            )
            np.testing.assert_allclose(total[b], expected, rtol=0, atol=ROUNDOFF * max(1, np.abs(expected).max()))


@every_cell_state
def test_four_term_is_the_chain_of_one_step_totals(name: str) -> None:
    run = random_run(BY_NAME[name])
    p, b = run.cell.parts[0].size, 1
    expected = np.eye(N)
    for lag, product in enumerate(total_products(run.cell, run.trajectory, BATCH)):
        np.testing.assert_allclose(values(product)[1][b], expected, rtol=0, atol=ROUNDOFF * np.abs(expected).max())
        t = T - lag
        if t > 1:
            J = run.linearisation.dense(t)[b]
            expected = expected @ (J[p:, p:] + J[p:, :p] @ slope(run, t - 1, b))


def test_both_are_one_where_the_output_gate_has_no_weights() -> None:
    cell = lstm(3, i=(0.4, 0, 0), f=(0.3, 0, 1), g=(-0.7, 1, 0.3), o=(0, 0, 0.5))
    for product in total_products(cell, trajectory(cell, np.ones((1, 30, 1))), 1):
        total, four_term = values(product)
        np.testing.assert_allclose(four_term, total, rtol=1e-12)


@pytest.mark.parametrize("case", [BY_NAME["gru-after"], BY_NAME["rnn-tanh"]], ids=lambda case: case.name)
def test_a_cell_with_one_part_has_neither(case: Case) -> None:
    run = random_run(case)
    assert total_products(run.cell, run.trajectory, BATCH) is None


def test_scales_beyond_floating_point() -> None:
    """With U_o = 0 and U_g = 0 both are f^lag: 0.5^3000 = 1e-903."""
    cell = lstm(f=(0, 0, 0))
    *_, last = total_products(cell, trajectory(cell, silence(cell, 3001)), 1)
    for matrix, log_scale in (last.total, last.four_term):
        assert np.log(matrix[0, 0, 0]) + log_scale[0] == pytest.approx(3000 * np.log(0.5), rel=1e-12)
