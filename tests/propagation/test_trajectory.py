"""Running a cell: late starts, overflow, and runs of 100 000 steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.engine import last_product, lstm, silence, trajectory
from vanishgrad.cells import ACTIVATIONS, GRU, RNN
from vanishgrad.cells.masked_steps import step_marks
from vanishgrad.errors import VanishgradError
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.propagation.run import run

LONG = 100_000


def test_a_late_sequence_waits_at_its_start() -> None:
    rng = np.random.default_rng(0)
    cell = RNN(rng.standard_normal((3, 3)) / 2, rng.standard_normal((3, 2)), rng.standard_normal(3))
    xs, s0 = rng.standard_normal((2, 7, 2)), rng.standard_normal((2, 3))
    late = run(cell, xs, s0, step_marks(np.arange(7) >= np.array([[0], [4]])))
    np.testing.assert_array_equal(late.states[:5, 1], np.broadcast_to(s0[1], (5, 3)))
    np.testing.assert_allclose(late.states[4:, 1], run(cell, xs[1:, 4:], s0[1:]).states[:, 0], rtol=0, atol=1e-15)
    np.testing.assert_allclose(late.states[:, 0], run(cell, xs[:1], s0[:1]).states[:, 0], rtol=0, atol=1e-15)


@pytest.mark.parametrize(("dtype", "step"), [("float64", 309), ("float32", 39)])
def test_an_overflow_is_named_with_its_step(dtype: str, step: int) -> None:
    cell = RNN(*(np.array(each, dtype=dtype) for each in ([[10.0]], [[0.0]], [0.0])), ACTIVATIONS["relu"])
    sentence = rf"expected a state within the range of {dtype}, got an overflow at step {step}; try"
    with pytest.raises(VanishgradError, match=sentence):
        run(cell, np.zeros((1, 400, 1), dtype=dtype), np.ones((1, 1), dtype=dtype))


def test_no_steps_is_a_run_that_stays() -> None:
    cell = lstm(2)
    path = trajectory(cell, silence(cell, 0))
    (only,) = backward_products(cell, path, 1)
    assert path.steps == only.lag == 0
    np.testing.assert_array_equal(only.matrix[0], np.eye(4))


@pytest.mark.parametrize("steps", [10_000, pytest.param(LONG, marks=pytest.mark.slow)])
def test_many_contracting_steps_of_a_linear_network(steps: int) -> None:
    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    cell = RNN(0.9 * Q, np.zeros((3, 1)), np.zeros(3), ACTIVATIONS["linear"])
    found = last_product(cell, trajectory(cell, silence(cell, steps))).log_frobenius(None, None)[0]
    assert found == pytest.approx(steps * math.log(0.9) + math.log(3) / 2, rel=1e-9)


@pytest.mark.slow
def test_a_hundred_thousand_steps_of_a_tanh_unit() -> None:
    cell = RNN(np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1))
    path = trajectory(cell, silence(cell, LONG), np.ones((1, 1)))
    found = last_product(cell, path).log_frobenius(None, None)[0]
    h, terms = 1.0, []
    for _ in range(LONG):
        h = math.tanh(h)
        terms.append(math.log1p(-h * h))
    assert found == pytest.approx(math.fsum(terms), rel=1e-9)


@pytest.mark.slow
def test_a_hundred_thousand_steps_of_gated_cells_whose_gates_alone_act() -> None:
    keeping = lstm(f=(0, 0, 1.0))
    P = last_product(keeping, trajectory(keeping, silence(keeping, LONG)))
    assert P.log_frobenius("c", "c")[0] == pytest.approx(-LONG * math.log1p(math.exp(-1.0)), rel=1e-9)
    assert np.isneginf(P.log_frobenius("h", "h")[0])
    one = GRU(np.zeros((3, 1)), np.zeros((3, 1)), np.array([0.0, 2.0, 0.0]))
    found = last_product(one, trajectory(one, silence(one, LONG))).log_frobenius(None, None)[0]
    assert found == pytest.approx(-LONG * math.log1p(math.exp(-2.0)), rel=1e-9)


def test_a_run_longer_than_a_stretch_shows_no_seam() -> None:
    """Linearisations are made for a stretch of 2048 steps at this size; the judge has one for the whole run."""
    rng, n, batch, steps = np.random.default_rng(2), 16, 64, 2100
    cell = RNN(rng.standard_normal((n, n)) / 4, rng.standard_normal((n, 1)), np.zeros(n))
    path = trajectory(cell, rng.standard_normal((batch, steps, 1)))
    whole, P, log_scale = cell.linearise(path, 0, steps), np.eye(n), 0.0
    for t in range(steps, 0, -1):
        P = P @ whole.dense(t)[0]
        size = np.linalg.norm(P)
        P, log_scale = P / size, log_scale + math.log(size)
    assert last_product(cell, path).log_frobenius(None, None)[0] == pytest.approx(log_scale, rel=1e-11)
