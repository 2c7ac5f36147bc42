"""``vanishgrad diff``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vanishgrad.cli.emit import PICTURES
from vanishgrad.cli.options import HINTS, LAYERS, RUN
from vanishgrad.errors import UsageError
from vanishgrad.questions.analyze import AnalyzeRequest, analysis
from vanishgrad.questions.analyze import analyze as analyze_layers
from vanishgrad.questions.diff import DiffRequest, difference, to_text
from vanishgrad.questions.documents import read_models
from vanishgrad.reports.documents.reading import is_report
from vanishgrad.reports.documents.report import ModelsDocument


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@LAYERS
@RUN
@HINTS
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
@click.option("--plot", metavar="FILE", help="Draw both curves: .png, .svg or .pdf.")
def diff(before: str, after: str, as_json: bool, plot: str | None, **options: Any) -> None:
    """Two reports or two checkpoints: what changed, what matters most first."""
    if plot is not None and Path(plot).suffix.lower() not in PICTURES:
        raise UsageError(f"expected --plot with the ending .png, .svg or .pdf, got {plot!r}; try {plot}.svg")
    reports = [_report(path, options) for path in (before, after)]
    document = difference(reports[0], reports[1], DiffRequest(before=before, after=after))
    if plot is not None:
        from vanishgrad.questions.plot.render import render
        from vanishgrad.reports.files import write

        write(plot, render(replace(reports[1], models=document.models), "curves", Path(plot).suffix[1:].lower()))
    click.echo(document.to_json() if as_json else to_text(document), nl=False)


def _report(path: str, options: dict[str, Any]) -> ModelsDocument:
    return (
        read_models(path) if is_report(path) else analysis(analyze_layers(AnalyzeRequest(weights=(path,), **options)))
    )
