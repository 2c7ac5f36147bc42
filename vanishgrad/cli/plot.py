"""``vanishgrad plot``."""

from __future__ import annotations

from pathlib import Path

import click

from vanishgrad.cli.emit import PICTURES
from vanishgrad.errors import UsageError
from vanishgrad.questions.documents import read_models
from vanishgrad.questions.plot.render import KINDS, render
from vanishgrad.reports.files import write


@click.command()
@click.argument("report", metavar="REPORT|-")
@click.option("--output", required=True, metavar="FILE", help="The picture: .png, .svg or .pdf.")
@click.option("--kind", type=click.Choice(list(KINDS)), default="curves", show_default=True)
def plot(report: str, output: str, kind: str) -> None:
    """Pictures from a JSON report."""
    ending = Path(output).suffix.lower()
    if ending not in PICTURES:
        raise UsageError(f"expected --output with the ending .png, .svg or .pdf, got {output!r}; try {output}.svg")
    write(output, render(read_models(report), kind, ending[1:]))
