"""Help pages: options in groups, two examples that the command takes, and a greeting for three kinds of readers."""

from __future__ import annotations

import shlex
from contextvars import copy_context

import click
import pytest

from vanishgrad.cli import COMMANDS, cli
from vanishgrad.cli.command_help import EXAMPLES, GROUPS, group_of


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_has_every_option_once_and_ends_with_two_examples(run, command):
    out = run(command, "--help").out
    assert out.index("Options:") < out.index("Examples:")
    for example in EXAMPLES[command]:
        assert f"  {example}\n" in out
    for option in cli.get_command(None, command).params:
        if isinstance(option, click.Option):
            assert out.count(f"  {option.opts[0]} ") + out.count(f", {option.opts[0]} ") >= 1


def test_examples_are_of_commands_and_parse(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(EXAMPLES) and set(EXAMPLES) == set(COMMANDS)
    for command, examples in EXAMPLES.items():
        assert len(set(examples)) == 2
        for example in examples:
            words = shlex.split(example.rpartition("| ")[2])
            assert words[:2] == ["vanishgrad", command]
            copy_context().run(cli.get_command(None, command).make_context, command, words[2:])


def test_options_that_commands_share_have_a_group():
    options = {each.name: each for name in COMMANDS for each in cli.get_command(None, name).params}
    assert all(set(names) <= {*options, "plot"} for names in GROUPS.values())
    assert group_of(options["steps"]) == "Run" and group_of(options["only"]) == "Options"


def test_the_command_alone_greets_three_readers(run):
    out = run().out
    assert max(map(len, out.splitlines())) <= 80
    for line in ("vanishgrad compare --steps 100", "vanishgrad explain model.pt", "vanishgrad compare lstm gru --json"):
        assert line in out
