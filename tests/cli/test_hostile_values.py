"""Every option that takes a number, a path or a name, on every command: whatever it is given ends in one sentence.

The table of cases is the commands' own list of options: a new one is among them.
"""

from __future__ import annotations

import os
from pathlib import Path

import click
import numpy as np
import pytest

from vanishgrad.cli import COMMANDS, cli

SMALL = ["--steps", "4", "--trials", "1", "--hidden", "2"]
CALLS = {
    "compare": ["rnn", *SMALL, "--jobs", "1"],
    "analyze": ["w.npz", *SMALL[:4]],
    "sweep": ["rnn", *SMALL, "--measure", "rate", "--jobs", "1", "--quiet"],
    "learn": ["rnn", "--gaps", "2", "--seeds", "1", "--hidden", "2", "--batch", "2", "--updates", "1", "--jobs", "1"],
    "inspect": ["w.npz"],
    "check": ["w.npz", *SMALL[:4], "--horizon", "2"],
    "diff": ["rnn", "gru", *SMALL],
    "track": ["w.npz", *SMALL[:4]],
    "explain": ["rnn", *SMALL, "--only", "paths", "--jobs", "1"],
    "plot": ["report.json", "--output", "p.svg"],
    "answer": ["rnn", *SMALL[:2], "--hidden", "2", "--jobs", "1"],
    "certify": ["rnn@gaussian:gain=0.3", "--hidden", "2", "--input-bound", "1", "--output", "c.json"],
    "capture": ["graph.onnx", "--input", "batch.npy", "--output", "run.npz"],
    "verify": ["rnn", *SMALL[:2], "--hidden", "2"],
    "schema": [],
}
"""What each command is given beside the option."""
NO_NUMBERS = ("nan", "-inf", "", "9e999x")
NUMBERS = ("inf", "-1", "0", "9" * 30, "1000000000", "1e-320", "1e5")
PATHS = ("folder", "missing", "missing/x", "itself", "empty", "text", "", "-", "a\0b", "x" * 5000, "/dev/full")
ALIKE = ("folder", "itself", "", "text")
"""Of the paths, what every run of the tests tries: they are refused before any work is done."""


def options(command: str) -> list[click.Parameter]:
    """Return the options and arguments of a command that take something of the user's own."""
    parameters = cli.get_command(None, command).params
    return [each for each in parameters if not (getattr(each, "is_flag", False) or isinstance(each.type, click.Choice))]


CASES = [
    pytest.param(command, option, id=f"{command} {option.opts[0]}")
    for command in COMMANDS
    for option in options(command)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch, run) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "empty").write_text("")
    (tmp_path / "text").write_text("no report")
    gates = {"weight_hh_l0": (8, 2), "weight_ih_l0": (8, 2), "bias_ih_l0": (8,), "bias_hh_l0": (8,)}
    np.savez(tmp_path / "w.npz", **{name: np.zeros(shape) for name, shape in gates.items()})
    if not (tmp_path / "report.json").exists():
        run("compare", *CALLS["compare"], "--output", "report.json")
    return tmp_path


def call(command: str, option: click.Parameter, value: str) -> list[str]:
    """Return a command with its option set to a value."""
    words = list(CALLS[command])
    if isinstance(option, click.Argument):
        return [command, value, *words[1:]]
    if option.opts[0] in words:
        place = words.index(option.opts[0])
        del words[place : place + 2]
    return [command, *words, option.opts[0], value]


def is_number(option: click.Parameter) -> bool:
    return isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "capture"])
def test_without_the_option_the_command_runs(run, folder, command: str) -> None:
    """All but `capture`, which has no model here: so what is refused below is the option's value."""
    outcome = run(command, *CALLS[command])
    assert outcome.status in (0, 3), outcome.err


@pytest.mark.parametrize(("command", "option"), CASES)
def test_a_value_that_cannot_be_ends_in_one_sentence(run, folder, command: str, option: click.Parameter) -> None:
    # Into a folder, and into "" as the one at hand, all pictures would be drawn.
    paths = ("itself", "text") if option.name == "plot_folder" else ALIKE
    for value in NO_NUMBERS if is_number(option) else paths:
        outcome = run(*call(command, option, value))
        assert_one_sentence(outcome, command, value)
        if is_number(option):
            assert outcome.status in (1, 2), (value, outcome)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "option"), CASES)
def test_any_value_ends_in_a_report_or_one_sentence(run, folder, command: str, option: click.Parameter) -> None:
    for value in NUMBERS if is_number(option) else PATHS:
        if option.name in ("burn_in", "lyapunov_steps", "updates", "seeds", "batch") and value == "1000000000":
            continue  # that long it may take
        if value == "/dev/full" and not os.path.exists(value):
            continue
        assert_one_sentence(run(*call(command, option, value)), command, value)


def assert_one_sentence(outcome, command: str, value: str) -> None:
    assert "Traceback" not in outcome.err, (value, outcome.err)
    if outcome.status not in (0, 3):
        assert outcome.status in (1, 2), (value, outcome.err)
        assert outcome.err.count("\n") == 1, (value, outcome.err)
        assert outcome.err.startswith(f"vanishgrad {command}: expected "), (value, outcome.err)


@pytest.mark.parametrize("words", ["--steps 1000000000", "--hidden 1000000 --steps 4"])
def test_what_no_memory_holds_is_refused_before_it_is_asked_for(run, words: str) -> None:
    outcome = run("compare", "rnn", *words.split())
    assert outcome.status == 1
    assert "GB of memory" in outcome.err and outcome.err.count("\n") == 1
