"""``vanishgrad analyze``."""

from __future__ import annotations

from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import demand_data, demand_writable, emit, is_summary, pictures, warn
from vanishgrad.cli.options import OUTPUT, OWN_CELL, PER_TRIAL, request_options
from vanishgrad.cli.progress import progress
from vanishgrad.questions.analyze import AnalyzeRequest, analysis
from vanishgrad.questions.analyze import analyze as analyze_layers


@click.command(cls=GroupedCommand, epilog=OWN_CELL)
@click.argument("weights", nargs=-1, required=True, metavar="[WEIGHTS|MODEL]...")
@request_options(AnalyzeRequest)
@OUTPUT
@PER_TRIAL
def analyze(
    weights: tuple[str, ...],
    format_: str | None,
    output: str,
    plots: tuple[str, ...],
    plot_folder: str | None,
    quiet: bool,
    per_trial: bool,
    **options: Any,
) -> None:
    """The recurrent layers of files: how far back does the gradient reach in each?"""
    demand_data(per_trial, format_, output)
    summary = is_summary(format_, output, plots, plot_folder)
    request = AnalyzeRequest(weights=weights, summary=summary, per_trial=per_trial, **options)
    demand_writable(output, plots, [plot_folder])
    with progress(None, quiet) as done:
        result = analyze_layers(request, done=done)
    document = analysis(result)
    warn(result.refused, quiet)
    emit(document, format_, output, pictures(document, plots, plot_folder, quiet), [plot_folder])
