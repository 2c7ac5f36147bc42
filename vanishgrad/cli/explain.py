"""``vanishgrad explain``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import demand_writable, emit, pictures, report_format, warn
from vanishgrad.cli.options import JOBS, OUTPUT, OWN_CELL, counts, request_options, whole_numbers
from vanishgrad.cli.progress import progress
from vanishgrad.curves.processes import cores
from vanishgrad.errors import UsageError
from vanishgrad.inputs.files import TEXT
from vanishgrad.languages import translate
from vanishgrad.questions.explain.document import explanation
from vanishgrad.questions.explain.explain import explain as explain_models
from vanishgrad.questions.explain.findings.apply import demand_applicable, remedy_weights
from vanishgrad.questions.explain.findings.remedies import REMEDIES
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.questions.explain.truncation.loss import LOSSES


@click.command(cls=GroupedCommand, epilog="MODEL is CELL[@LAW][:key=value,...], as for compare. " + OWN_CELL)
@click.argument("source", metavar="MODEL|WEIGHTS")
@click.option(
    "--only", multiple=True, type=click.Choice(list(SECTIONS)), help="Only this section; repeatable.  [default: all]"
)
@click.option("--text", metavar="STRING", help="Short for --input text:STRING, its bytes one-hot.")
@click.option("--tokens", metavar="FILE", help="Names of the first sequence's steps, one a line, for the map's axes.")
@click.option(
    "--lags",
    callback=whole_numbers,
    metavar="A,B,…",
    help="Where all singular values are worked out.  [default: 1, 10, 100, … and the last]",
)
@click.option("--exponents", type=counts("exponents"), metavar="K", help="Leading Lyapunov exponents.  [default: 16]")
@click.option(
    "--lyapunov-steps",
    type=counts("lyapunov_steps"),
    metavar="N",
    help="Steps that they are averaged over.  [default: 1000, or the file's length]",
)
@click.option("--loss", type=click.Choice(LOSSES), default="all", show_default=True, help="Outputs that the loss sees.")
@click.option("--cotangent", metavar="FILE", help="∂L/∂h_t: .npy (n,), (T, n) or (B, T, n).  [default: random]")
@click.option("--truncation", type=counts("truncation"), metavar="N", help="What backpropagation cut to N steps loses.")
@click.option("--apply", "applied", metavar="FILE", help="Write the weights that the best remedy makes, as .npz.")
@click.option(
    "--remedy", type=click.Choice(list(REMEDIES)), metavar="NAME", help="Another remedy for --apply than the best."
)
@request_options(ExplainRequest)
@OUTPUT
@JOBS
def explain(
    source: str,
    text: str | None,
    format_: str | None,
    output: str,
    plots: tuple[str, ...],
    plot_folder: str | None,
    quiet: bool,
    jobs: int | None,
    applied: str | None,
    remedy: str | None,
    **options: Any,
) -> None:
    """Why the gradient of a model, or of a file's layers, vanishes or explodes."""
    if remedy is not None and applied is None:
        raise UsageError("expected --apply FILE with --remedy, got none; try --apply remedied.npz")
    if text is not None:
        options["input"] = _text(text, options["input"])
    request = ExplainRequest(source=source, **options)
    report_format(format_, output)
    demand_writable(output, plots, [plot_folder])
    if applied is not None:
        demand_applicable(request, applied)
    with progress(None, quiet) as done:
        result = explain_models(request, done, jobs or cores())
    document = explanation(result)
    warn(document.refused, quiet)
    files, notes = list(pictures(document, plots, plot_folder, quiet, _picture(request.only))), list[str]()
    if applied is not None:
        weights, effect = remedy_weights(result, remedy)
        files.append((applied, weights))
        notes.append(translate("wrote {file}: {effect}", file=applied, effect=effect))
    emit(document, format_, output, files, [plot_folder])
    for note in [] if quiet else notes:
        click.echo(note, err=True)


def _picture(only: Sequence[str]) -> str:
    """Return the kind of picture that --plot draws: that of the one section asked for, if it has one."""
    own = list(SECTIONS[only[0]].pictures) if len(set(only)) == 1 else []
    return own[0] if own else "curves"


def _text(text: str, source: str) -> str:
    if source != "white":
        raise UsageError(f"expected --text or --input, got both; try --input {source} alone")
    return TEXT + text
