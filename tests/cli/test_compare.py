"""`vanishgrad compare` as its user meets it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from vanishgrad.questions.compare import comparison

SMALL = ("--hidden", "4", "--steps", "8", "--trials", "2")


def test_default_models_in_a_table(run):
    outcome = run("compare", *SMALL)
    assert outcome.status == 0
    assert outcome.err == ""
    for label in ("rnn", "rnn@orthogonal", "lstm", "lstm:forget_bias=1", "lstm@chrono", "gru", "gru@chrono"):
        assert label in outcome.out
    assert "\x1b" not in outcome.out


def test_options_reach_the_request(run):
    outcome = run(
        "compare", "lstm", "gru:hidden=3", "--hidden", "5", "--input-size", "2", "--steps", "9", "--trials", "3", "--seed", "7",
        "--input", "white:0.5", "--initial", "normal:0.1", "--burn-in", "4", "--threshold", "1e-2", "--dtype", "float32",
        "--engine", "matrix-free", "--backend", "numpy", "--device", "cpu", "--json",
    )  # fmt: skip
    document = json.loads(outcome.out)
    assert document["request"] == {
        "models": ["lstm", "gru:hidden=3"], "hidden": 5, "input_size": 2, "steps": 9, "trials": 3, "seed": 7, "input": "white:0.5",
        "initial": "normal:0.1", "burn_in": 4, "lengths": None, "threshold": 0.01, "dtype": "float32", "engine": "matrix-free",
        "backend": "numpy", "device": "cpu", "band": "min-max",
    }  # fmt: skip
    assert [model["hidden_size"] for model in document["models"]] == [5, 3]
    assert document["models"][0]["curves"]["input"]["count"] == [3] * 9


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("json", '{"format":"vanishgrad-compare"'), ("csv", "label,curve"), ("md", "**∂s_T"), ("txt", "∂s_T")],
)
def test_the_ending_of_output_decides(run, tmp_path, ending, begins):
    target = tmp_path / f"report.{ending}"
    outcome = run("compare", "rnn", *SMALL, "--output", str(target))
    assert (outcome.status, outcome.out) == (0, "")
    assert target.read_text(encoding="utf-8").startswith(begins)


@pytest.mark.parametrize("command", [("compare", "rnn"), ("analyze", "lstm")])
def test_each_trials_norms_are_rows_of_csv_and_members_of_json(run, command):
    """Sequences of different lengths have lags of their own; the median of two trials is their mean."""
    flags = (*command, "--hidden", "4", "--steps", "6", "--trials", "2", "--lengths", "6,4", "--per-trial")
    rows = list(csv.DictReader(run(*flags, "--format", "csv").out.splitlines()))
    state = {(int(row["trial"]), int(row["lag"])): float(row["log10_norm"]) for row in rows if row["curve"] == "state"}
    assert {trial: max(lag for each, lag in state if each == trial) for trial in (0, 1)} == {0: 6, 1: 4}
    report = json.loads(run(*flags, "--json").out)
    curve = report["models"][0]["curves"]["state"]
    assert report["request"]["per_trial"] is True
    assert curve["by_trial"] == [[state[trial, lag] for lag in range(last + 1)] for trial, last in ((0, 6), (1, 4))]
    assert curve["log10_norm"]["median"][3] == pytest.approx((state[0, 3] + state[1, 3]) / 2, abs=1e-11)


def test_each_trials_norms_are_not_of_a_table(run):
    outcome = run("compare", "rnn", *SMALL, "--per-trial")
    assert outcome.status == 2 and "try --json" in outcome.err


def test_csv_on_stdout(run):
    rows = list(csv.DictReader(run("compare", "rnn", *SMALL, "--format", "csv").out.splitlines()))
    assert rows[0]["label"] == "rnn"
    assert float(rows[0]["log10_norm_median"]) == 0.0


def test_lengths_and_files(run, tmp_path):
    np.save(tmp_path / "inputs.npy", np.random.default_rng(0).standard_normal((3, 12, 2)))
    path = str(tmp_path / "inputs.npy")
    document = json.loads(run("compare", "gru", "--hidden", "3", "--input", path, "--lengths", "7,12,9", "--json").out)
    curve = document["models"][0]["curves"]["state"]
    assert curve["count"] == [3] * 8 + [2] * 2 + [1] * 3
    assert document["request"]["lengths"] == [7, 12, 9]


def test_text_as_input(run, tmp_path):
    (tmp_path / "text.txt").write_text("the clouds are in the sky", encoding="utf-8")
    document = json.loads(run("compare", "gru", "--hidden", "3", "--input", str(tmp_path / "text.txt"), "--json").out)
    assert (document["request"]["steps"], document["request"]["input_size"]) == (25, 256)


def test_save_lets_anyone_redo_the_numbers(run, tmp_path):
    run("compare", "lstm@chrono", *SMALL, "--save", str(tmp_path / "saved"))
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == [
        "inputs.npy", "lstm_chrono.0.npz", "lstm_chrono.1.npz",
    ]  # fmt: skip
    assert np.load(tmp_path / "saved" / "inputs.npy").shape == (2, 8, 4)
    with np.load(tmp_path / "saved" / "lstm_chrono.1.npz") as archive:
        assert archive["weight_hh_l0"].shape == (16, 4)
        assert not archive["bias_hh_l0"][:8].any()
        about = json.loads(str(archive["vanishgrad"]))
    assert about == {
        "cell": "lstm", "reset": None, "activation": "tanh", "label": "lstm@chrono", "law": "chrono", "seed": 0, "trial": 1,
    }  # fmt: skip


def test_plot_and_plots(run, tmp_path):
    outcome = run(
        "compare", "rnn", "lstm", *SMALL, "--plot", str(tmp_path / "curves.svg"), "--plots", str(tmp_path / "all")
    )
    assert outcome.status == 0
    assert (tmp_path / "curves.svg").read_bytes().startswith(b"<?xml")
    assert (tmp_path / "all" / "curves.svg").read_bytes() == (tmp_path / "curves.svg").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "curves"),
    [
        ((), ["state", "input"]),
        (("--format", "markdown"), ["state", "input"]),
        (("--plot", "curves.svg"), None),
        (("--plots", "."), None),
        (("--json",), None),
        (("--output", "report.csv"), None),
        (("--output", "report.md"), ["state", "input"]),
    ],
)
def test_a_table_measures_what_it_says_and_everything_else_all_curves(run, monkeypatch, tmp_path, arguments, curves):
    found = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vanishgrad.cli.compare.comparison", lambda result: found.append(result) or comparison(result))
    assert run("compare", "lstm", *SMALL, *arguments).status == 0
    assert list(found[0].models[0].curves) == (curves or ["state", "hidden", "cell", "conveyor", "input", "output"])
