"""``vanishgrad track``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import demand_writable, put, stdout_language
from vanishgrad.cli.options import FONT, JSON, LANG, request_options
from vanishgrad.cli.progress import progress
from vanishgrad.questions.analyze import AnalyzeRequest
from vanishgrad.questions.track.track import to_csv, to_text
from vanishgrad.questions.track.track import track as track_files
from vanishgrad.reports.files import write_together


@click.command(cls=GroupedCommand)
@click.argument("weights", nargs=-1, required=True, metavar="[WEIGHTS|REPORT|PATTERN|LOG.jsonl]...")
@click.option("--format", "format_", type=click.Choice(["table", "json", "csv"]), help="[default: table]")
@click.option("--plot", "plots", multiple=True, metavar="FILE", help="Draw it: .png, .svg or .pdf; repeatable.")
@JSON
@FONT
@LANG
@request_options(AnalyzeRequest)
@click.option("--quiet", is_flag=True, help="No progress.")
def track(weights: tuple[str, ...], format_: str | None, plots: tuple[str, ...], quiet: bool, **options: Any) -> None:
    """Checkpoints of a training, or the log of a watch: how far the gradient reaches, and when it fell."""
    demand_writable("-", plots)
    request = AnalyzeRequest(weights=weights, summary=True, **options)
    with progress(len(weights), quiet) as done:
        document = track_files(request, done)
    if plots:
        from vanishgrad.questions.track.figure import render

        write_together((path, render(document, Path(path).suffix.lower()[1:])) for path in plots)
    kind = format_ or "table"
    with stdout_language(kind):
        put(document.to_json() if kind == "json" else (to_csv if kind == "csv" else to_text)(document), kind)
