"""No block is lost, however small: products judged by 30-digit arithmetic, which has no underflow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial

import mpmath
import numpy as np
import pytest

from tests import reference
from tests.engine import log_norms, lstm, measured, trajectory
from vanishgrad.cells import LSTM
from vanishgrad.curves.recorder import Norms
from vanishgrad.propagation.products.products import backward_products

N = 2
O = np.array([[0.002, -0.001], [0.0015, 0.001]])
G = np.array([[0.3, 0.2], [-0.1, 0.4]])

NETS: dict[str, tuple[LSTM, int]] = {
    "hidden-far-behind-cell": (lstm(N, i=(0, 0, 0), f=(0, 0, 5), g=(0, 1, 0.3), o=(O, 0, 0)), 1000),
    "cell-far-behind-hidden": (lstm(N, i=(0, 0, 2), f=(0, 0, -8), g=(0, 1, 1), o=(4000 * O, 0, 0)), 400),
    "coupling-that-underflows-when-squared": (lstm(N, f=(0, 0, 3), g=(1e-200 * G, 1, 0.3), o=(O, 0, 0)), 30),
    "coupling-at-the-end-of-the-range": (
        lstm(N, 1, i=(0, 0, 40), f=(0, 0, -1.4), g=(1e-258 * G, 1, 3), o=(1, 0, -0.42)),
        60,
    ),
    "both-contract-at-their-own-pace": (lstm(N, i=(O, 0, 0), f=(0, 0, -3), g=(0.1 * G, 1, 0.3), o=(O, 0, 0)), 400),
    "expands": (lstm(N, i=(0, 0, 5), f=(0, 0, 5), g=(8 * G, 1, 0), o=(0, 0, 4)), 200),
}
BLOCKS = {"state": (None, None), "hidden": ("h", "h"), "cell": ("c", "c"), "output": ("h", None)}
ROWS = {None: slice(0, 2 * N), "h": slice(0, N), "c": slice(N, 2 * N)}

every_net = pytest.mark.parametrize("name", NETS)


def inputs(steps: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(5).standard_normal((1, steps, 1))


@cache
def exact(name: str) -> list[np.ndarray]:
    """J_T … J_{k+1} by lag, in 30 digits, from complex steps of the reference along the stored states."""
    cell, steps = NETS[name]
    xs = inputs(steps)
    step = partial(reference.lstm, W_hh=cell.W_hh[0], W_hx=cell.W_hx[0], b=cell.b[0])
    states = trajectory(cell, xs).states[:, 0]
    jacobians = [
        reference.complex_step(lambda s: step(t, xs[0, t - 1], s), states[t - 1])  # noqa: B023
        for t in range(1, len(states))
    ]
    with mpmath.workdps(30):
        return [np.array(each) for each in reference.products(jacobians, mpmath.mpf)]


@cache
def found(name: str) -> Mapping[str, Norms]:
    cell, steps = NETS[name]
    return measured(cell, trajectory(cell, inputs(steps))).curves


def lags(steps: int) -> list[int]:
    return sorted({0, 1, 2, 3, 7, 20, steps // 3, steps - 1, steps})


def log_spectral(matrix: np.ndarray) -> float:
    with mpmath.workdps(30):
        return reference.log_norm(matrix.tolist()) if np.any(matrix != 0) else -np.inf


@every_net
def test_every_entry_of_every_block(name: str) -> None:
    cell, steps = NETS[name]
    expected = exact(name)
    for product in backward_products(cell, trajectory(cell, inputs(steps)), 1):
        for to in ("h", "c"):
            for source in ("h", "c"):
                matrix, log_scale = product.block(to, source)
                true = expected[product.lag][ROWS[to], ROWS[source]]
                unit = max(abs(entry) for entry in true.ravel())
                if unit == 0:
                    assert not matrix.any()
                    continue
                relative = [float(entry / unit) for entry in true.ravel()]
                found = matrix[0].ravel() * float(mpmath.exp(log_scale[0]) / unit)
                np.testing.assert_allclose(found, relative, rtol=0, atol=1e-10)


@every_net
def test_norms_of_every_curve(name: str) -> None:
    _, steps = NETS[name]
    for curve, (to, source) in BLOCKS.items():
        expected = [log_spectral(exact(name)[lag][ROWS[to], ROWS[source]]) for lag in lags(steps)]
        got = found(name)[curve].log_norm[0, lags(steps)]
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10, err_msg=curve)


@every_net
def test_input_curve(name: str) -> None:
    cell, steps = NETS[name]
    xs = inputs(steps)
    step = partial(reference.lstm, W_hh=cell.W_hh[0], W_hx=cell.W_hx[0], b=cell.b[0])
    states, products = trajectory(cell, xs).states[:, 0], exact(name)
    for lag in [each for each in lags(steps) if each < steps]:
        t = steps - lag
        B = reference.complex_step(lambda x: step(t, x, states[t - 1]), xs[0, t - 1])  # noqa: B023
        with mpmath.workdps(30):
            true = reference.triple_loop(products[lag][ROWS["h"]].tolist(), [[mpmath.mpf(v) for v in row] for row in B])
        expected = log_spectral(np.array(true))
        assert found(name)["input"].log_norm[0, lag] == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_the_hidden_block_is_far_beyond_the_range_of_float64() -> None:
    curves = found("hidden-far-behind-cell")
    gap = (curves["hidden"].log_norm - curves["cell"].log_norm)[0, -1] / np.log(10)
    assert gap < -3000
    assert np.isfinite(curves["hidden"].log_norm).all()


@every_net
def test_frobenius_norms_follow_the_same_scales(name: str) -> None:
    _, steps = NETS[name]
    for curve, (to, source) in BLOCKS.items():
        for lag in lags(steps):
            block = exact(name)[lag][ROWS[to], ROWS[source]]
            mean = sum(entry**2 for entry in block.ravel()) / block.shape[1]
            true = float(mpmath.log(mean) / 2) if mean else -np.inf
            assert found(name)[curve].log_rms[0, lag] == pytest.approx(true, rel=1e-10, abs=1e-10)


def test_float32_splits_its_scales_too() -> None:
    cell, _ = NETS["hidden-far-behind-cell"]
    single = LSTM(*(each.astype(np.float32) for each in (cell.W_hh, cell.W_hx, cell.b)))
    xs = inputs(200)
    rounded, expected = log_norms(single, xs.astype(np.float32)), log_norms(cell, xs)
    for curve in BLOCKS:
        np.testing.assert_allclose(rounded[curve], expected[curve], rtol=1e-4, atol=1e-4, err_msg=curve)


def test_a_trial_keeps_its_numbers_beside_one_whose_blocks_drift_apart() -> None:
    apart, aligned = NETS["hidden-far-behind-cell"][0], NETS["expands"][0]
    both = LSTM(*(np.concatenate([getattr(each, name) for each in (apart, aligned)]) for name in ("W_hh", "W_hx", "b")))
    xs = inputs(150)
    together = log_norms(both, np.concatenate([xs, xs]))
    for b, alone in enumerate((apart, aligned)):
        for curve, values in log_norms(alone, xs).items():
            np.testing.assert_allclose(together[curve][b], values[0], rtol=1e-12, atol=1e-12, err_msg=curve)
