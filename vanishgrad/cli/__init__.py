"""argv in, exit status out: one command per file, found by name when it is asked for."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from contextvars import copy_context
from typing import Any

import click

from vanishgrad import __version__
from vanishgrad.cli.encoding import encodable_streams
from vanishgrad.errors import FontWarning, HostileContentWarning, VanishgradError

COMMANDS = {
    "compare": "Models side by side: how far back does the gradient reach?",
    "analyze": "The recurrent layers of files: how far back does the gradient reach in each?",
    "capture": "The inputs that a model's recurrent layers really get, in a file.",
    "learn": "Short gap, long gap: what each model can learn, beside its horizon.",
    "sweep": "Where in a plane of gains, biases, sizes and lengths does the gradient vanish?",
    "inspect": "Which recurrent layers a file holds.",
    "check": "Exit 3 unless the gradient reaches far enough: for CI.",
    "diff": "Two reports or two checkpoints: what changed.",
    "track": "Checkpoints of a training: how far the gradient reaches, and when it fell.",
    "explain": "Why the gradient vanishes or explodes, and which way it takes.",
    "plot": "Pictures from a report: JSON, or a file of sweep.",
    "answer": "The formal answer, in English or Chinese, with these models' numbers in it.",
    "certify": "A certificate about all input sequences, and its checker.",
    "verify": "Is the arithmetic right? Complex step, definition, sum rules.",
    "schema": "The JSON Schema of a report.",
}
GREETING = """\
How far back the gradient of a recurrent network reaches, and why.

  to learn:     vanishgrad compare --steps 100     RNN, LSTM, GRU side by side
  with a model: vanishgrad explain model.pt        why it vanishes, what helps
  to measure:   vanishgrad compare lstm gru --json every curve, for programs

vanishgrad --help lists the commands, vanishgrad COMMAND --help ends with two
examples; with --lang zh tables, sentences and pictures are in Chinese.
"""
INTERRUPTED = 130
OWN_WARNINGS = (HostileContentWarning, FontWarning)


class _Lazy(click.Group):
    """A group that imports a command's file when the command is asked for, and not for its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"vanishgrad.cli.{name}"), name)
        gc.freeze()
        gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            nearest = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"try {nearest[0]}" if nearest else f"try one of {', '.join(COMMANDS)}"
            raise click.UsageError(f"expected a command, got {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Lazy, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="vanishgrad %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """How far back the gradient of a recurrent network reaches, and why."""
    if ctx.invoked_subcommand is None:
        click.echo(GREETING, nl=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 data or machine, 2 wrong usage, 3 failed check, 130 Ctrl-C."""
    sys.exit(_status(list(sys.argv[1:] if arguments is None else arguments)))


def _status(arguments: list[str]) -> int:
    with encodable_streams():
        return copy_context().run(_outcome, arguments)  # what a command sets of language and font ends with it


def _outcome(arguments: list[str]) -> int:
    try:
        with warnings.catch_warnings():
            _tell_of_warnings()
            status = cli.main(arguments, prog_name="vanishgrad", standalone_mode=False, obj=arguments)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except click.ClickException as error:
        return _complain(arguments, _first_sentence(error), error.exit_code)
    except VanishgradError as error:
        return _complain(arguments, str(error), error.exit_code)
    except MemoryError:
        return _complain(
            arguments, "expected enough memory, got none; try a shorter run, fewer sequences or a smaller --hidden", 1
        )
    except OSError as error:
        _forget_stdout()
        return _complain(
            arguments, f"expected to write the report, got: {error.strerror or error}; try --output FILE", 1
        )
    return status if isinstance(status, int) else 0


def _tell_of_warnings() -> None:
    """Write warnings of our own to stderr as sentences, once, unless the command is to be quiet."""
    others = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **named: Any) -> None:
        if not issubclass(category, OWN_WARNINGS):
            others(message, category, *rest, **named)
        elif not ((context := click.get_current_context(silent=True)) and context.params.get("quiet")):
            click.echo(f"warning: {message}", err=True)

    for own in OWN_WARNINGS:
        warnings.filterwarnings("default", category=own)
    warnings.showwarning = show


def _first_sentence(error: click.ClickException) -> str:
    if type(error) is click.BadParameter and error.param is not None:
        return f"expected a value that fits {error.param.get_error_hint(click.Context(cli))}, got: {error.message}"
    if isinstance(error, click.NoSuchOption):
        nearest = ", ".join(sorted(error.possibilities or ["--help"]))
        return f"expected an option of this command, got {error.option_name}; try {nearest}"
    text = " ".join(error.format_message().split())
    return text[:1].lower() + text[1:].rstrip(".")


def _complain(arguments: list[str], sentence: str, status: int) -> int:
    command = next((word for word in arguments if word in COMMANDS), "")
    with contextlib.suppress(OSError):  # nowhere to say that stderr cannot be written
        click.echo(f"vanishgrad {command}".rstrip() + f": {sentence}", err=True)
    return status


def _forget_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not fail on it when it exits."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
