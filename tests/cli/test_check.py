"""`vanishgrad check`: horizons, settings of a project, a baseline, formats."""

from __future__ import annotations

import json

import pytest

from vanishgrad.questions.check.formats import FORMATS


def test_the_command_takes_them_and_what_is_typed_stands_before_them(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        "[tool.vanishgrad.check]\nhorizon = 3\nhidden = 4\ntrials = 2\nformat = 'json'\n", encoding="utf-8"
    )
    document = json.loads(run("check", "rnn").out)
    assert document["request"]["horizon"] == 3
    assert run("check", "rnn", "--horizon", "2", "--format", "text").out.startswith("ok   rnn: horizon > 4, needs 2, ")
    assert run("check", "rnn", "--config", "none.toml").status == 1
    assert [line[:7] for line in run("check", "rnn", "--format", "github").out.splitlines()] == ["::notic"]


def test_every_format_ends_with_the_same_status(run):
    for kind in FORMATS:
        assert run("check", "rnn", "--hidden", "4", "--horizon", "90", "--format", kind).status == 3
        assert run("check", "rnn", "--hidden", "4", "--horizon", "2", "--format", kind).status == 0


@pytest.mark.parametrize("horizon", ["", "=3", "a=", "a=x", "0", "a=0", "a=b=", "nan", "1e9"])
def test_a_horizon_that_cannot_be_is_one_sentence(run, horizon):
    outcome = run("check", "rnn", "--horizon", horizon)
    assert outcome.status == 2
    assert "expected" in outcome.err and outcome.err.count("\n") == 1


def test_a_baseline_that_is_no_report_is_one_sentence(run, tmp_path):
    (tmp_path / "b.json").write_text("{}")
    outcome = run("check", "rnn", "--baseline", str(tmp_path / "b.json"))
    assert outcome.status == 1
    assert "expected a report of vanishgrad" in outcome.err


def test_settings_of_a_run_are_left_out_of_a_report_and_what_is_typed_is_not(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("compare", "rnn", "--hidden", "4", "--steps", "9", "--output", "r.json").status == 0
    (tmp_path / "pyproject.toml").write_text(
        "[tool.vanishgrad.check]\nhorizon = 2\nthreshold = 1e-9\ninput = 'none.npy'\nlayer = ['a', 'b']\n"
    )
    assert run("check", "r.json").status == 0
    assert json.loads(run("check", "r.json", "--json").out)["request"]["threshold"] == 1e-9
    typed = run("check", "r.json", "--input", "zeros")
    assert (typed.status, "expected --input with weights or a MODEL, got a report" in typed.err) == (2, True)


@pytest.mark.parametrize(
    "options", [("--horizon", "no=5", "--horizon", "2"), ("--horizon", "10", "--steps", "5"),
                ("--horizon", "2", "--curve", "cell")],
)  # fmt: skip
def test_options_that_do_not_fit_the_model_are_usage_errors(run, options):
    outcome = run("check", "rnn", "--hidden", "4", *options)
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
