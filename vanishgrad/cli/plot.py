"""``vanishgrad plot``."""

from __future__ import annotations

from pathlib import Path

import click

from vanishgrad.cli.emit import PICTURES
from vanishgrad.cli.options import LANG
from vanishgrad.errors import UsageError
from vanishgrad.questions.documents import demand_models, read_report
from vanishgrad.questions.learn.document import LearnDocument
from vanishgrad.questions.learn.figure import KINDS as LEARN_KINDS
from vanishgrad.questions.learn.figure import render as render_learning
from vanishgrad.questions.plot.render import KINDS, render
from vanishgrad.questions.sweep.document import SweepDocument
from vanishgrad.questions.sweep.figure import KIND as PHASE
from vanishgrad.questions.sweep.figure import PhaseRequest
from vanishgrad.questions.sweep.figure import render as render_phases
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.files import write


@click.command()
@click.argument("report", metavar="REPORT|-")
@click.option("--output", required=True, metavar="FILE", help="The picture: .png, .svg or .pdf.")
@click.option(
    "--kind",
    type=click.Choice([*KINDS, *LEARN_KINDS, PHASE]),
    help="[default: curves; learnability of a report of learn; phase of one of sweep]",
)
@click.option("--x", metavar="AXIS", help="Of a report of sweep: the axis to the right.")
@click.option("--y", metavar="AXIS", help="Of a report of sweep: the axis upwards.")
@click.option("--measure", metavar="NAME", help="Of a report of sweep: what the colours show.")
@click.option("--no-theory", is_flag=True, help="Of a report of sweep: without the critical line that theory gives.")
@LANG
def plot(
    report: str, output: str, kind: str | None, x: str | None, y: str | None, measure: str | None, no_theory: bool
) -> None:
    """Pictures from a JSON report."""
    ending = Path(output).suffix.lower()
    if ending not in PICTURES:
        raise UsageError(f"expected --output with the ending .png, .svg or .pdf, got {output!r}; try {output}.svg")
    asked = PhaseRequest(x, y, measure, not no_theory)
    write(output, _picture(read_report(report), report, kind, asked, ending[1:]))


def _picture(document: ReportDocument, path: str, kind: str | None, asked: PhaseRequest, ending: str) -> bytes:
    if isinstance(document, SweepDocument):
        if kind not in (None, PHASE):
            raise UsageError(f"expected --kind {PHASE} of a report of sweep, got {kind!r}; try --kind {PHASE}")
        return render_phases(document, asked, ending)
    if asked != PhaseRequest():
        raise UsageError(
            f"expected --x, --y, --measure or --no-theory with a report of sweep, got {document.command}; try without"
        )
    if isinstance(document, LearnDocument):
        return render_learning(document, kind or next(iter(LEARN_KINDS)), ending)
    return render(demand_models(document, path), kind or "curves", ending)
