"""``vanishgrad capture``."""

from __future__ import annotations

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import demand_writable, put, stdout_language, warn
from vanishgrad.cli.options import LANG
from vanishgrad.file_bytes import file_bytes
from vanishgrad.questions.capture import captured, demand_run_file, to_text
from vanishgrad.reports.files import write


@click.command(cls=GroupedCommand)
@click.argument("model", metavar="MODEL.onnx")
@click.option(
    "--input", "batch", required=True, metavar="BATCH", help="A .npy, or an .npz with the names of the inputs."
)
@click.option("--output", required=True, metavar="RUN.npz", help="Where the run goes; every command reads it.")
@click.option("--tokens", metavar="FILE", help="Names of the first sequence's steps, one a line.")
@click.option("--quiet", is_flag=True, help="No warnings and no summary.")
@LANG
def capture(model: str, batch: str, output: str, tokens: str | None, quiet: bool) -> None:
    """What the recurrent nodes of an ONNX model are given along a batch, as a file."""
    demand_run_file(output)
    demand_writable(output, ())
    names = None if tokens is None else file_bytes(tokens, "tokens").decode(errors="replace").splitlines()
    run, refused = captured(model, batch, names)
    warn(refused, quiet)
    write(output, run.content())
    if not quiet:
        with stdout_language("text"):
            put(to_text(run), "text")
