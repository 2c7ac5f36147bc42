"""The layer-normalised LSTM where it differs from other cells: no conveyor, and norms in extended range too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import vanishgrad
from tests.cells.cases import BATCH, CASES, T, random_run
from vanishgrad import extended_range
from vanishgrad.cells import StoredTrajectory
from vanishgrad.extended_range import extended, scaled, to_float

FIXTURE = Path(__file__).parents[1] / "weights" / "fixtures" / "layer_norm.pt"
(CASE,) = (case for case in CASES if case.name == "layer-norm")


def test_no_gate_is_said_to_keep_and_no_time_constant_is_reported() -> None:
    report = vanishgrad.analyze(FIXTURE, steps=6, trials=1)
    (model,) = json.loads(report.to_json())["models"]
    assert model["time_constants"] is None
    assert "conveyor" not in model["curves"]
    assert "forget" in str(report)
    assert random_run(CASE).linearisation.detours(T, np.ones((BATCH, 1, 10))) is None


def test_what_is_common_to_all_units_is_lost_in_a_step() -> None:
    """c_t does not see what every entry of ĉ_t has in common: ones are in the null space of the norm's cotangent."""
    run = random_run(CASE)
    n = run.cell.hidden_size
    gains = run.cell.gain_c[:, None]
    rows, out = np.zeros((BATCH, 1, 2 * n)), np.empty((BATCH, 1, 2 * n))
    rows[..., n:] = 1 / gains
    run.linearisation.cotangent(T, rows, out)
    np.testing.assert_allclose(out, 0, atol=1e-12)


def test_linearisation_in_extended_range_equals_that_in_floating_point() -> None:
    run = random_run(CASE)
    trajectory = StoredTrajectory(extended(run.trajectory.states), extended(run.trajectory.records))
    wide = run.cell.with_tensors(extended).linearise(trajectory, 0, T)
    rows = np.random.default_rng(5).standard_normal((BATCH, 2, run.cell.state_size))
    expected, far = np.empty_like(rows), extended_range.zeros(rows.shape)
    run.linearisation.cotangent(T, rows, expected)
    wide.cotangent(T, scaled(rows, -5000), far)
    np.testing.assert_allclose(to_float(far * scaled(np.ones(1), 5000)), expected, rtol=0, atol=1e-13)


def test_roots_and_means_keep_their_digits_at_any_size() -> None:
    values = np.array([[2.0, 3.0], [5.0, 7.0]])
    for exponent in (-4001, 0, 4000):
        x = scaled(values, exponent)
        root = extended_range.sqrt(x)
        np.testing.assert_allclose(to_float(root * root / x), np.ones((2, 2)), rtol=1e-15)
        mean = extended_range.mean(x, axis=-1, keepdims=True)
        np.testing.assert_allclose(to_float(mean * scaled(np.ones(1), -exponent)), [[2.5], [6.0]], rtol=1e-15)
    assert to_float(extended_range.sqrt(extended(np.zeros(2)))).tolist() == [0, 0]
