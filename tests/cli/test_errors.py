"""Bad input gets one sentence, the right exit status, and nothing half-written."""

from __future__ import annotations

import numpy as np
import pytest

USAGE = {
    "unknown command": (["comprae"], "try compare"),
    "unknown cell": (["compare", "lsmt"], "try lstm"),
    "unknown law": (["compare", "lstm@kronos"], "try chrono"),
    "unknown key": (["compare", "lstm:forgetbias=1"], "try forget_bias"),
    "key of another cell": (["compare", "rnn:reset=after"], "expected reset on gru"),
    "key of another law": (["compare", "lstm:gain=2"], "expected gain with the law gaussian"),
    "chrono without a gate": (["compare", "rnn@chrono"], "try lstm@chrono"),
    "forget bias told twice": (["compare", "lstm@chrono:forget_bias=1"], "got both"),
    "value that is no number": (["compare", "lstm:forget_bias=high"], "expected a finite number"),
    "no value": (["compare", "lstm:forget_bias"], "expected key=value"),
    "the same model twice": (["compare", "lstm", "lstm"], "twice"),
    "own cell without a name": (["compare", "@my.py"], "try @my.py:NAME"),
    "own cell of nothing": (["compare", "@"], "try @FILE.py:NAME"),
    "own cell with an empty name": (["compare", "@my.py:"], "try @my.py:NAME"),
    "gated cell without a bound": (["certify", "lstm", "--output", "a.json"], "for the cell lstm, got none"),
    "unknown option": (["compare", "--stepz", "3"], "--steps"),
    "zero steps": (["compare", "--steps", "0"], "--steps"),
    "negative hidden": (["compare", "--hidden", "-3"], "--hidden"),
    "threshold above 1": (["compare", "--threshold", "2"], "between 0 and 1"),
    "threshold that is subnormal": (["compare", "--threshold", "1e-320"], "from 1e-300 on"),
    "more steps than there can be": (["compare", "--steps", "9" * 20], "1<=x<=1000000000"),
    "threshold that is NaN": (["compare", "--threshold", "nan"], "between 0 and 1"),
    "negative noise": (["compare", "--input", "white:-1"], "STD >= 0"),
    "zeros with a value": (["compare", "--input", "zeros:1"], "try --input zeros"),
    "lengths beyond steps": (["compare", "--lengths", "5,9", "--steps", "8"], "try --steps 9"),
    "lengths that are no numbers": (["compare", "--lengths", "a,b"], "whole numbers"),
    "picture of another kind": (["compare", "--plot", "curves.gif"], ".png, .svg or .pdf"),
    "report with a picture's ending": (["compare", "--output", "curves.svg"], "try --plot curves.svg"),
    "LaTeX by analyze": (["analyze", "lstm", "--output", "page.tex"], "got 'page.tex'; try page.json"),
    "an ending of no format": (["compare", "--output", "report.docx"], "got 'report.docx'; try report.json"),
    "Markdown as a page": (
        ["compare", "--format", "markdown", "--output", "a.html"],
        "expected --output a.html as html, got --format markdown",
    ),
    "CSV as JSON": (["compare", "--json", "--output", "a.csv"], "expected --output a.csv as csv, got --format json"),
    "an answer as CSV": (["answer", "--output", "a.csv"], "ending .md, .tex, .html, .htm, .pdf, .json or .txt"),
    "an answer as a picture": (["answer", "--output", "a.png"], "got 'a.png'; try a.md"),
    "a certificate as a page": (["certify", "lstm", "--output", "a.html"], "ending .json, got 'a.html'; try a.json"),
}


@pytest.mark.parametrize(("arguments", "hint"), USAGE.values(), ids=USAGE.keys())
def test_wrong_usage_is_2(run, arguments, hint):
    assert_one_sentence(run(*arguments), 2, hint)


def files(tmp_path):
    np.save(tmp_path / "short.npy", np.zeros((5, 4)))
    np.save(tmp_path / "nan.npy", np.full((5, 4), np.nan))
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "flat.npy", np.zeros(5))
    (tmp_path / "truncated.npy").write_bytes((tmp_path / "short.npy").read_bytes()[:100])
    (tmp_path / "words.csv").write_text("1,2\na,b\n")
    (tmp_path / "ragged.csv").write_text("1,2\n1\n")
    (tmp_path / "empty.txt").write_text("")


DATA = {
    "missing file": (["--input", "absent.npy"], "absent.npy"),
    "other ending": (["--input", "absent.wav"], ".npy, .csv or .txt"),
    "too short": (["--input", "short.npy", "--steps", "9"], "try --steps 5"),
    "too short for the burn-in": (["--input", "short.npy", "--burn-in", "5"], "got 5"),
    "width": (["--input", "short.npy", "--input-size", "3"], "try --input-size 4"),
    "not finite": (["--input", "nan.npy"], "index (0, 0, 0)"),
    "objects": (["--input", "objects.npy"], "objects.npy"),
    "one axis of floats": (["--input", "flat.npy"], "expected inputs (T, d)"),
    "truncated": (["--input", "truncated.npy"], "truncated.npy"),
    "words in csv": (["--input", "words.csv"], "line 2"),
    "ragged csv": (["--input", "ragged.csv"], "line 2"),
    "empty text": (["--input", "empty.txt"], "at least one step"),
    "initial of another size": (["--initial", "flat.npy", "--hidden", "3"], "initial states (3,)"),
    "no folder": (["--output", "absent/report.json"], "expected an existing folder"),
    "a folder as a file": (["--save", "short.npy"], "expected to make the folder"),
    "inputs that overflow": (["--input", "white:1e308"], "got an overflow from 'white:1e308'"),
    "a state that overflows": (["--input", "white:1e306", "--steps", "999"], "got an overflow at step"),
}


@pytest.mark.parametrize(("arguments", "hint"), DATA.values(), ids=DATA.keys())
def test_wrong_data_is_1(run, tmp_path, monkeypatch, arguments, hint):
    files(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    model = "rnn@gaussian:activation=linear,gain=2"
    assert_one_sentence(run("compare", model, "--trials", "2", *arguments), 1, hint)
    assert sorted(tmp_path.iterdir()) == before


def assert_one_sentence(outcome, status, hint):
    assert outcome.status == status
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("vanishgrad")
    assert hint in outcome.err
    assert "Traceback" not in outcome.err
    assert "invalid" not in outcome.err.lower()
