"""Critical gains against closed forms, published mean field, and simulation."""

from __future__ import annotations

import math

import pytest

import vanishgrad
from vanishgrad.questions.sweep.theory import crossing, predicted_gain
from vanishgrad.weights.model_string import parse


def predicted(model: str, source: str = "zeros", initial: str = "zeros") -> float | None:
    found = predicted_gain(parse(model).resolved(64, 100), source, initial)
    return None if found is None else found.gain


@pytest.mark.parametrize("bias", [-2.0, 0.0, 1.0, 4.0])
def test_the_fixed_point_zero_loses_its_stability_at_eigenvalue_one(bias):
    sigma = 1 / (1 + math.exp(-bias))
    assert predicted("rnn@gaussian") == pytest.approx(1, abs=1e-9)
    assert predicted(f"lstm@gaussian:forget_bias={bias}") == pytest.approx(4 * (1 - sigma), abs=1e-9)
    assert predicted(f"gru@gaussian:forget_bias={bias}") == pytest.approx(2, abs=1e-9)
    assert predicted(f"gru@gaussian:forget_bias={bias},reset=before") == pytest.approx(2, abs=1e-9)


@pytest.mark.parametrize(("noise", "gain"), [(0.5, 1.54967), (1.0, 1.85559)])
def test_the_critical_gain_of_a_driven_tanh_network_is_mean_fields(noise, gain):
    assert predicted("rnn@gaussian", f"white:{noise}") == pytest.approx(gain, abs=1e-5)


@pytest.mark.parametrize(
    ("model", "source", "initial"),
    [
        ("rnn@orthogonal", "zeros", "zeros"), ("rnn@gaussian:activation=relu", "zeros", "zeros"),
        ("rnn@gaussian:untied=true", "zeros", "zeros"), ("lstm@gaussian", "white", "zeros"),
        ("rnn@gaussian", "zeros", "normal"),
    ],
)  # fmt: skip
def test_there_is_no_prediction_where_no_theory_speaks(model, source, initial):
    assert predicted(model, source, initial) is None


def test_a_crossing_lies_on_the_line_between_two_points():
    assert crossing([1, 2, 4], [-0.3, -0.1, 0.3]) == pytest.approx(2.5)
    assert crossing([1, 2, 4], [-0.3, None, 0.3]) is None
    assert crossing([1, 2], [0.1, 0.3]) is None
    assert crossing([1, 2], [-0.1, 0.0]) == 2


@pytest.mark.slow
def test_the_rate_of_a_tied_tanh_network_crosses_zero_at_gain_one():
    report = vanishgrad.sweep("rnn@gaussian:gain=0.9..1.1/5", hidden=256, steps=100, input="zeros", measure="rate")
    (line,) = report.typed.critical
    assert line.predicted == pytest.approx(1, abs=1e-9)
    assert line.measured == pytest.approx(1, abs=0.05)
    assert line.distance == line.measured - line.predicted
