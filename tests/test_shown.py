"""Reports in Python: short in a console, whole in a notebook, as figures and data frames; commands as functions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from tests.models.nets import two_modules
from vanishgrad.cli import main
from vanishgrad.errors import UsageError, VanishgradError

SMALL = {"hidden": 4, "steps": 6, "trials": 2}


@pytest.fixture(scope="module")
def report():
    return vanishgrad.compare(["rnn", "lstm:forget_bias=3"], **SMALL)


def test_a_console_gets_three_short_lines(report) -> None:
    lines = repr(report).splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 100
    assert lines[0] == "compare: 2 models, T = 6, input white"
    assert "lstm:forget_bias=3: preserved, horizon > 6" in lines[1]


def test_a_notebook_gets_the_table_and_the_picture(report) -> None:
    page = report._repr_html_()
    assert "horizon" in page and "<svg" in page and page.count("lstm:forget_bias=3") >= 1


def test_a_notebook_gets_the_table_as_one_text(report, monkeypatch) -> None:
    """Rich displays its lines one by one where it finds IPython's kernel, unless it is told not to."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert "horizon" in str(report)


def test_a_model_is_found_by_its_label_and_a_curve_by_its_name(report) -> None:
    assert report["rnn"].state.horizon == report.typed.models[0].curves["state"].horizon
    assert len(report) == 2 and [each.document.label for each in report] == ["rnn", "lstm:forget_bias=3"]
    with pytest.raises(KeyError, match="try rnn"):
        report["rn"]
    with pytest.raises(AttributeError, match="expected a curve out of state, hidden"):
        _ = report["rnn"].stat


def test_a_layer_is_found_by_the_beginning_that_is_its_own(tmp_path: Path) -> None:
    file = vanishgrad.analyze(two_modules(tmp_path), steps=6, trials=2)
    assert file["b"].document.label == "b.0"
    with pytest.raises(KeyError):
        file["a"]  # has two


def test_a_picture_goes_into_axes_of_the_users(report) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    assert report.plot(ax=axes) is figure
    median = report["rnn"].state.log10_norm.median
    assert any(
        np.allclose(line.get_ydata(), median) for line in axes.get_lines() if len(line.get_ydata()) == len(median)
    )
    assert isinstance(report.plot("gates"), Figure)
    with pytest.raises(VanishgradError, match="expected a curve out of state"):
        report.plot(kind="stat", ax=axes)


def test_what_was_learned_or_swept_is_drawn_without_a_file_too(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    learned = vanishgrad.learn("rnn@orthogonal", gaps=(2,), hidden=4, seeds=1, updates=5)
    swept = vanishgrad.sweep("rnn@gaussian:gain=0.8,1.2", report=True, hidden=(4, 6), steps=5, trials=1)
    for report in (learned, swept):
        assert isinstance(report.plot(), Figure)
        assert isinstance(report.plot(str(tmp_path / "a.svg")), Figure) and (tmp_path / "a.svg").exists()
    assert isinstance(learned.plot("learning_horizons"), Figure)


def test_a_frame_has_a_row_for_each_model_or_for_each_lag(report) -> None:
    pytest.importorskip("pandas", reason="needs pandas")
    frame = report.to_pandas()
    assert list(frame.index) == ["rnn", "lstm:forget_bias=3"]
    assert frame.loc["rnn", "state.horizon"] == report["rnn"].state.horizon
    long = report.to_pandas(curves=True)
    chosen = long[(long.label == "rnn") & (long.curve == "state")]
    assert chosen.log10_norm_median.tolist() == report["rnn"].state.log10_norm.median


def test_a_data_set_has_model_curve_and_lag_and_the_request(report) -> None:
    pytest.importorskip("xarray", reason="needs xarray")
    data = report.to_xarray()
    found = data.log10_norm.sel(model="rnn", curve="state", statistic="median").values
    assert found.tolist() == report["rnn"].state.log10_norm.median
    assert json.loads(data.attrs["vanishgrad"])["request"]["steps"] == 6


def test_trials_are_told_apart_where_that_was_asked_for(report) -> None:
    pytest.importorskip("pandas", reason="needs pandas")
    pytest.importorskip("xarray", reason="needs xarray")
    told = vanishgrad.compare(["rnn", "lstm:forget_bias=3"], per_trial=True, **SMALL)
    frame, data = told.to_pandas(trials=True), told.to_xarray()
    chosen = frame[(frame.label == "rnn") & (frame.curve == "state") & (frame.trial == 1)]
    assert chosen.log10_norm.tolist() == told["rnn"].state.by_trial[1]
    assert data.log10_norm_by_trial.dims == ("model", "curve", "trial", "lag")
    by_trial = data.log10_norm_by_trial.sel(model="rnn", curve="state")
    assert by_trial.mean("trial").values == pytest.approx(np.array(report["rnn"].state.log10_norm.mean), abs=1e-11)
    with pytest.raises(VanishgradError, match="try per_trial=True"):
        report.to_pandas(trials=True)
    with pytest.raises(UsageError, match="expected an option of analyze, got 'per_trial'"):
        vanishgrad.check("rnn", 3, per_trial=True)


def printed(argv: list[str], capsys) -> str:
    with pytest.raises(SystemExit):
        main(argv)
    return capsys.readouterr().out


def test_commands_are_functions_that_say_the_same(tmp_path: Path, capsys) -> None:
    file = two_modules(tmp_path)
    run = {"steps": 12, "trials": 2}
    flags = ["--steps", "12", "--trials", "2"]
    import vanishgrad.formal_answer  # a room, whose name is no command's

    for found, argv in (
        (vanishgrad.check(file, 6, **run), ["check", file, "--horizon", "6", *flags]),
        (vanishgrad.diff(file, file, **run), ["diff", file, file, *flags]),
        (vanishgrad.inspect(file, layer="b"), ["inspect", file, "--layer", "b"]),
        (vanishgrad.verify("rnn", hidden=4, steps=5), ["verify", "rnn", "--hidden", "4", "--steps", "5"]),
        (vanishgrad.answer(file, layer="b", steps=6), ["answer", file, "--layer", "b", "--steps", "6", "--lang", "en"]),
    ):
        assert str(found) == printed(argv, capsys)
        assert len(repr(found).splitlines()) <= 3


def test_a_judgement_is_read_from_attributes(tmp_path: Path) -> None:
    assert vanishgrad.check("lstm:forget_bias=9", 4, hidden=4, trials=2).passed
    assert not vanishgrad.check("rnn@gaussian:gain=0.1", 4, hidden=4, trials=2).passed


def test_a_state_dict_is_certified_with_its_weights_beside(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = {"weight_ih_l0": rng.normal(size=(3, 2)), "weight_hh_l0": 0.2 * rng.normal(size=(3, 3))}
    found = vanishgrad.certify(weights, tmp_path / "cert.json", activation="tanh")
    assert {Path(path).name for path in found.files} == {"cert.json", "cert.weights.npz"}
    with pytest.raises(SystemExit) as end:
        main(["certify", "--check", str(tmp_path / "cert.json")])
    assert end.value.code == 0


@pytest.mark.parametrize(
    ("call", "nearest"),
    [
        (lambda: vanishgrad.check("rnn", 3, stepz=3), "stepz'; try steps"),
        (lambda: vanishgrad.verify("rnn", hiden=3), "hiden'; try hidden"),
        (lambda: vanishgrad.inspect("model.pt", layuot="x"), "layuot'; try layout"),
        (lambda: vanishgrad.certify("rnn", "c.json", clam="upper"), "clam'; try claim"),
    ],
)
def test_an_unknown_option_gets_the_nearest(call, nearest: str) -> None:
    with pytest.raises(UsageError, match=nearest):
        call()
