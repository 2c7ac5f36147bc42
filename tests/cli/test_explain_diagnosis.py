"""Truncation, attention, findings and --apply as the user of `vanishgrad explain` meets them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import vanishgrad
from vanishgrad.questions.explain.findings.remedies import REMEDIES

SMALL = ("--hidden", "6", "--steps", "40")
ONE = (*SMALL, "--trials", "1")


def model(run, *arguments: str) -> dict:
    outcome = run("explain", *arguments, "--json", "--quiet")
    assert (outcome.status, outcome.err) == (0, "")
    (found,) = json.loads(outcome.out)["models"]
    return found


def text(run, *arguments: str) -> str:
    outcome = run("explain", *arguments)
    assert outcome.status == 0
    return " ".join(outcome.out.split())


@pytest.mark.parametrize("name", ["lstm@keras", "rnn", "gru"])
def test_applied_weights_have_in_a_fresh_analysis_what_was_promised(run, tmp_path, name):
    path = str(tmp_path / "remedied.npz")
    found = model(run, name, *ONE, "--only", "findings", "--apply", path)
    best = found["findings"][0]["remedies"][0]["after"]
    (fresh,) = json.loads(run("analyze", path, "--steps", "40", "--trials", "1", "--json").out)["models"]
    state, of_input = (fresh["curves"][curve] for curve in ("state", "input"))
    assert (state["horizon"], state["horizon_censored"]) == (best["horizon"], best["horizon_censored"])
    assert state["verdict"] == best["verdict"]
    assert state["rate"]["factor"] == pytest.approx(best["factor"], rel=1e-9)
    assert state["log10_norm"]["median"][-1] == pytest.approx(best["log10_norm"], abs=1e-9)
    assert of_input["log10_norm"]["median"][-1] == pytest.approx(best["log10_input"], abs=1e-9)


def test_a_layer_of_a_file_is_remedied_and_another_remedy_can_be_chosen(run, tmp_path):
    run("compare", "lstm", *ONE, "--save", str(tmp_path))
    source, path = str(tmp_path / "lstm.0.npz"), str(tmp_path / "chrono.npz")
    outcome = run("explain", source, "--steps", "40", "--only", "findings", "--apply", path, "--remedy", "chrono")
    assert outcome.status == 0
    assert outcome.err.startswith(f"wrote {path}: b_f = −b_i = ln U[1, 39]: horizon ")
    with np.load(source) as before, np.load(path) as after:
        np.testing.assert_array_equal(before["weight_hh_l0"], after["weight_hh_l0"])
        assert (before["bias_ih_l0"] + before["bias_hh_l0"] != after["bias_ih_l0"])[:12].all()


def test_the_terminal_says_what_would_help_and_by_how_much(run):
    said = text(run, "lstm@keras", *ONE, "--only", "findings")
    assert "forget gates are centred at 0.7" in said
    assert "their bias at 1.00" in said
    assert "best: b_f + " in said
    assert "(computed)" in said


def test_without_a_finding_it_says_so(run):
    assert "no finding: the gradient stays within the thresholds" in text(run, "gru@chrono", *ONE, "--only", "findings")
    assert model(run, "gru@chrono", *ONE, "--only", "findings")["findings"] == []


def test_the_terminal_advises_a_length_and_answers_for_another(run):
    said = text(run, "rnn", *SMALL, "--only", "truncation", "--truncation", "3")
    assert "steps keep 99 % of the gradient" in said
    assert "--truncation 3 loses" in said


@pytest.mark.parametrize(("name", "words"), [("rnn@gaussian:gain=0.2", "proved to be enough"), ("rnn", "no bound")])
def test_the_bound_speaks_where_it_holds(run, name, words):
    assert words in text(run, name, "--hidden", "16", "--steps", "40", "--trials", "2", "--only", "truncation")


def test_a_long_memory_cannot_be_truncated(run):
    said = text(run, "rnn@identity:activation=linear", *ONE, "--only", "truncation", "--loss", "last")
    assert "no truncation keeps 99 % of the gradient: it takes all 40 steps" in said


def test_cotangents_of_a_file_are_the_loss(run, tmp_path):
    path = str(tmp_path / "g.npy")
    np.save(path, np.eye(6)[0])
    found = model(run, "rnn", *ONE, "--only", "truncation", "--cotangent", path, "--loss", "last")
    assert found["truncation"]["loss"] == f"cotangents of {path}"


def test_attention_is_shown_beside_the_recurrence(run):
    said = text(run, "rnn", *SMALL, "--trials", "2", "--only", "attention")
    assert "attention does not fall with the lag" in said
    assert "polynomial, neither exponential nor O(1)" in said


def test_csv_has_the_numbers_of_every_section(run):
    out = run("explain", "rnn", *ONE, "--format", "csv").out
    rows = list(csv.DictReader(out.splitlines()))
    assert {"truncation", "attention", "findings"} <= {row["section"] for row in rows}
    series = {row["series"] for row in rows}
    assert {"log10_lost_median", "attention.log10_norm_median", "contractive_weights.gamma_norm"} <= series


def test_remedies_in_python_have_the_changed_cell():
    report = vanishgrad.explain("rnn", steps=30, hidden=6, trials=2, only=("findings",))
    best = report.result.models[0].sections["findings"].best
    assert best.cell.W_hh.shape == (2, 6, 6)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["lstm", "--apply", "out.npz"], "try --trials 1"),
        (["lstm", "--trials", "1", "--apply", "out.pt"], "expected --apply with the ending .npz"),
        (["lstm", "--trials", "1", "--apply", "out.npz", "--only", "paths"], "expected the section findings"),
        (["lstm", "--remedy", "chrono"], "expected --apply FILE"),
        (["lstm", "--apply", "out.npz", "--remedy", "pray"], next(iter(REMEDIES))),
        (["lstm", "--loss", "first"], "'first'"),
        (["lstm", "--truncation", "0"], "0"),
    ],
)
def test_wrong_usage_is_2(run, arguments, hint):
    outcome = run("explain", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert hint in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["gru@chrono", *ONE, "--only", "findings", "--apply", "{}/out.npz"], "got no finding that names one"),
        (["rnn", *ONE, "--only", "findings", "--apply", "{}/out.npz", "--remedy", "chrono"], "try --remedy scaled"),
        (["rnn", *ONE, "--only", "truncation", "--cotangent", "{}/absent.npy"], "cotangents in a readable .npy"),
    ],
)
def test_what_depends_on_data_is_1_and_writes_nothing(run, tmp_path, arguments, hint):
    outcome = run("explain", *(each.format(tmp_path) for each in arguments))
    assert (outcome.status, outcome.out) == (1, "")
    assert hint in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_of_a_stack_the_layers_below_are_written_too_so_that_the_promise_can_be_checked(run, tmp_path, name):
    bottom, top = (vanishgrad.random_cell(name, hidden=6, input_size=size, seed=size) for size in (4, 6))
    tensors = {
        f"{tensor}_l{place}": values
        for place, cell in enumerate((bottom, top))
        for tensor, values in {
            "weight_ih": cell.W_hx[0], "weight_hh": cell.W_hh[0], "bias_ih": cell.b[0], "bias_hh": 0 * cell.b[0],
        }.items()
    }  # fmt: skip
    source, path = str(tmp_path / "two.npz"), str(tmp_path / "remedied.npz")
    np.savez(source, **tensors)
    size = ("--steps", "60", "--trials", "2")
    outcome = run("explain", source, "--layer", f"{name}.1", *size, "--only", "findings", "--apply", path, "--json")
    assert outcome.err.endswith("it is the last of 2\n")
    (explained,) = json.loads(outcome.out)["models"]
    promised = explained["findings"][0]["remedies"][0]["after"]
    (fresh,) = json.loads(run("analyze", path, "--layer", f"{name}.1", *size, "--json").out)["models"]
    state = fresh["curves"]["state"]
    assert (state["horizon"], state["verdict"]) == (promised["horizon"], promised["verdict"])
    assert state["log10_norm"]["median"][-1] == pytest.approx(promised["log10_norm"], abs=1e-9)
