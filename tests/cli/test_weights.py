"""Files of weights beside MODELs, and the commands that take them."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest

from vanishgrad.questions.documents import document_of
from vanishgrad.reports.terminal import Terminal


@pytest.fixture
def checkpoint(tmp_path):
    """Two stacked LSTM layers under PyTorch's names, the second with wide-open forget gates."""
    rng, tensors = np.random.default_rng(0), {}
    for layer in (0, 1):
        for name, shape in {"weight_ih": (32, 8), "weight_hh": (32, 8), "bias_ih": (32,), "bias_hh": (32,)}.items():
            tensors[f"encoder.{name}_l{layer}"] = rng.uniform(-0.35, 0.35, shape).astype(np.float32)
    tensors["encoder.bias_ih_l1"][8:16] = 6
    np.savez(tmp_path / "model.npz", **tensors)
    return str(tmp_path / "model.npz")


def document(outcome):
    """Read a report, which must be strict JSON and valid by its own schema."""
    assert outcome.status in (0, 3), outcome.err
    found = json.loads(outcome.out, parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(document_of(found["format"].removeprefix("vanishgrad-")).schema()).validate(found)
    return found


def test_analyze_measures_every_layer_on_what_the_one_below_puts_out(run, checkpoint):
    found = document(run("analyze", checkpoint, "--steps", "30", "--json"))
    assert [model["label"] for model in found["models"]] == ["encoder.0", "encoder.1"]
    gains = [model["input_gain"] for model in found["models"]]
    assert gains[1] < gains[0] / 2
    assert [model["source"]["layer_index"] for model in found["models"]] == [0, 1]
    assert found["models"][0]["time_constants"] is not None


def test_analyze_in_a_table_says_first_what_drove_it(run, checkpoint):
    out = run("analyze", checkpoint, "--steps", "20").out
    assert out.startswith("Driven by white noise, which this layer may never see")
    assert "forget" in out
    assert max(map(len, out.splitlines())) <= 80


def test_layer_names_and_paths(run, checkpoint):
    one = document(run("analyze", checkpoint, "--layer", "encoder.1", "--steps", "9", "--json"))
    both = document(run("analyze", checkpoint, "--layer", "encoder", "--steps", "9", "--json"))
    assert (len(one["models"]), len(both["models"])) == (1, 2)
    assert one["models"][0] == both["models"][1]


def test_several_files_side_by_side(run, checkpoint):
    found = document(run("analyze", checkpoint, checkpoint, "--layer", "encoder.0", "--steps", "9", "--json"))
    assert len({model["label"] for model in found["models"]}) == 1
    assert all(checkpoint in model["label"] for model in found["models"])


def test_compare_puts_files_beside_models(run, checkpoint):
    found = document(run("compare", "lstm", checkpoint, "--hidden", "8", "--steps", "20", "--json"))
    assert [model["label"] for model in found["models"]] == ["lstm", "model.npz:encoder.0", "model.npz:encoder.1"]


def test_a_saved_model_comes_back_with_its_own_numbers(run, tmp_path):
    before = document(run("compare", "gru:reset=before", "--hidden", "6", "--steps", "15", "--trials", "2",
                          "--save", str(tmp_path), "--json"))  # fmt: skip
    np.save(tmp_path / "first.npy", np.load(tmp_path / "inputs.npy")[0])
    after = document(
        run("analyze", str(tmp_path / "gru_reset_before.0.npz"), "--input", str(tmp_path / "first.npy"), "--json")
    )
    assert after["models"][0]["per_trial"][0]["log10_norm"] == pytest.approx(
        before["models"][0]["per_trial"][0]["log10_norm"], abs=1e-9
    )


def test_inspect(run, checkpoint):
    layers = document(run("inspect", checkpoint, "--json"))["layers"]
    assert [layer["name"] for layer in layers] == ["encoder.0", "encoder.1"]
    assert layers[1]["keep_bias"]["time_constants"]["0.5"] == pytest.approx(-1 / np.log(1 / (1 + np.exp(-6))), rel=0.2)
    assert "encoder.0: LSTM, n = 8" in run("inspect", checkpoint).out


def test_check_fails_the_layer_that_forgets(run, checkpoint):
    outcome = run("check", checkpoint, "--horizon", "40", "--json")
    assert outcome.status == 3
    found = document(outcome)
    assert [row["passed"] for row in found["layers"]] == [False, True]
    assert run("check", checkpoint, "--horizon", "40", "--layer", "encoder.1").status == 0
    assert run("check", checkpoint, "--horizon", "40", "--layer", "encoder.1", "--max-rate", "1e-6").status == 3


def test_check_reads_a_report_again(run, checkpoint, tmp_path):
    report = str(tmp_path / "report.json")
    run("analyze", checkpoint, "--steps", "30", "--output", report)
    assert run("check", report, "--horizon", "3").status == 0
    assert run("check", report, "--horizon", "30").status == 3
    assert run("check", report, "--horizon", "30", "--threshold", "1e-12").status == 0
    short = run("check", report, "--horizon", "31")
    assert short.status == 2
    assert "31" in short.err
    assert "got 30" in short.err


def test_check_of_a_report_of_some_lags_judges_only_what_they_tell(run, checkpoint, tmp_path):
    some, every = str(tmp_path / "some.json"), str(tmp_path / "every.json")
    for report, engine in ((some, "matrix-free"), (every, "dense")):
        assert run("analyze", checkpoint, "--steps", "30", "--engine", engine, "--output", report).status == 0
    found, expected = (json.loads(run("check", report, "--horizon", "12", "--json").out) for report in (some, every))
    assert found["layers"] == [{**layer, "rate": pytest.approx(layer["rate"], rel=0.2)} for layer in expected["layers"]]
    between = run("check", some, "--horizon", "12", "--threshold", "0.2")
    assert between.status == 1
    assert "to be measured, got lags 0, 1, 2, 4, …" in between.err


def test_diff_sorts_what_changed(run, checkpoint, tmp_path):
    with np.load(checkpoint) as archive:
        tensors = dict(archive)
    tensors["encoder.bias_ih_l0"][8:16] = 6
    np.savez(tmp_path / "later.npz", **tensors)
    found = document(run("diff", checkpoint, str(tmp_path / "later.npz"), "--steps", "20", "--json"))
    weights = [change["weight"] for change in found["changes"]]
    assert weights == sorted(weights, reverse=True)
    assert found["changes"][0]["label"] == "encoder.0"
    picture = str(tmp_path / "both.svg")
    assert run("diff", checkpoint, str(tmp_path / "later.npz"), "--steps", "20", "--plot", picture).status == 0


@pytest.mark.parametrize("width", [60, 100])
def test_inspect_and_diff_fit_the_terminal(run, checkpoint, tmp_path, monkeypatch, width):
    monkeypatch.chdir(tmp_path)
    for command, arguments in (("inspect", []), ("diff", ["lstm", "--hidden", "8", "--input-size", "8"])):
        monkeypatch.setattr(f"vanishgrad.cli.{command}.terminal", lambda: Terminal(width))
        outcome = run(command, "model.npz", "--layer", "encoder.0", *arguments)
        assert outcome.status == 0, outcome.err
        assert width - 20 < max(map(len, outcome.out.splitlines())) <= width


def test_diff_of_the_same_is_empty(run, checkpoint):
    assert document(run("diff", checkpoint, checkpoint, "--steps", "9", "--json"))["changes"] == []
    assert "no difference" in run("diff", checkpoint, checkpoint, "--steps", "9").out


def test_embedding(run, checkpoint, tmp_path):
    with np.load(checkpoint) as archive:
        tensors = dict(archive)
    tensors["embedding"] = np.random.default_rng(1).standard_normal((30, 8)).astype(np.float32)
    np.savez(tmp_path / "words.npz", **tensors)
    np.save(tmp_path / "tokens.npy", np.array([3, 1, 4, 1, 5, 9, 2, 6]))
    arguments = ["--input", str(tmp_path / "tokens.npy"), "--embedding", "embedding", "--json"]
    found = document(run("analyze", str(tmp_path / "words.npz"), *arguments))
    assert (found["models"][0]["steps"], found["models"][0]["trials"]) == (8, 1)
    assert run("analyze", checkpoint, "--embedding", "embedding").status == 2
    np.save(tmp_path / "tokens.npy", np.array([30]))
    assert "below 30" in run("analyze", str(tmp_path / "words.npz"), *arguments).err


def test_stack_tells_an_unknown_order(run, tmp_path):
    rng = np.random.default_rng(0)
    shapes = {"a_w_ih": (12, 5), "a_w_hh": (12, 4), "b_w_ih": (12, 4), "b_w_hh": (12, 4)}
    np.savez(tmp_path / "two.npz", **{name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()})
    path = str(tmp_path / "two.npz")
    apart = document(run("analyze", path, "--steps", "9", "--json"))
    stacked = document(run("analyze", path, "--stack", "a,b", "--steps", "9", "--json"))
    assert any("not known to be stacked" in note for note in apart["models"][1]["notes"])
    assert not any("not known" in note for note in stacked["models"][1]["notes"])
    wrong = run("analyze", path, "--stack", "b,a", "--steps", "9")
    assert wrong.status == 1
    assert "another order" in wrong.err


def test_verify_takes_files(run, checkpoint):
    outcome = run("verify", checkpoint)
    assert outcome.status == 0
    assert outcome.out.startswith("encoder.0")


def test_two_modules_of_the_same_numbers_are_one_row_of_every_command(run, checkpoint, tmp_path):
    with np.load(checkpoint) as held:
        tensors = dict(held)
    twice = str(tmp_path / "twice.npz")
    np.savez(twice, **tensors, **{name.replace("encoder", "copy"): values for name, values in tensors.items()})
    for command in (["inspect"], ["analyze", "--steps", "5"], ["explain", "--only", "paths", "--steps", "5"]):
        out = run(command[0], twice, *command[1:]).out
        assert "encoder.0 (= copy.0)" in out and "encoder.1 (= copy.1)" in out
