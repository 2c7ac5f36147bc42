"""Axes: what is typed, and what is refused."""

from __future__ import annotations

import pytest

from vanishgrad.errors import UsageError
from vanishgrad.questions.sweep.axes import axis, models_of, option_axis
from vanishgrad.questions.sweep.document import settings_of
from vanishgrad.questions.sweep.run import points


@pytest.mark.parametrize(
    ("text", "whole", "values"),
    [
        ("0.5..3/6", False, (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)),
        ("0.5..3/26", False, tuple(i / 10 for i in range(5, 31))),
        ("-2..6/3", False, (-2.0, 2.0, 6.0)),
        ("0.01..100/5/log", False, (0.01, 0.1, 1.0, 10.0, 100.0)),
        ("16..256/5/log", True, (16, 32, 64, 128, 256)),
        ("64,256", True, (64, 256)),
        ("0.5,1..2/2,7", False, (0.5, 1.0, 2.0, 7.0)),
    ],
)
def test_an_axis_is_a_range_or_values(text, whole, values):
    assert axis(text, whole, "gain") == values


@pytest.mark.parametrize(
    "text", ["", "a", "1..", "1..2", "2..1/3", "1..1/2", "1..2/1", "0..1/3/log", "1..inf/3", "nan", "3,2", "1..2/3/lin"]
)
def test_an_axis_that_is_empty_or_out_of_order_is_refused(text):
    with pytest.raises(UsageError, match=r"^expected .* for gain, got .*; try gain=0\.5\.\.3/26"):
        axis(text, False, "gain")


def test_an_option_takes_a_number_several_or_an_axis():
    assert option_axis("hidden", 8) == option_axis("hidden", "8") == (8,)
    assert option_axis("hidden", [8, 16]) == option_axis("hidden", "8..16/2") == (8, 16)
    with pytest.raises(UsageError, match=r"expected whole numbers .* for --hidden, got '8\.5'"):
        option_axis("hidden", "8.5")


def test_a_model_with_axes_is_a_grid_of_models():
    found = dict(models_of("lstm@gaussian:activation=tanh,gain=1,2,forget_bias=0..1/2"))
    assert list(found) == [
        f"lstm@gaussian:activation=tanh,gain={g},forget_bias={b}" for g in (1, 2) for b in (0, 1)
    ]  # fmt: skip
    assert found["lstm@gaussian:activation=tanh,gain=2,forget_bias=1"] == {"gain": 2.0, "forget_bias": 1.0}
    assert [label for label, _ in models_of("rnn")] == ["rnn"]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("rnn@gaussian:forget_bias=0..1/3", "expected forget_bias on "),
        ("rnn:gain=0..1/3", "expected gain with the law gaussian"),
        (
            "rnn:activation=tanh,relu",
            "expected an axis once of gain, forget_bias, chrono_max, hidden, .*, got 'activation=",
        ),
        ("rnn@gaussian:gain=1,2,gain=3,4", "expected an axis once of"),
        ("rnn@gaussian:gain=", "expected a finite number for gain, got ''"),
    ],
)
def test_a_key_that_does_not_apply_or_takes_no_number_is_refused(model, said):
    with pytest.raises(UsageError, match=said):
        list(models_of(model))


def test_points_run_through_the_options_last():
    settings = settings_of(["rnn@gaussian:gain=1,2", "gru"], {"hidden": "4,8", "steps": 10})
    assert [(each.label, each.options.hidden, dict(each.coordinates)) for each in points(settings)] == [
        ("rnn@gaussian:gain=1", 4, {"gain": 1.0, "hidden": 4.0}),
        ("rnn@gaussian:gain=1", 8, {"gain": 1.0, "hidden": 8.0}),
        ("rnn@gaussian:gain=2", 4, {"gain": 2.0, "hidden": 4.0}),
        ("rnn@gaussian:gain=2", 8, {"gain": 2.0, "hidden": 8.0}),
        ("gru", 4, {"hidden": 4.0}),
        ("gru", 8, {"hidden": 8.0}),
    ]


@pytest.mark.parametrize(
    ("models", "options", "said"),
    [
        (["rnn:hidden=4"], {"hidden": "4,8"}, "expected hidden in 'rnn:hidden=4' or several --hidden, got both"),
        (["rnn@gaussian:gain=1,2", "rnn@gaussian:gain=2"], {}, "expected each point once"),
        (["rnn"], {"measure": "norm@101"}, "expected norm@101 with --steps from 101 on, got 100"),
        (["rnn"], {"measure": "speed"}, "expected a measure out of rate, horizon, verdict, norm@LAG"),
        (["rnn"], {"measure": "rate,conveyor_rate"}, "expected conveyor_rate of a MODEL that has it, got rnn"),
        (
            ["lstm:projection=3"],
            {"measure": "spectral_radius"},
            "expected spectral_radius of a MODEL that has it, got lstm",
        ),
        (["rnn"], {"input": "x.npy"}, "expected --input white or zeros in a sweep, got 'x.npy'"),
        (["rnn"], {"hidden": 0}, "expected --hidden from 1 on, got 0"),
        ([], {}, "expected at least one model, got none"),
        (["rnn"], {"input": "white:x"}, "expected white or white:STD"),
    ],
)
def test_a_request_that_cannot_be_is_one_sentence(models, options, said):
    with pytest.raises(UsageError, match=said):
        points(settings_of(models, options))
