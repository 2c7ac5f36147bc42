"""``vanishgrad diff``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import PICTURES, demand_no_font, echo, terminal
from vanishgrad.cli.options import FONT, JSON, LANG, request_options
from vanishgrad.errors import UsageError
from vanishgrad.questions.analyze import AnalyzeRequest, reports
from vanishgrad.questions.diff import DiffRequest, difference, to_text


@click.command(cls=GroupedCommand)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@request_options(AnalyzeRequest)
@JSON
@FONT
@LANG
@click.option("--plot", metavar="FILE", help="Draw both curves: .png, .svg or .pdf.")
def diff(before: str, after: str, format_: str | None, plot: str | None, **options: Any) -> None:
    """Two reports, checkpoints or MODELs: what changed, what matters most first."""
    if plot is None:
        demand_no_font()
    elif Path(plot).suffix.lower() not in PICTURES:
        raise UsageError(f"expected --plot with the ending .png, .svg or .pdf, got {plot!r}; try {plot}.svg")
    old, new = reports(AnalyzeRequest(weights=(before, after), **options))
    document = difference(old, new, DiffRequest(before=before, after=after))
    if plot is not None:
        from vanishgrad.questions.plot.render import render
        from vanishgrad.reports.files import write

        write(plot, render(new.with_members(models=document.models), "curves", Path(plot).suffix[1:].lower()))
    echo(document, format_, lambda document: to_text(document, terminal()))
