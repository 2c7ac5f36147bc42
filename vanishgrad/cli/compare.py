"""``vanishgrad compare``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import demand_data, demand_writable, emit, is_summary, pictures
from vanishgrad.cli.options import JOBS, OUTPUT, OWN_CELL, PER_TRIAL, request_options
from vanishgrad.cli.progress import progress
from vanishgrad.curves.processes import cores
from vanishgrad.questions.compare import DEFAULT_MODELS, CompareRequest, comparison
from vanishgrad.questions.compare import compare as compare_models


@click.command(
    cls=GroupedCommand,
    epilog="MODEL is CELL[@LAW][:key=value,...]: rnn, lstm@chrono, gru:forget_bias=2,reset=before. " + OWN_CELL,
)
@click.argument("models", nargs=-1, metavar="[MODEL|WEIGHTS]...")
@request_options(CompareRequest)
@OUTPUT
@PER_TRIAL
@JOBS
@click.option("--save", metavar="DIR", help="Save weights (PyTorch's names) and inputs as .npz and .npy.")
def compare(
    models: tuple[str, ...],
    format_: str | None,
    output: str,
    plots: tuple[str, ...],
    plot_folder: str | None,
    quiet: bool,
    per_trial: bool,
    save: str | None,
    jobs: int | None,
    **options: Any,
) -> None:
    """Models side by side: how far back does the gradient reach?"""
    demand_data(per_trial, format_, output)
    summary = is_summary(format_, output, plots, plot_folder)
    request = CompareRequest(models=models or DEFAULT_MODELS, summary=summary, per_trial=per_trial, **options)
    demand_writable(output, plots, [plot_folder, save])
    with progress(len(request.models), quiet) as done:
        result = compare_models(request, done, jobs or cores())
    document = comparison(result)
    files: Iterator[tuple[str, bytes]] = pictures(document, plots, plot_folder, quiet)
    if save is not None:
        from vanishgrad.questions.save import weight_files

        files = chain(files, weight_files(result, save))
    emit(document, format_, output, files, [plot_folder, save])
