"""`vanishgrad answer` as its user meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vanishgrad.languages import VARIABLES, locale_language

SMALL = ("--hidden", "3", "--steps", "12")


def test_summary_by_default(run):
    outcome = run("answer", "rnn", "lstm", *SMALL, "--lang", "en")
    assert outcome.status == 0
    assert "Mitigated, not unconditionally solved" in outcome.out
    assert "\x1b" not in outcome.out


def test_default_models(run):
    document = json.loads(run("answer", *SMALL, "--json").out)
    assert [model["label"] for model in document["models"]] == [
        "rnn", "rnn@gaussian:gain=0.4", "lstm", "lstm:forget_bias=5", "lstm@chrono", "gru",
        "gru:forget_bias=5", "gru@chrono",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ending", "begins"),
    [
        ("md", "# RNN"),
        ("tex", "% Compile with xelatex"),
        ("html", "<!DOCTYPE html>"),
        ("json", '{"format"'),
        ("txt", "RNN"),
    ],
)
def test_ending_of_output_decides(run, tmp_path, ending, begins):
    target = tmp_path / f"answer.{ending}"
    assert run("answer", "rnn", *SMALL, "--lang", "zh", "--output", str(target)).status == 0
    assert target.read_text(encoding="utf-8").startswith(begins)


def test_a_file_of_weights(run, tmp_path):
    draw, path = np.random.default_rng(0), tmp_path / "trained.npz"
    np.savez(path, **{
        "rnn.weight_ih_l0": draw.standard_normal((12, 2)), "rnn.weight_hh_l0": draw.standard_normal((12, 3)) * 0.2,
        "rnn.bias_ih_l0": np.zeros(12), "rnn.bias_hh_l0": np.zeros(12),
    })  # fmt: skip
    document = json.loads(run("answer", str(path), "--steps", "20", "--cell", "lstm", "--json").out)
    assert [(model["kind"], model["n"], model["d"], model["T"]) for model in document["models"]] == [("lstm", 3, 2, 20)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lstn",), "try lstm"),
        (("rnn", "rnn"), "expected each model once"),
        (("rnn", "--steps", "2"), "expected --steps from 4 on"),
        (("rnn", "--font", "Arial"), "expected --font with --format pdf"),
    ],
)
def test_wrong_usage(run, arguments, sentence):
    outcome = run("answer", *arguments)
    assert outcome.status == 2
    assert sentence in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN", "LC_ALL": "C"}, "en"),
        ({}, "en"),
        ({"LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANGUAGE": "fr:zh_CN:en", "LC_ALL": "en_US.UTF-8"}, "zh"),
        ({"LANGUAGE": "en", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_language_by_the_locale(monkeypatch, environment, language):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert locale_language() == language
