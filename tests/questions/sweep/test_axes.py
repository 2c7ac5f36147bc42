"""Axes: what is typed, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.errors import UsageError
from vanishgrad.questions.sweep.axes import axis, models_of, option_axis
from vanishgrad.questions.sweep.document import settings_of
from vanishgrad.questions.sweep.points import points


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
        ("rnn:activation=tanh,relu,tanh", "expected different values between commas for activation, got 'tanh,relu,"),
        ("rnn:activation=tanh,soft", "expected one of .* for activation, got 'soft'"),
        ("lstm:speed=1,2", "expected an axis once of activation, gain, .*, got 'speed=1,2'"),
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


def test_every_option_of_a_run_is_an_axis():
    options = {
        "input": "zeros,white:0.5..1/2", "initial": "zeros,normal:0.1", "dtype": "float32,float64", "seed": "3,4",
        "threshold": "1e-4,1e-3", "burn_in": "0,2", "hidden": 3, "steps": 9,
    }  # fmt: skip
    grid = points(settings_of(["rnn:activation=tanh,relu"], options))
    assert len(grid) == 2 * 3 * 2**5
    assert dict(grid[-1].coordinates) == {
        "activation": "relu", "burn_in": 2.0, "seed": 4.0, "noise": 1.0, "initial": 0.1, "dtype": "float64",
        "threshold": 1e-3,
    }  # fmt: skip
    last = grid[-1].options
    assert (last.input, last.initial, last.dtype, last.seed) == ("white:1", "normal:0.1", "float64", 4)
    assert grid[0].options.input == "zeros" and grid[0].coordinates["noise"] == 0


def test_files_are_an_axis_in_the_order_of_their_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (10, 2):
        np.savez(f"ck{number}.npz", weight_ih_l0=np.ones((9, 2)), weight_hh_l0=np.eye(9)[:, :3])
    grid = points(settings_of("ck*.npz", {"steps": "5,6"}))
    assert [(each.coordinates["file"], each.coordinates["steps"]) for each in grid] == [
        ("ck2.npz", 5.0), ("ck2.npz", 6.0), ("ck10.npz", 5.0), ("ck10.npz", 6.0)
    ]  # fmt: skip
    with pytest.raises(UsageError, match=r"expected --hidden with a MODEL, got files of weights"):
        points(settings_of("ck*.npz", {"hidden": "5"}))


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
        (["rnn"], {"input": "x.npy"}, "expected --input white or zeros for 'rnn', got 'x.npy'"),
        (["rnn"], {"hidden": 0}, "expected --hidden from 1 on, got 0"),
        ([], {}, "expected at least one model, got none"),
        (["rnn"], {"input": "white:x"}, "expected white or white:STD"),
        (["rnn"], {"input": "zeros:1"}, "expected zeros without a value"),
        (["rnn"], {"input": "white:2,white"}, "expected values that increase for --input, got 'white:2,white'"),
        (["rnn"], {"input": "white:2..1/3"}, "expected finite numbers .* for --input white:, got '2..1/3'"),
        (["rnn"], {"initial": "x.npy"}, "expected --initial zeros or normal in a sweep, got 'x.npy'"),
        (["rnn"], {"trials": "4,8"}, "expected one number of --trials, .*, got '4,8'; try --seed"),
        (["rnn"], {"dtype": "float64,float64"}, "expected different values between commas for --dtype"),
        (["rnn"], {"dtype": "float16"}, "expected --dtype float64 or float32, got 'float16'"),
        (["rnn"], {"threshold": "0.1,2"}, "expected --threshold between 0 and 1, got 2"),
        (["rnn"], {"threshold": "0.2,0.1"}, "expected values that increase for --threshold"),
        (["rnn"], {"layer": "a"}, "expected --layer with files of weights, got 'rnn'"),
        (["none_*.pt"], {}, "expected files of weights that match 'none_\\*.pt', got none"),
    ],
)
def test_a_request_that_cannot_be_is_one_sentence(models, options, said):
    with pytest.raises(UsageError, match=said):
        points(settings_of(models, options))
