"""`vanishgrad explain` as its user meets it."""

from __future__ import annotations

import csv
import json
import re

import jsonschema
import numpy as np
import pytest

import vanishgrad
from vanishgrad.questions.documents import document_of
from vanishgrad.questions.explain.sections import SECTIONS

SMALL = ("--hidden", "4", "--steps", "12", "--trials", "2")
MODELS = ["rnn", "lstm@keras", "gru:reset=before"]


def document(run, *arguments: str) -> dict:
    outcome = run("explain", *arguments, "--json")
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out, parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(document_of("explain").schema()).validate(found)
    return found


@pytest.mark.parametrize("model", MODELS)
def test_the_report_is_valid_and_has_every_section(run, model):
    (found,) = document(run, model, *SMALL)["models"]
    assert set(SECTIONS) <= set(found)


def test_only_leaves_the_other_sections_out(run):
    (found,) = document(run, "lstm", *SMALL, "--only", "paths")["models"]
    assert set(SECTIONS) & set(found) == {"paths"}


def test_a_section_that_does_not_apply_is_null_and_the_notes_say_why(run):
    (found,) = document(run, "rnn", *SMALL, "--only", "paths")["models"]
    assert found["paths"] is None
    assert any(note.startswith("no paths: ") for note in found["notes"])


@pytest.mark.parametrize("model", MODELS)
def test_the_table_fits_80_columns(run, model):
    outcome = run("explain", model, *SMALL)
    assert outcome.status == 0
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert f"\n{model}: " in outcome.out


def test_it_opens_with_verdict_cause_remedy_effect_and_the_next_command(run, tmp_path, monkeypatch):
    """The next command is the same one with the options that it names: its file has the weights of that effect."""
    monkeypatch.chdir(tmp_path)
    options = ("--hidden", "8", "--steps", "40", "--only", "findings")
    lines = run("explain", "lstm", *options).out.splitlines()[2:]
    text = " ".join(line.strip() for line in lines[: lines.index("") if "" in lines else None])
    assert text.startswith("lstm: vanishing, horizon ")
    assert re.search(r"best remedy: \S+ \+ \S+ its effect: horizon \d+ → > 40 \(computed\)", text)
    assert "next: the same command with --trials 1 --only findings --apply remedied.npz" in text
    assert run("explain", "lstm", *options, "--trials", "1", "--apply", "remedied.npz").status == 0
    assert "preserved" in run("analyze", "remedied.npz", "--steps", "40").out


def test_csv_has_every_number_of_the_curves_and_sections(run):
    rows = list(csv.DictReader(run("explain", "gru", *SMALL, "--only", "paths", "--format", "csv").out.splitlines()))
    assert {row["section"] for row in rows} == {"curves", "paths"}
    shares = [float(row["value"]) for row in rows if row["series"] == "detours.0.share_mean"]
    assert (len(shares), shares[0]) == (13, 1.0)


def test_markdown_has_a_heading_for_each_section(run):
    text = run("explain", "lstm", *SMALL, "--only", "paths", "--format", "markdown").out
    assert text.startswith("## `lstm`")
    assert "### Paths" in text


def test_the_layers_of_a_file(run, tmp_path):
    run("compare", "lstm", *SMALL, "--save", str(tmp_path))
    found = document(run, str(tmp_path / "lstm.0.npz"), "--steps", "12", "--trials", "2", "--only", "paths")
    (model,) = found["models"]
    assert model["source"]["kind"] == "file"
    assert model["paths"]["curve"] == "cell"


def test_a_mapping_in_python(run, tmp_path):
    weights = vanishgrad.random_cell("gru", hidden=3)
    n = slice(None)
    state = {"weight_hh_l0": weights.W_hh[0], "weight_ih_l0": weights.W_hx[0], "bias_ih_l0": weights.b[0][n]}
    state["bias_hh_l0"] = 0 * state["bias_ih_l0"]
    report = vanishgrad.explain(state, steps=8, trials=1, only=("paths",))
    assert report.document["models"][0]["paths"]["curve"] == "hidden"
    assert report.to_csv().startswith("label,section")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["explain"], "missing argument"),
        (["explain", "lsmt"], "try lstm"),
        (["explain", "lstm", "--only", "pahts"], "'pahts'"),
        (["explain", "lstm", "--plot", "paths.gif"], ".png, .svg or .pdf"),
        (["explain", "lstm", "--layer", "l0"], "expected --layer with a file of weights"),
        (["explain", "lstm", "--gate-activation", "relu"], "expected --gate-activation with a file of weights"),
        (["explain", "./lstm.pt", "--input-size", "3"], "expected --input-size with a MODEL"),
        (["explain", "./lstm.pt", "--embedding", "emb"], "expected token ids for --embedding"),
    ],
)
def test_wrong_usage_is_2(run, arguments, hint):
    outcome = run(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert hint in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_missing_file_is_1(run):
    outcome = run("explain", "./absent.pt")
    assert (outcome.status, outcome.out) == (1, "")
    assert "absent.pt" in outcome.err


def test_text_is_driven_byte_by_byte_and_named_along_the_map(run):
    found = document(run, "gru", "--hidden", "4", "--trials", "1", "--text", "né!", "--only", "map")
    assert found["request"]["input"] == "text:né!"
    assert found["models"][0]["input_size"] == 256
    assert found["models"][0]["map"]["tokens"] == ["n", "é", "", "!"]


def test_tokens_from_a_file_name_the_steps(run, tmp_path):
    (tmp_path / "names").write_text("\n".join("abcdefghijkl"), encoding="utf-8")
    arguments = ("lstm", *SMALL, "--only", "map", "--tokens", str(tmp_path / "names"))
    assert document(run, *arguments)["models"][0]["map"]["tokens"] == list("abcdefghijkl")
    outcome = run("explain", *arguments, "--steps", "13")
    assert (outcome.status, outcome.err) == (
        1, f"vanishgrad explain: expected a token for each of 13 steps in '{tmp_path / 'names'}', got 12; try --steps\n"
    )  # fmt: skip


def test_text_and_input_together_are_wrong_usage(run):
    outcome = run("explain", "lstm", "--text", "abc", "--input", "zeros")
    assert (outcome.status, outcome.out) == (2, "")
    assert "expected --text or --input, got both" in outcome.err


def test_an_empty_text_has_no_step(run):
    outcome = run("explain", "lstm", "--text", "")
    assert outcome.status == 1
    assert "at least one step" in outcome.err


def test_every_picture_of_an_explanation(run, tmp_path):
    assert run("explain", "lstm", *SMALL, "--plots", str(tmp_path / "all"), "--quiet").status == 0
    drawn = {path.stem for path in (tmp_path / "all").iterdir()}
    assert {"curves", "paths", "detours", "map"} <= drawn


def test_a_report_of_an_explanation_is_read_by_the_other_commands(run, tmp_path):
    target = str(tmp_path / "explained.json")
    run("explain", "lstm", *SMALL, "--json", "--output", target)
    assert run("plot", target, "--kind", "map", "--output", str(tmp_path / "map.png")).status == 0
    assert run("check", target, "--horizon", "1").status == 0
    assert run("diff", target, target).status == 0


def test_float32_and_lengths(run):
    found = document(run, "gru", "--hidden", "4", "--dtype", "float32", "--lengths", "5,9")["models"][0]
    assert len(found["paths"]["detours"]["0"]["share"]["mean"]) == 10
    assert found["map"]["times"][-1] == 5


def test_a_layer_that_cannot_be_read_is_named(run, tmp_path):
    layer = {"weight_hh_l0": np.eye(3), "weight_ih_l0": np.eye(3)}
    broken = {f"other.{name}": value.astype(np.int8) for name, value in layer.items()}
    np.savez(tmp_path / "two.npz", **{f"rnn.{name}": value for name, value in layer.items()}, **broken)
    outcome = run("explain", str(tmp_path / "two.npz"), "--steps", "5", "--only", "map", "--json")
    assert outcome.status == 0
    assert "int8" in json.loads(outcome.out)["refused"][0]
    assert outcome.err.startswith("warning: ")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--lags", "x"), "expected whole numbers from 1 on between commas for --lags, got 'x'; try --lags 1,10"),
        (("--lags", "0"), "expected whole numbers from 1 on between commas for --lags, got '0'; try --lags 1,10"),
        (("--lags", "13"), "expected --lags up to 12, got 13; try --steps 13"),
    ],
)
def test_lags_that_cannot_be_are_wrong_usage(run, option, message):
    outcome = run("explain", "rnn", *SMALL, *option, "--only", "directions")
    assert (outcome.status, outcome.err.strip()) == (2, f"vanishgrad explain: {message}")


def test_the_options_of_directions_and_lyapunov_reach_them(run):
    options = ("--lags", "5,3", "--exponents", "2", "--lyapunov-steps", "30")
    (found,) = document(run, "gru", *SMALL, *options, "--only", "directions", "--only", "lyapunov")["models"]
    assert [each["lag"] for each in found["directions"]["blocks"]["state"]] == [3, 5, 12]
    assert len(found["lyapunov"]["exponents"]["mean"]) == 2
    assert found["lyapunov"]["steps"] == 30


def test_plot_of_one_section_draws_that_section(run, tmp_path):
    small = ("--hidden", "3", "--steps", "6", "--trials", "1")
    picture, report, again = (str(tmp_path / name) for name in ("map.svg", "report.json", "again.svg"))
    assert run("explain", "gru", *small, "--only", "map", "--plot", picture, "--output", report).status == 0
    assert run("plot", report, "--kind", "map", "--output", again).status == 0
    assert (tmp_path / "map.svg").read_bytes() == (tmp_path / "again.svg").read_bytes()
