"""Norms from leading directions: exact with all of them, a lower bound with few, the norm itself at long lags."""

from __future__ import annotations

import numpy as np
import pytest

import vanishgrad
from vanishgrad.cells.activations import ACTIVATIONS
from vanishgrad.cells.masked_steps import step_marks
from vanishgrad.curves.leading_directions import leading_norms
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import Scope
from vanishgrad.propagation.lyapunov import lyapunov_spectrum
from vanishgrad.propagation.run import run

STEPS, HIDDEN = 60, 32


def a_run(model: str, steps: int = STEPS, size: float = 1.0, lengths=(STEPS, STEPS)):
    cell = vanishgrad.random_cell(model, hidden=HIDDEN, steps=steps)
    xs = size * np.random.default_rng(0).standard_normal((len(lengths), steps, cell.input_size))
    late = steps - np.array(lengths)
    marks = step_marks(np.arange(steps) >= late[:, None]) if late.any() else None
    return cell, xs, run(cell, xs, np.zeros((len(lengths), cell.state_size)), marks), np.array(lengths)


def exact(cell, trajectory, lengths):
    found = measure(cell, trajectory, lengths, None, 1e-3, Scope(("state", "input"), details=False), "dense").curves
    return found["state"].log_norm, found["input"].log_norm


@pytest.mark.parametrize("lengths", [(STEPS, STEPS), (STEPS, 41)])
@pytest.mark.parametrize("model", ["lstm", "gru", "rnn@gaussian:gain=1.2", "mgu"])
def test_all_directions_are_exact(model: str, lengths) -> None:
    cell, _, trajectory, lengths = a_run(model, lengths=lengths)
    found = leading_norms(cell, trajectory, lengths, cell.state_size)
    for norms, expected in zip(found[:2], exact(cell, trajectory, lengths), strict=True):
        assert norms == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("model", ["lstm", "gru", "rnn@orthogonal"])
def test_few_directions_are_a_lower_bound_that_is_the_norm_at_long_lags(model: str) -> None:
    cell, _, trajectory, lengths = a_run(model)
    found = leading_norms(cell, trajectory, lengths, 8)
    for norms, expected in zip(found[:2], exact(cell, trajectory, lengths), strict=True):
        assert (norms <= expected + 1e-9).all()
        assert norms[:, 5:] == pytest.approx(expected[:, 5:], abs=0.3)
        assert norms[:, STEPS // 2 :] == pytest.approx(expected[:, STEPS // 2 :], abs=0.02)


def test_the_exponent_is_the_first_of_the_lyapunov_spectrum() -> None:
    cell, xs, trajectory, lengths = a_run("lstm", steps=400, lengths=(400,))
    spectrum = lyapunov_spectrum(cell, [xs], trajectory.start, 200, burn_in=200, exponents=1)
    assert leading_norms(cell, trajectory, lengths, 4).exponent == pytest.approx(spectrum.lam[:, 0], abs=1e-3)


def test_norms_below_the_range_of_floating_point_go_on() -> None:
    """W = 10⁻²⁰ in a linear network: ‖∂s_T/∂s_k‖ is 10⁻²⁰ to the power of the lag."""
    cell = vanishgrad.RNN(1e-20 * np.eye(4), np.zeros((4, 2)), np.zeros(4), ACTIVATIONS["linear"])
    trajectory = run(cell, np.zeros((1, 60, 2)), np.zeros((1, 4)))
    found = leading_norms(cell, trajectory, np.array([60]), 2)
    assert found.state[0] / np.log(10) == pytest.approx(-20.0 * np.arange(61), rel=1e-12)
