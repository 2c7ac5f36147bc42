"""The GRU where its product is known in closed form, in both conventions of the reset gate."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from tests.engine import gru, log_norms, silence, trajectory
from tests.reference import sigmoid
from vanishgrad.cells import GRU
from vanishgrad.cells.mgu import MGU

EPS = np.finfo(float).eps
both_resets = pytest.mark.parametrize("reset", ["after", "before"])


@both_resets
def test_one_unit_with_all_weights_one_half(reset: str) -> None:
    cell = GRU(np.full((3, 1), 0.5), np.full((3, 1), 0.5), np.zeros(3), reset=reset)
    path = trajectory(cell, np.zeros((1, 1, 1)), np.array([[0.1]]))
    assert path.states[1, 0, 0] == pytest.approx(0.0637391968549164, abs=1e-15)
    assert cell.linearise(path, 0, 1).dense(1)[0, 0, 0] == pytest.approx(0.649672084747458, abs=1e-15)


@both_resets
def test_jacobian_at_the_zero_fixed_point(reset: str) -> None:
    n = 5
    W = np.random.default_rng(0).standard_normal((3 * n, n))
    cell = GRU(W, np.zeros((3 * n, 1)), np.zeros(3 * n), reset=reset)
    J = cell.linearise(trajectory(cell, silence(cell, 1)), 0, 1).dense(1)[0]
    np.testing.assert_array_equal(J, np.eye(n) / 2 + W[2 * n :] / 4)


@both_resets
def test_without_recurrent_weights_only_the_keep_gate_is_left(reset: str) -> None:
    cell, steps = gru(3, z=(0, 0, 2.0), reset=reset), 50
    found = log_norms(cell, silence(cell, steps))
    expected = np.arange(steps + 1) * math.log(sigmoid(2.0))
    for curve in ("state", "conveyor"):
        np.testing.assert_allclose(found[curve][0], expected, rtol=8 * EPS)


@both_resets
def test_a_gate_that_is_almost_closed_keeps_the_gradient(reset: str) -> None:
    """theory T6: ε ≤ 1/(K T) holds every singular value between 1/4 and e."""
    n, steps, rng = 4, 60, np.random.default_rng(6)
    W, b = rng.standard_normal((3 * n, n)) / 2, np.zeros(3 * n)
    norm = lambda gate: np.linalg.norm(W[gate * n : (gate + 1) * n], 2)  # noqa: E731
    inner = norm(2) * (1 + norm(0) / 4)
    after = norm(2) + np.abs(W[2 * n :]).sum(axis=1).max() / 4 * norm(0)
    K = 1 + 2 * norm(1) + (after if reset == "after" else inner)
    b[n : 2 * n] = math.log(K * steps) + np.abs(W[n : 2 * n]).sum(axis=1)
    W_hx = rng.standard_normal((3 * n, n))
    W_hx[n : 2 * n] = 0
    cell = GRU(W, W_hx, b, reset=reset)
    path = trajectory(cell, rng.standard_normal((1, steps, n)))
    product, linearisation = np.eye(n), cell.linearise(path, 0, steps)
    for t in range(1, steps + 1):
        product = linearisation.dense(t)[0] @ product
    sigma = np.linalg.svd(product, compute_uv=False)
    found = log_norms(cell, rng.standard_normal((1, steps, n)))["state"]
    assert sigma.min() >= 0.25
    assert sigma.max() <= math.e
    assert found.min() >= math.log(0.25)
    assert found.max() <= 1


@both_resets
@pytest.mark.parametrize("bias", [0.0, 20.0, 30.0, 37.0, 40.0, 50.0])
def test_what_an_open_keep_gate_lets_in_keeps_its_digits(reset: str, bias: float) -> None:
    """Without recurrent weights ∂h_T/∂x_k = σ(b)^(T-k) (1 - σ(b)) φ'(x_k): σ(-b) does not cancel."""
    cell, steps = gru(1, z=(0, 0, bias), candidate=(0, 1, 0), reset=reset), 40
    x = np.random.default_rng(3).standard_normal((1, steps, 1))
    found = log_norms(cell, x)["input"][0]
    with mpmath.workdps(40):
        z, shut = 1 / (1 + mpmath.exp(-bias)), 1 / (1 + mpmath.exp(bias))
        expected = [
            float(mpmath.log(z**lag * shut * mpmath.sech(x[0, steps - 1 - lag, 0]) ** 2)) for lag in range(steps)
        ]
    np.testing.assert_allclose(found, expected, rtol=0, atol=4 * steps * EPS)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cell", ["gru-after", "gru-before", "mgu-new", "mgu-old"])
def test_a_state_that_has_rounded_to_its_candidate_is_still_beside_it(cell: str, dtype: str) -> None:
    """h_{t-1} - n̂_t = -2^{1-t} for k = 1/2 and n̂ = 1: at every lag ∂h_T/∂x = 2^{1-T}/4, and x reaches k alone."""
    steps = 1200
    kind, how = cell.split("-")
    gates = [0.0, 1.0, 0.0] if kind == "gru" else [1.0, 0.0]
    W_hh, W_hx, b = np.zeros((len(gates), 1)), np.array(gates)[:, None], np.array([0.0, 0.0, 400.0][-len(gates) :])
    tensors = [each.astype(dtype) for each in (W_hh, W_hx, b)]
    model = GRU(*tensors, reset=how) if kind == "gru" else MGU(*tensors, keep=how)
    found = log_norms(model, silence(model, steps))["input"][0]
    np.testing.assert_allclose(found, (1 - steps) * math.log(2) - math.log(4), rtol=8 * np.finfo(dtype).eps)
