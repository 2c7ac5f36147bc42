"""``vanishgrad track``."""

from __future__ import annotations

from typing import Any

import click

from vanishgrad.cli.options import JSON, request_options
from vanishgrad.cli.progress import progress
from vanishgrad.questions.analyze import AnalyzeRequest
from vanishgrad.questions.track import to_csv, to_text
from vanishgrad.questions.track import track as track_files


@click.command()
@click.argument("weights", nargs=-1, required=True, metavar="[WEIGHTS|PATTERN|LOG.jsonl]...")
@click.option("--format", "format_", type=click.Choice(["table", "json", "csv"]), help="[default: table]")
@JSON
@request_options(AnalyzeRequest)
@click.option("--quiet", is_flag=True, help="No progress.")
def track(weights: tuple[str, ...], format_: str | None, quiet: bool, **options: Any) -> None:
    """Checkpoints of a training, or the log of a watch: how far the gradient reaches, and when it fell."""
    request = AnalyzeRequest(weights=weights, summary=True, **options)
    with progress(len(weights), quiet) as done:
        document = track_files(request, done)
    text = document.to_json() if format_ == "json" else (to_csv if format_ == "csv" else to_text)(document)
    click.echo(text, nl=False)
