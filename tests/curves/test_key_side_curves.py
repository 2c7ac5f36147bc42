"""Key-side curves: a product of keys a head beside dense products, isometries, and what autodiff says of one step."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vanishgrad
from vanishgrad.cells.delta_rule import DeltaNet, GatedDeltaNet
from vanishgrad.cells.key_side import KeySide
from vanishgrad.cells.mamba2 import Mamba2
from vanishgrad.cells.rwkv7 import RWKV7
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import EVERYTHING, Scope
from vanishgrad.errors import UsageError
from vanishgrad.propagation.run import run
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

T, D, B, THRESHOLD = 30, 5, 3, 1e-3
LABELS = [
    "mamba2:heads=3,states=4", "deltanet:heads=3,keys=4", "deltanet:heads=1,keys=5,reach=2.5",
    "gated-deltanet:heads=3,keys=4", "rwkv7:heads=3,keys=4",
]  # fmt: skip


def drawn(label: str, n: int, trials: int = B):
    spec = parse(label).resolved(n, T)
    return draw(spec, D, T, trials, 0).cell(spec)


def measured(label: str, n: int, engine: str, scope: Scope = EVERYTHING, lengths: tuple[int, ...] = (T, T, T)):
    cell = drawn(label, n)
    trajectory = run(cell, np.random.default_rng(1).standard_normal((B, T, D)), np.zeros((B, cell.state_size)))
    return measure(cell, trajectory, np.array(lengths), None, THRESHOLD, scope, engine)


@pytest.mark.parametrize("n", [1, 7])
@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("lengths", [(T, T, T), (T, 9, 20)])
def test_every_curve_is_that_of_the_dense_products(label: str, n: int, lengths: tuple[int, ...]) -> None:
    by_keys, dense = (measured(label, n, engine, lengths=lengths) for engine in ("key-side", "dense"))
    assert by_keys.engine.name == "key-side"
    for name in by_keys.curves:
        for part in ("log_norm", "log_rms"):
            values = (getattr(each.curves[name], part) for each in (by_keys, dense))
            np.testing.assert_allclose(*values, rtol=1e-11, atol=1e-11, err_msg=f"{name} {part}")
    for lag, alive in by_keys.curves["state"].alive.items():
        np.testing.assert_array_equal(alive, dense.curves["state"].alive[lag])


@pytest.mark.parametrize("label", LABELS)
def test_the_norm_is_that_of_the_whole_product(label: str) -> None:
    cell = drawn(label, 6)
    trajectory = run(cell, np.random.default_rng(1).standard_normal((B, T, D)), np.zeros((B, cell.state_size)))
    curve = measure(cell, trajectory, np.array([T] * B), None, THRESHOLD, EVERYTHING, "key-side").curves["state"]
    linearisation, product = cell.linearise(trajectory, 0, T), np.tile(np.eye(cell.state_size), (B, 1, 1))
    for lag in range(T + 1):
        values = np.linalg.svd(product, compute_uv=False)
        np.testing.assert_allclose(curve.log_norm[:, lag], np.log(values[:, 0]), rtol=1e-12, atol=1e-12)
        rms = np.log((values**2).mean(axis=-1)) / 2
        np.testing.assert_allclose(curve.log_rms[:, lag], rms, rtol=1e-12, atol=1e-12)
        product = product @ linearisation.dense(T - lag) if lag < T else product


def test_auto_takes_keys_and_a_diagonal_before_them_and_other_cells_are_refused() -> None:
    assert measured("deltanet:heads=1,keys=3", 4, "auto").engine.name == "key-side"
    assert measured("mamba2:heads=2,states=3", 4, "auto").engine.name == "diagonal"
    with pytest.raises(
        UsageError, match="expected a cell with a Jacobian of keys alone for --engine key-side, got rnn"
    ):
        vanishgrad.compare("rnn", hidden=4, steps=8, engine="key-side")


class Reflections(DeltaNet):
    """β = 2/‖k‖²: Householder reflections."""

    def key_side(self, record: np.ndarray) -> KeySide:
        side = super().key_side(record)
        p = 2 * side.q / (side.q**2).sum(axis=-1, keepdims=True)
        return side._replace(p=p, r=p)


def test_householder_factors_lose_nothing() -> None:
    cell = drawn("deltanet:heads=2,keys=6", 8)
    cell.__class__ = Reflections
    trajectory = run(cell, np.random.default_rng(1).standard_normal((B, T, D)), np.zeros((B, cell.state_size)))
    curve = measure(cell, trajectory, np.array([T] * B), None, 0.999, EVERYTHING).curves["state"]
    np.testing.assert_allclose(curve.log_norm, 0.0, atol=1e-13)
    np.testing.assert_allclose(curve.log_rms, 0.0, atol=1e-13)
    np.testing.assert_array_equal(curve.alive[T], cell.state_size)


def test_a_head_that_forgets_at_once_takes_no_digit_of_another() -> None:
    """At x = 0 nothing is erased, and α = exp(-e^{A_log} softplus(b)): 10^4 steps of ln α = -200 beside one of -1e-4."""
    steps, zeros = 10_000, np.zeros((2 + 4 + 4, D))
    b = np.concatenate([np.zeros(8), np.log(np.expm1([200.0, 1e-4]))])
    cell = GatedDeltaNet(zeros, b, np.zeros(2), heads=2, keys=2)
    trajectory = run(cell, np.zeros((1, steps, D)), np.zeros((1, cell.state_size)))
    curve = measure(cell, trajectory, np.array([steps]), None, THRESHOLD, Scope(("state",))).curves["state"]
    np.testing.assert_allclose(curve.log_norm[0], -1e-4 * np.arange(steps + 1), rtol=1e-11, atol=1e-14)
    assert curve.alive[steps][0] == cell.state_size / 2


def test_qwen3_nexts_new_heads_forget_at_once() -> None:
    """The published law at zero input: α has quantiles 1.5e-7, 3.4e-5 and .008, and no head a time constant above 76."""
    heads = 20_000
    spec = parse(f"gated-deltanet:heads={heads},keys=1").resolved(1, 1)
    rate = np.exp(draw(spec, 1, 1, 1, 0).others["A_log"][0])
    log_alpha = -rate * math.log1p(math.e)
    np.testing.assert_allclose(np.exp(np.quantile(log_alpha, (0.25, 0.5, 0.75))), (1.5e-7, 3.4e-5, 0.008), rtol=0.4)
    assert (-1 / log_alpha).max() < 77


def test_mamba_2s_initial_time_constants_are_the_published_ones() -> None:
    """A = -1 … -128 over the heads: τ quantiles .17 .52 2.3 7.7 51, and no head keeps 1e-3 over 2048 steps."""
    spec = parse("mamba2:heads=128,states=1").resolved(128, 1)
    cell = draw(spec, D, 1, 200, 0).cell(spec)
    assert isinstance(cell, Mamba2)
    _, log_alpha = cell.log_decay(np.broadcast_to(cell.b, (1, *cell.b.shape)))
    tau = -1 / log_alpha
    np.testing.assert_allclose(np.quantile(tau, (0.025, 0.25, 0.5, 0.75, 0.975)), (0.17, 0.52, 2.3, 7.7, 51), rtol=0.3)
    assert np.mean(2048 * log_alpha >= math.log(1e-3)) < 0.01


def test_rwkv_7_starts_with_time_constants_of_nine_to_a_thousand_steps() -> None:
    """W_w1 = 0: w = exp(-0.606531 σ(w0)) with w0 from -6.5 to -1.5, whatever the input."""
    cell = drawn("rwkv7:heads=2,keys=8", 16, 1)
    assert isinstance(cell, RWKV7)
    xs = np.random.default_rng(1).standard_normal((1, 1, D))
    trajectory = run(cell, xs, np.zeros((1, cell.state_size)))
    tau = -1 / np.log(cell.key_side(trajectory.records).w.ravel())
    expected = [(1 + math.exp(each)) / 0.606531 for each in (6.5, 1.5)]
    np.testing.assert_allclose(tau[[0, -1]], expected, rtol=1e-12)
