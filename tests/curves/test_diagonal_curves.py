"""Diagonal curves: sums of logarithms beside dense products, closed forms, and lengths that no product reaches."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vanishgrad
from vanishgrad.cells.lru import LRU
from vanishgrad.cells.mingru import MinGRU
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import EVERYTHING, Scope
from vanishgrad.errors import UsageError
from vanishgrad.propagation.run import run
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

T, D, B, THRESHOLD = 40, 5, 3, 1e-3


def measured(label: str, n: int, engine: str, scope: Scope = EVERYTHING, lengths: tuple[int, ...] = (T, T, T)):
    spec = parse(label).resolved(n, T)
    cell = draw(spec, D, T, B, 0).cell(spec)
    rng = np.random.default_rng(1)
    trajectory = run(cell, rng.standard_normal((B, T, D)), np.zeros((B, cell.state_size)))
    loss = rng.standard_normal((B, cell.hidden_size))
    return measure(cell, trajectory, np.array(lengths), loss, THRESHOLD, scope, engine)


@pytest.mark.parametrize("n", [1, 7, 64])
@pytest.mark.parametrize(
    "label", ["mingru", "minlstm", "indrnn", "lru", "mingru:forget_bias=3", "mingru:forget_bias=-90"]
)
def test_every_curve_is_that_of_the_dense_products(label: str, n: int) -> None:
    summed, dense = measured(label, n, "diagonal"), measured(label, n, "dense")
    assert summed.engine.name == "diagonal"
    assert ("conveyor" in summed.curves) == ("conveyor" in dense.curves)
    for name in summed.curves:
        for part in ("log_norm", "log_rms"):
            values = (getattr(each.curves[name], part) for each in (summed, dense))
            np.testing.assert_allclose(*values, rtol=1e-12, atol=1e-12, err_msg=f"{name} {part}")
    for lag, alive in summed.curves["state"].alive.items():
        np.testing.assert_array_equal(alive, dense.curves["state"].alive[lag])
    np.testing.assert_allclose(summed.shares, dense.shares, rtol=0, atol=1e-12)


def test_sequences_of_different_lengths_end_together() -> None:
    summed, dense = (measured("mingru", 6, engine, lengths=(T, 9, 30)) for engine in ("diagonal", "dense"))
    for name in summed.curves:
        values = (each.curves[name].log_norm for each in (summed, dense))
        np.testing.assert_allclose(*values, rtol=1e-12, atol=1e-12)


def test_it_is_what_auto_takes_and_what_a_dense_jacobian_refuses() -> None:
    assert measured("lru", 4, "auto").engine.name == "diagonal"
    with pytest.raises(UsageError, match="expected a cell with a diagonal Jacobian for --engine diagonal, got rnn"):
        vanishgrad.compare("rnn", hidden=4, steps=8, engine="diagonal")


def test_an_lru_forgets_by_its_eigenvalues_whatever_the_input() -> None:
    """‖J^lag‖₂ = max|λ|^lag, and time constants -1/ln|λ| = e^{-ν}."""
    spec = parse("lru:r_min=0.9,r_max=0.999").resolved(256, T)
    cell = draw(spec, D, T, 1, 0).cell(spec)
    assert isinstance(cell, LRU)
    size = np.exp(-np.exp(cell.nu_log[0]))
    assert 0.9 <= size.min() <= size.max() <= 0.999
    trajectory = run(cell, np.ones((1, T, D)), np.zeros((1, cell.state_size)))
    curve = measure(cell, trajectory, np.array([T]), None, THRESHOLD, Scope(("state",), details=False)).curves["state"]
    np.testing.assert_allclose(curve.log_norm[0], np.arange(T + 1) * math.log(size.max()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("label", "low", "median", "high"), [
    ("lru", 0.54, 2.9, 79), ("lru:r_min=0.9,r_max=0.999", 9.8, 20, 292),
])  # fmt: skip
def test_the_lrus_initial_time_constants_are_the_published_ones(
    label: str, low: float, median: float, high: float
) -> None:
    spec = parse(label).resolved(20_000, 1)
    cell = draw(spec, 1, 1, 1, 0).cell(spec)
    assert isinstance(cell, LRU)
    quantiles = np.quantile(np.exp(-cell.nu_log[0]), (0.025, 0.5, 0.975))
    np.testing.assert_allclose(quantiles, (low, median, high), rtol=0.06)


def test_a_gate_that_never_opens_keeps_all_of_a_hundred_thousand_steps() -> None:
    """1 - σ(-60) is 1 to rounding: 10^5 steps lose nothing; 1 - σ(60) = e^-60, beyond the range after a dozen steps."""
    steps = 100_000
    cell = MinGRU(np.zeros((2, 1)), np.array([0.0, -60.0]))
    trajectory = run(cell, np.zeros((1, steps, 1)), np.zeros((1, 1)))
    scope = Scope(("state",), details=False)
    kept = measure(cell, trajectory, np.array([steps]), None, THRESHOLD, scope).curves["state"]
    assert abs(kept.log_norm[0, -1]) <= 1e-10
    open_gate = MinGRU(np.zeros((2, 1)), np.array([0.0, 60.0]))
    lost = measure(open_gate, trajectory_of(open_gate, steps), np.array([steps]), None, THRESHOLD, scope).curves[
        "state"
    ]
    assert lost.log_norm[0, -1] == pytest.approx(-60.0 * steps, rel=1e-12)


def trajectory_of(cell: MinGRU, steps: int):
    return run(cell, np.zeros((1, steps, 1)), np.zeros((1, 1)))


@pytest.mark.parametrize("label", ["mingru", "minlstm"])
def test_the_conveyor_is_the_cell(label: str) -> None:
    """Gates that do not read the state leave no detour: the product of the keep gates is the whole Jacobian."""
    dense = measured(label, 16, "dense")
    np.testing.assert_allclose(
        dense.curves["conveyor"].log_norm, dense.curves["state"].log_norm, rtol=1e-13, atol=1e-13
    )


def test_mambas_initial_time_constants_are_the_published_ones() -> None:
    """At zero input Δ is log-uniform on [0.001, 0.1] and A = -1 … -16: τ = 1/(Δ n), median 100 and 6; 2.5 % keep 1e-3."""
    channels, d = 20_000, 16
    spec = parse("mamba").resolved(channels, 1)
    cell = draw(spec, d, 1, 1, 0).cell(spec)
    trajectory = run(cell, np.zeros((1, 1, d)), np.zeros((1, cell.state_size)))
    logs = cell.log_multipliers(trajectory.records, trajectory.states[:-1], trajectory.states[1:]).reshape(channels, 16)
    tau = -1 / logs
    assert np.median(tau[:, 0]) == pytest.approx(100, rel=0.05)
    assert np.median(tau[:, 15]) == pytest.approx(100 / 16, rel=0.05)
    assert np.mean(2048 * logs >= math.log(1e-3)) == pytest.approx(0.0256, abs=0.001)


def test_a_mamba_with_dense_products_has_the_same_curves() -> None:
    summed, dense = (measured_mamba(engine) for engine in ("diagonal", "dense"))
    for name in ("state", "conveyor", "input"):
        values = (each.curves[name].log_norm for each in (summed, dense))
        np.testing.assert_allclose(*values, rtol=1e-12, atol=1e-12)


def measured_mamba(engine: str):
    spec = parse("mamba:states=4").resolved(8, T)
    cell = draw(spec, D, T, B, 0).cell(spec)
    trajectory = run(cell, np.random.default_rng(1).standard_normal((B, T, D)), np.zeros((B, cell.state_size)))
    return measure(cell, trajectory, np.full(B, T), None, THRESHOLD, EVERYTHING, engine)


@pytest.mark.parametrize("label", ["lru", "mamba:states=2", "mingru"])
def test_every_section_of_explain_is_measured_or_says_what_is_missing(label: str) -> None:
    (model,) = vanishgrad.explain(label, hidden=4, steps=12, trials=2).document["models"]
    assert model["map"] is not None
    assert model["lyapunov"] is not None
    assert model["paths"] is not None or any("no paths" in note for note in model["notes"])


@pytest.mark.torch
def test_a_diagonal_cell_runs_on_numpy_alone() -> None:
    with pytest.raises(UsageError, match="expected --backend numpy for lru, got torch; try without it"):
        vanishgrad.compare("lru", hidden=4, steps=8, backend="torch")


def test_what_a_diagonal_cell_cannot_do_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="expected a cell whose weights have a gradient here, got 'mamba'"):
        vanishgrad.learn("mamba", gaps=(3,))
