"""``vanishgrad plot``."""

from __future__ import annotations

from pathlib import Path

import click

from vanishgrad.cli.emit import PICTURES
from vanishgrad.errors import UsageError
from vanishgrad.questions.documents import demand_models, read_report
from vanishgrad.questions.learn.document import LearnDocument
from vanishgrad.questions.learn.figure import KINDS as LEARN_KINDS
from vanishgrad.questions.learn.figure import render as render_learning
from vanishgrad.questions.plot.render import KINDS, render
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.files import write


@click.command()
@click.argument("report", metavar="REPORT|-")
@click.option("--output", required=True, metavar="FILE", help="The picture: .png, .svg or .pdf.")
@click.option(
    "--kind", type=click.Choice([*KINDS, *LEARN_KINDS]), help="[default: curves; learnability of a report of learn]"
)
def plot(report: str, output: str, kind: str | None) -> None:
    """Pictures from a JSON report."""
    ending = Path(output).suffix.lower()
    if ending not in PICTURES:
        raise UsageError(f"expected --output with the ending .png, .svg or .pdf, got {output!r}; try {output}.svg")
    write(output, _picture(read_report(report), report, kind, ending[1:]))


def _picture(document: ReportDocument, path: str, kind: str | None, ending: str) -> bytes:
    if isinstance(document, LearnDocument):
        return render_learning(document, kind or next(iter(LEARN_KINDS)), ending)
    return render(demand_models(document, path), kind or "curves", ending)
