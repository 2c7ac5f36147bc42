"""``vanishgrad plot``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from vanishgrad.cli.emit import PICTURES
from vanishgrad.cli.options import FONT, LANG
from vanishgrad.errors import UsageError
from vanishgrad.questions.documents import demand_models, read_report
from vanishgrad.questions.learn.document import LearnDocument
from vanishgrad.questions.learn.figure import KINDS as LEARN_KINDS
from vanishgrad.questions.learn.figure import render as render_learning
from vanishgrad.questions.plot.render import KINDS, render
from vanishgrad.questions.sweep.document import SweepDocument
from vanishgrad.questions.sweep.figure import KINDS as SWEEP_KINDS
from vanishgrad.questions.sweep.figure import SweepPicture
from vanishgrad.questions.sweep.figure import render as render_sweep
from vanishgrad.questions.sweep.theory import OVERLAYS
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.files import write


@click.command()
@click.argument("report", metavar="REPORT|-")
@click.option("--output", required=True, metavar="FILE", help="The picture: .png, .svg or .pdf.")
@click.option(
    "--kind",
    type=click.Choice([*KINDS, *LEARN_KINDS, *SWEEP_KINDS]),
    help="[default: curves; learnability of a report of learn; phase, or slice of one axis, of one of sweep]",
)
@click.option("--x", metavar="AXIS", help="Of a report of sweep: the axis to the right.")
@click.option("--y", metavar="AXIS", help="Of a report of sweep: the axis upwards.")
@click.option("--measure", metavar="NAME", help="Of a report of sweep: what the colours show.")
@click.option("--contour", metavar="A,B,…", help="Of a phase diagram: levels of the measure.  [default: the neutral]")
@click.option(
    "--overlay",
    metavar="NAMES",
    help=f"Of a report of sweep: {', '.join(OVERLAYS)} or none.  [default: all that speak]",
)
@FONT
@LANG
def plot(report: str, output: str, kind: str | None, contour: str | None, overlay: str | None, **shown: Any) -> None:
    """Pictures from a JSON report."""
    ending = Path(output).suffix.lower()
    if ending not in PICTURES:
        raise UsageError(f"expected --output with the ending .png, .svg or .pdf, got {output!r}; try {output}.svg")
    of_sweep = {**shown, "contour": _levels(contour), "overlay": _names(overlay)}
    write(output, _picture(read_report(report), report, kind, of_sweep, ending[1:]))


def _levels(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        levels = tuple(map(float, text.split(",")))
    except ValueError:
        levels = (math.nan,)
    if not all(map(math.isfinite, levels)):
        raise UsageError(f"expected numbers between commas for --contour, got {text!r}; try --contour 0")
    return levels


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else () if text == "none" else tuple(text.split(","))


def _picture(document: ReportDocument, path: str, kind: str | None, of_sweep: dict[str, Any], ending: str) -> bytes:
    if isinstance(document, SweepDocument):
        return render_sweep(document, SweepPicture(kind, **of_sweep), ending)
    given = [f"--{name}" for name, value in of_sweep.items() if value is not None]
    if given:
        raise UsageError(f"expected {given[0]} with a report of sweep, got one of {document.command}; try without")
    if isinstance(document, LearnDocument):
        return render_learning(document, kind or next(iter(LEARN_KINDS)), ending)
    return render(demand_models(document, path), kind or "curves", ending)
