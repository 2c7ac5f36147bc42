"""Every curve is the norm of its block, trial by trial; a sequence of its own length is measured as if alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.cells.cases import BATCH, BY_NAME, CASES, Case, T, random_run
from tests.engine import lstm, measured, silence, trajectory
from vanishgrad.cells import ACTIVATIONS, RNN
from vanishgrad.cells.masked_steps import step_marks
from vanishgrad.curves import measure as measure_module
from vanishgrad.curves.measure import measure
from vanishgrad.curves.recorder import alive_lags
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.propagation.run import run
from vanishgrad.questions.compare import CompareRequest, compare

ROUNDOFF = 1e-11
TIED = [case for case in CASES if case.name != "rnn-untied"]
"""An untied network's steps are its own: one that starts late has other weights than one that starts at once."""
OTHERWISE = ("rnn", "stack", "layer-norm", "clipped", "indrnn", "antisymmetric", "lru", "mamba", "cornn")
"""Cells without a conveyor, or with one that is not a gate alone."""
CONVEYED = [case for case in CASES if not case.name.startswith(OTHERWISE)]
every_cell = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(np.isneginf(found), np.isneginf(expected))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    some = np.isfinite(expected)
    np.testing.assert_allclose(found[some], expected[some], rtol=ROUNDOFF, atol=ROUNDOFF)


@every_cell
def test_every_curve_is_the_norm_of_its_block(case: Case) -> None:
    found = random_run(case)
    curves = measured(found.cell, found.trajectory).curves
    blocks = {"state": (None, None), **found.cell.curves, "output": ("h", None)}
    spans = {None: slice(None), **found.cell.slices}
    with np.errstate(divide="ignore"):
        for product in backward_products(found.cell, found.trajectory, BATCH):
            matrix, log_scale = product.block(None, None)
            for name, (to, source) in blocks.items():
                block = matrix[:, spans[to], spans[source]]
                sigma = np.linalg.svd(block, compute_uv=False)
                rms = np.sqrt((block**2).sum(axis=(1, 2)) / block.shape[2])
                close(curves[name].log_norm[:, product.lag], np.log(sigma[:, 0]) + log_scale)
                close(curves[name].log_rms[:, product.lag], np.log(rms) + log_scale)


@every_cell
def test_input_curve_is_the_norm_of_its_matrix(case: Case) -> None:
    found = random_run(case)
    norms = measured(found.cell, found.trajectory).curves["input"]
    assert norms.log_norm.shape == (BATCH, T)
    products = backward_products(found.cell, found.trajectory, BATCH, input_lags=range(T))
    with np.errstate(divide="ignore"):
        for lag, product in zip(range(T), products, strict=False):
            matrix, log_scale = product.input_block()
            close(norms.log_norm[:, lag], np.log(np.linalg.svd(matrix, compute_uv=False)[:, 0]) + log_scale)
            rms = np.sqrt((matrix**2).sum(axis=(1, 2)) / matrix.shape[2])
            close(norms.log_rms[:, lag], np.log(rms) + log_scale)


@pytest.mark.parametrize("case", CONVEYED, ids=lambda case: case.name)
def test_conveyor_is_the_product_of_the_gates(case: Case) -> None:
    found = random_run(case)
    values = found.cell.gate_values(found.trajectory)
    gates = values.get("forget", values.get("keep"))
    norms = measured(found.cell, found.trajectory).curves["conveyor"]
    with np.errstate(divide="ignore"):
        for lag in range(T + 1):
            whole = gates[T - lag :].prod(axis=0)
            close(norms.log_norm[:, lag], np.log(whole.max(axis=1)))
            close(norms.log_rms[:, lag], np.log((whole**2).mean(axis=1)) / 2)


@pytest.mark.parametrize("engine", ["dense", "adaptive"])
@pytest.mark.parametrize("label", ["rnn:untied=true", "lstm", "gru@chrono"])
def test_groups_of_trials_are_measured_as_all_together(
    monkeypatch: pytest.MonkeyPatch, label: str, engine: str
) -> None:
    request = CompareRequest(models=(label,), hidden=24, steps=50, trials=5, engine=engine)
    (together,) = compare(request).models
    monkeypatch.setattr(measure_module, "GROUP_BYTES", 2 * together.state_size**2 * 8)
    (found,) = compare(request).models
    np.testing.assert_allclose(found.share_by_lag, together.share_by_lag, rtol=1e-9, atol=1e-15)
    for name, curve in together.curves.items():
        assert found.curves[name].alive == curve.alive
        np.testing.assert_allclose(found.curves[name].trial_final, curve.trial_final, rtol=1e-9)
        np.testing.assert_allclose(found.curves[name].log_norm.median, curve.log_norm.median, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.curves[name].log_rms.median, curve.log_rms.median, rtol=1e-9, atol=1e-12)


def test_typical_direction_of_the_identity_is_one() -> None:
    found = random_run(BY_NAME["lstm"])
    for name, norms in measured(found.cell, found.trajectory).curves.items():
        if name in ("state", "hidden", "cell", "conveyor"):
            np.testing.assert_allclose(norms.log_rms[:, 0], 0, atol=1e-15)


@pytest.mark.parametrize("case", TIED, ids=lambda case: case.name)
def test_a_shorter_sequence_is_measured_as_if_it_were_alone(case: Case) -> None:
    rng, lengths = np.random.default_rng(4), np.array([T, 2, 4])
    cell = case.cell(**case.tensors(BATCH))
    s0 = rng.standard_normal((BATCH, cell.state_size))
    loss = rng.standard_normal((BATCH, cell.parts[0].size))
    xs = rng.standard_normal((BATCH, T, cell.input_size))
    marks = step_marks(np.arange(T) >= T - lengths[:, None])
    together = measure(cell, run(cell, xs, s0, marks), lengths, loss, 1e-3)
    for b, length in enumerate(lengths):
        alone = cell.trial(b)
        path = run(alone, xs[b : b + 1, T - length :], s0[b : b + 1])
        expected = measure(alone, path, lengths[b : b + 1], loss[b : b + 1], 1e-3)
        np.testing.assert_allclose(together.shares[b, :length], expected.shares[0], rtol=1e-10, atol=1e-15)
        for name, norms in expected.curves.items():
            known = norms.log_norm.shape[1]
            close(together.curves[name].log_norm[b, :known], norms.log_norm[0])
            close(together.curves[name].log_rms[b, :known], norms.log_rms[0])
            assert np.isnan(together.curves[name].log_norm[b, known:]).all()


@pytest.mark.parametrize(
    ("last", "lags"), [(1, [1]), (10, [10]), (11, [10, 11]), (100, [10, 100]), (300, [10, 100, 300])]
)
def test_alive_is_counted_at_powers_of_ten_and_at_the_last_lag(last: int, lags: list[int]) -> None:
    assert alive_lags(last) == lags


def test_alive_counts_singular_values_at_or_above_the_threshold() -> None:
    biases = np.array([-1.0, 0.5, 2.0, 6.0])
    cell, steps, threshold = lstm(4), 20, 0.05
    cell.b[0, 4:8] = biases
    curves = measured(cell, trajectory(cell, silence(cell, steps)), threshold).curves
    gate = 1 / (1 + np.exp(-biases))
    for lag in (10, 20):
        expected = np.count_nonzero(gate**lag >= threshold)
        assert curves["cell"].alive[lag] == curves["conveyor"].alive[lag] == [expected]
        assert curves["hidden"].alive[lag] == [0]
    assert math.isclose(curves["cell"].log_norm[0, 20], 20 * math.log(gate[-1]), rel_tol=1e-12)


@pytest.mark.parametrize(("gain", "alive"), [(1e-4, 0), (1.0, 3), (1e4, 3)])
def test_alive_beyond_the_range_of_float64(gain: float, alive: int) -> None:
    """All singular values of 1e-2000 are dead, all of 1e+2000 alive; none is lost to a scale."""
    cell = RNN(gain * np.eye(3), np.zeros((3, 1)), np.zeros(3), ACTIVATIONS["linear"])
    state = measured(cell, trajectory(cell, silence(cell, 500)), curves=("state",)).curves["state"]
    assert state.alive[500] == [alive]
    assert state.log_norm[0, 500] == pytest.approx(500 * math.log(gain), rel=1e-12)
