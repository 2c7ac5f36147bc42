"""Critical gains against closed forms, published mean field, and simulation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import vanishgrad
from vanishgrad.propagation.run import run
from vanishgrad.questions.sweep.axes import generated_std
from vanishgrad.questions.sweep.theory import (
    Setting,
    critical_value,
    crossing,
    guaranteed_bias,
    is_noise,
    preserving_gain,
)
from vanishgrad.weights.model_string import parse


def setting(model: str, source: str = "zeros", initial: str = "zeros", steps: int = 100) -> Setting:
    noise = generated_std(source) if is_noise(source) else None
    return Setting(parse(model).resolved(64, steps), noise, generated_std(initial), steps, 1e-3)


def predicted(model: str, source: str = "zeros", initial: str = "zeros") -> float | None:
    return critical_value(setting(model, source, initial), "gain")


@pytest.mark.parametrize("bias", [-2.0, 0.0, 1.0, 4.0])
def test_the_fixed_point_zero_loses_its_stability_at_eigenvalue_one(bias):
    sigma = 1 / (1 + math.exp(-bias))
    assert predicted("rnn@gaussian") == pytest.approx(1, abs=1e-9)
    assert predicted(f"lstm@gaussian:forget_bias={bias}") == pytest.approx(4 * (1 - sigma), abs=1e-9)
    assert predicted(f"gru@gaussian:forget_bias={bias}") == pytest.approx(2, abs=1e-9)
    assert predicted(f"gru@gaussian:forget_bias={bias},reset=before") == pytest.approx(2, abs=1e-9)


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0, 3.5])
def test_the_critical_bias_of_an_lstm_is_where_its_critical_gain_is_the_gain(gain):
    bias = critical_value(setting(f"lstm@gaussian:gain={gain},forget_bias=0"), "forget_bias")
    assert 4 * (1 - 1 / (1 + math.exp(-bias))) == pytest.approx(gain, abs=1e-8)
    assert critical_value(setting(f"gru@gaussian:gain={gain},forget_bias=0"), "forget_bias") is None


@pytest.mark.parametrize(("steps", "threshold"), [(2, 0.5), (100, 1e-3), (10**6, 0.9)])
def test_the_bias_of_chrono_keeps_the_threshold_at_the_last_lag(steps, threshold):
    bias = guaranteed_bias(replace(setting("gru", steps=steps), threshold=threshold))
    assert -steps * math.log1p(math.exp(-bias)) == pytest.approx(math.log(threshold), rel=1e-9)
    assert guaranteed_bias(setting("rnn")) is None and guaranteed_bias(setting("lstm@chrono")) is None


def test_the_gain_of_n1_is_where_the_blocks_of_a_wide_lstm_meet_its_condition():
    """√φ = √ω + √(κη) with the blocks' own norms: ∂c/∂c = F, ∂c/∂h = C, ∂h/∂h = O + EC, ∂h/∂c = EF."""
    gain = preserving_gain(setting("lstm@gaussian:forget_bias=1"))
    assert gain == pytest.approx(2 / (1 + math.exp(-1)), rel=1e-12)
    n, cell = 400, vanishgrad.random_cell(f"lstm@gaussian:forget_bias=1,gain={gain}", hidden=400)
    trajectory = run(cell, np.zeros((1, 1, n)), np.zeros((1, 2 * n)))
    jacobian = cell.linearise(trajectory, 0, 1).dense(1)[0]
    of_h, C, F = jacobian[:n, :n], jacobian[n:, :n], jacobian[n:, n:]
    E = jacobian[:n, n:] @ np.linalg.inv(F)
    phi, kappa, eta = np.diag(F).min(), np.linalg.norm(C, 2), np.linalg.norm(E, 2)
    omega = np.linalg.norm(of_h - E @ C, 2)
    assert math.sqrt(phi) == pytest.approx(math.sqrt(omega) + math.sqrt(kappa * eta), rel=0.03)
    for other in ("gru@gaussian", "lstm@orthogonal", "lstm@gaussian:norm=layer", "lstm@gaussian:coupled=true"):
        assert preserving_gain(setting(other)) is None
    assert preserving_gain(setting("lstm@gaussian", "white")) is None


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
    assert crossing([0, 1, 2], [-9, -4, -2], level=-3) == pytest.approx(1.5)


def test_the_conveyor_at_rest_reaches_the_threshold_where_chrono_has_it():
    report = vanishgrad.sweep(
        ["lstm@gaussian:forget_bias=2.55..2.75/5", "gru@gaussian:forget_bias=2.55..2.75/5"], report=True, hidden=4, input="zeros",
        measure="conveyor_norm@100", trials=2,
    )  # fmt: skip
    lstm, gru = report.typed.critical
    assert lstm.axis == gru.axis == "forget_bias" and lstm.level == pytest.approx(-3)
    assert lstm.predicted == gru.predicted == guaranteed_bias(setting("lstm"))
    assert max(abs(lstm.distance), abs(gru.distance)) < 1e-3  # of linear interpolation
    assert "critical forget_bias by conveyor_norm@100: |measured - predicted|" in str(report)


def test_a_critical_value_is_looked_for_along_the_bias_where_the_gain_is_no_axis():
    models = ["lstm@gaussian:forget_bias=0..3/7", "rnn@gaussian:gain=0.5..2/4"]
    report = vanishgrad.sweep(
        models, report=True, hidden=24, input="zeros", measure="rate,lyapunov", steps=60, trials=4
    )
    assert [(each.axis, each.measure) for each in report.typed.critical] == [
        ("gain", "rate"), ("gain", "lyapunov"), ("forget_bias", "rate"), ("forget_bias", "lyapunov"),
    ]  # fmt: skip
    for each in report.typed.critical:
        assert each.distance == each.measured - each.predicted and abs(each.distance) < 0.4


def test_each_value_of_the_noise_has_a_critical_gain_of_its_own():
    report = vanishgrad.sweep(
        "rnn@gaussian:gain=0.5..2.5/3",
        report=True,
        input="zeros,white:0.5,white:1",
        hidden=8,
        steps=20,
        measure="rate",
        trials=2,
    )
    assert [line.predicted for line in report.typed.critical] == pytest.approx([1, 1.54967, 1.85559], abs=1e-4)


@pytest.mark.parametrize(
    ("model", "hidden", "gain", "within"),
    [
        ("rnn@gaussian:gain=0.9..1.1/3", 64, 1, 0.1),
        ("gru@gaussian:gain=1.8..2.2/3", 48, 2, 0.15),
        pytest.param("rnn@gaussian:gain=0.9..1.1/5", 256, 1, 0.05, marks=pytest.mark.slow),
        pytest.param("gru@gaussian:gain=1.8..2.2/5", 256, 2, 0.1, marks=pytest.mark.slow),
        pytest.param("lstm@gaussian:gain=0.9..1.3/5,forget_bias=1", 256, 4 / (1 + math.e), 0.1, marks=pytest.mark.slow),
    ],
)
def test_the_rate_at_rest_crosses_zero_at_the_critical_gain(model, hidden, gain, within):
    """The largest of n eigenvalues lies about n^-1/2 off the edge of the disk: hence the bounds."""
    report = vanishgrad.sweep(model, report=True, hidden=hidden, steps=100, input="zeros", measure="rate")
    (line,) = report.typed.critical
    assert line.predicted == pytest.approx(gain, abs=1e-8)
    assert line.measured == pytest.approx(gain, abs=within)
    assert line.distance == line.measured - line.predicted
