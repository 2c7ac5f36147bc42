"""Options are declared once: a command takes the ones that its request holds, and refuses all others in a sentence."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.models.nets import TOKENS, two_modules
from vanishgrad.cli import COMMANDS, _status, cli
from vanishgrad.cli.options import OPTIONS
from vanishgrad.formal_answer import AnswerRequest
from vanishgrad.formal_answer.subjects import runs
from vanishgrad.models.options import ModelOptions

COMMANDS_OF_MODELS = ("compare", "analyze", "explain", "check", "diff", "answer", "certify", "verify")
FLAGS = {name: f"--{name.replace('_', '-')}" for name in OPTIONS}
VALUES = {
    "hidden": "4", "input_size": "3", "layer": "b.0", "embedding": "emb.weight", "stack": "a,b", "steps": "9",
    "trials": "2", "seed": "1", "input": "IDS", "initial": "normal:0.1", "burn_in": "1", "lengths": "5,7",
    "padding": "left", "mask": "MASK.npy",
    "threshold": "0.01", "dtype": "float32", "engine": "dense", "backend": "numpy", "device": "cpu",
    "layout": "pytorch", "cell": "gru", "activation": "tanh", "gate_activation": "sigmoid", "reset": "after",
    "keep": "new", "gates": "zrn", "interleaved": None, "forget_offset": "0", "recurrent": "b.weight_hh_l0",
    "input_weight": "b.weight_ih_l0", "orthogonal_map": "cayley", "ignore": "b.other",
}  # fmt: skip
NOT_TAKEN = {
    "answer": {"trials", "dtype", "padding", "mask", "threshold", "engine", "backend", "device"},
    "verify": {"trials", "dtype", "lengths", "padding", "threshold", "engine", "backend", "device"},
    "certify": {
        "trials",
        "dtype",
        "burn_in",
        "lengths",
        "padding",
        "mask",
        "threshold",
        "engine",
        "backend",
        "device",
    },
}
"""What has no meaning there: an answer is of one sequence, a certificate of exact weights from s_0 = 0."""


def call(command: str, source: str, folder: Path) -> list[str]:
    further = {
        "check": ["--horizon", "2"], "diff": [source], "certify": ["--output", str(folder / "c.json"), "--input-bound", "1"],
        "explain": ["--only", "paths"],
    }  # fmt: skip
    return [command, source, *further.get(command, [])]


def given(option: str, value: str | None) -> list[str]:
    return [FLAGS[option]] if value is None else [FLAGS[option], value]


def taken(command: str) -> set[str]:
    return {parameter.name for parameter in cli.get_command(None, command).params}


def test_every_option_of_a_model_is_an_option_of_the_command_line() -> None:
    assert {each.name for each in fields(ModelOptions)} <= set(OPTIONS)
    assert set(VALUES) == set(OPTIONS)


@pytest.mark.parametrize("command", COMMANDS_OF_MODELS)
def test_a_command_takes_every_option_that_means_something_to_it(command: str) -> None:
    assert set(OPTIONS) - taken(command) == NOT_TAKEN.get(command, set())


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("command", COMMANDS_OF_MODELS)
def test_an_option_of_a_model_is_used_or_refused(run, tmp_path: Path, command: str, option: str) -> None:
    """Of a MODEL: what only a file has is wrong usage, and so is what the command has not."""
    value = VALUES[option]
    if option == "input":
        value = str(tmp_path / "xs.npy")
        np.save(value, np.zeros((2, 9, 4)))
    if option == "mask":
        value = str(tmp_path / "mask.npy")
        np.save(value, np.arange(18).reshape(2, 9) % 2)
    beside = ["--lengths", "5,7"] if option == "padding" and "lengths" in taken(command) else []
    outcome = run(*call(command, "rnn@gaussian:gain=0.4,hidden=4", tmp_path), *given(option, value), *beside)
    of_files = {"layer", "stack", "embedding"} | {name for name in VALUES if name in _hints()}
    refused = option in of_files or option in NOT_TAKEN.get(command, set())
    if command == "certify" and option in ("input", "initial"):
        refused = True  # beside --input-bound
    assert (outcome.status == 2) == refused, outcome.err
    assert outcome.err.count("\n") <= 1 and "Traceback" not in outcome.err
    if refused:
        assert outcome.err.startswith(f"vanishgrad {command}: expected ")


def _hints() -> set[str]:
    from vanishgrad.models.options import HINT_NAMES

    return set(HINT_NAMES)


@pytest.mark.parametrize("command", COMMANDS_OF_MODELS)
def test_tokens_go_through_the_embedding_of_a_file_in_every_command(run, tmp_path: Path, command: str) -> None:
    file, ids = two_modules(tmp_path), str(tmp_path / "ids.npy")
    np.save(ids, np.random.default_rng(0).integers(0, TOKENS, (2, 12)))
    further = ["--embedding", "emb.weight", "--stack", "a,b", "--layer", "b", "--input", ids, "--reset", "after"]
    if command == "certify":
        outcome = run("certify", file, "--output", str(tmp_path / "c.json"), *further)
        assert "written" in outcome.out
        assert np.load(tmp_path / "c.inputs.npy").shape == (12, 5)
    else:
        outcome = run(*call(command, file, tmp_path), *further)
    assert outcome.status in (0, 3), outcome.err


@pytest.mark.parametrize("command", [name for name in COMMANDS_OF_MODELS if name != "certify"])
def test_an_embedding_needs_ids(run, tmp_path: Path, command: str) -> None:
    outcome = run(*call(command, two_modules(tmp_path), tmp_path), "--layer", "a.0", "--embedding", "emb.weight")
    assert outcome.status == 2
    assert "expected" in outcome.err and outcome.err.count("\n") == 1


@pytest.mark.parametrize("command", ["check", "diff"])
@pytest.mark.parametrize("option", [name for name in OPTIONS if name not in ("threshold", "embedding")])
def test_an_option_of_a_run_is_wrong_where_there_is_only_a_report(run, tmp_path, command: str, option: str) -> None:
    report = tmp_path / "report.json"
    run("compare", "rnn", "--hidden", "4", "--steps", "5", "--output", str(report))
    value = {"seed": "1", "backend": "torch", "device": "cpu"}.get(option, VALUES[option])
    outcome = run(*call(command, str(report), tmp_path), *given(option, value))
    assert outcome.status == 2
    assert f"expected {FLAGS[option]}" in outcome.err


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_one_sentence(run, command: str) -> None:
    outcome = run(command, "--no-such-option")
    assert outcome.status == 2
    assert outcome.err.startswith(
        f"vanishgrad {command}: expected an option of this command, got --no-such-option; try"
    )


def test_an_option_of_one_side_of_a_difference_is_for_that_side_alone(run, tmp_path: Path) -> None:
    file = two_modules(tmp_path)
    outcome = run("diff", file, "lstm", "--layer", "a.0", "--hidden", "4", "--steps", "5", "--json")
    assert [model["hidden_size"] for model in json.loads(outcome.out)["models"]][1] == 4
    assert run("diff", file, file, "--hidden", "4").status == 2
    assert run("diff", "lstm", "gru", "--layer", "a.0").status == 2


@pytest.mark.parametrize("source", ["lstm@chrono", "file"])
def test_the_same_numbers_through_every_command(run, tmp_path: Path, source: str) -> None:
    """The state's norm at the last lag, by each command that has it, for one sequence of the same model."""
    of_file = source == "file"
    source = two_modules(tmp_path) if of_file else source
    options = ["--steps", "8", *(["--layer", "b.0", "--stack", "a,b"] if of_file else ["--hidden", "4"])]

    def norms(*arguments: str) -> list[float]:
        document = json.loads(run(*arguments, *options, "--trials", "1", "--json").out)
        (model, *_) = document["models"]
        return model["curves"]["state"]["log10_norm"]["median"]

    analyzed = norms("analyze", source)
    assert norms("compare", source) == analyzed
    assert norms("explain", source, "--only", "paths") == analyzed
    assert norms("diff", source, source) == analyzed
    (layer,) = json.loads(
        run("check", source, "--horizon", "8", "--trials", "1", "--threshold", "1e-30", "--json", *options).out
    )["layers"]
    assert layer["censored"] and layer["horizon"] == 8
    request = {"layer": "b.0", "stack": "a,b"} if of_file else {"hidden": 4}
    (answered,) = runs(AnswerRequest(models=(source,), steps=8, **request))
    assert answered.products.log_state / np.log(10) == pytest.approx(analyzed[-1], rel=1e-11)


@pytest.mark.parametrize("options", [["--json", "--format", "csv"], ["--format", "csv", "--json"]])
def test_json_beside_another_format_is_refused_in_either_order(options, capsys):
    small = ["compare", "rnn", "--hidden", "2", "--steps", "5", "--trials", "1"]
    assert _status([*small, *options]) == 2
    assert "expected --json or --format csv, got both" in capsys.readouterr().err
    for same in (["--json", "--format", "json"], ["--format", "json"], ["--json"]):
        assert _status([*small, *same]) == 0
        assert json.loads(capsys.readouterr().out)["format"] == "vanishgrad-compare"


@pytest.mark.parametrize("option", ["--output", "--coq"])
def test_a_check_of_a_certificate_writes_none(option, tmp_path, capsys):
    target = tmp_path / "new.json"
    assert _status(["certify", "--check", str(tmp_path / "old.json"), option, str(target)]) == 2
    assert f"expected {option} with a proof, got --check" in capsys.readouterr().err
    assert not target.exists()
