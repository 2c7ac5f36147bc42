"""``vanishgrad plot``."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vanishgrad.cli.command_help import GroupedCommand
from vanishgrad.cli.emit import PICTURES
from vanishgrad.cli.options import FONT, LANG
from vanishgrad.errors import UsageError
from vanishgrad.questions.documents import demand_models, read_report
from vanishgrad.questions.learn.document import LearnDocument
from vanishgrad.questions.learn.figure import KINDS as LEARN_KINDS
from vanishgrad.questions.learn.figure import draw as draw_learning
from vanishgrad.questions.plot.render import KINDS, draw
from vanishgrad.questions.sweep.document import SweepDocument
from vanishgrad.questions.sweep.figure import KINDS as SWEEP_KINDS
from vanishgrad.questions.sweep.figure import SweepPicture
from vanishgrad.questions.sweep.figure import draw as draw_sweep
from vanishgrad.questions.sweep.theory import OVERLAYS
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.figures.options import LEGENDS, XSCALES, PictureOptions
from vanishgrad.reports.figures.output import drawn_data, picture_bytes
from vanishgrad.reports.files import demand_target, write_together

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTTED = (*PICTURES, ".pgf")


@click.command(cls=GroupedCommand)
@click.argument("report", metavar="REPORT|-")
@click.option("--output", required=True, metavar="FILE", help="The picture: .png, .svg, .pdf or .pgf.")
@click.option(
    "--kind",
    type=click.Choice([*KINDS, *LEARN_KINDS, *SWEEP_KINDS]),
    metavar="NAME",
    help=f"{', '.join(KINDS)}; of a report of learn {', '.join(LEARN_KINDS)}; of one of sweep "
    f"{', '.join(SWEEP_KINDS)}.  [default: curves; learnability; phase, or slice of one axis]",
)
@click.option("--size", metavar="WxH", help="Width and height in inches: 3.25x2.1.")
@click.option("--style", metavar="NAME|FILE", help="A style of matplotlib's, or a file of its settings.")
@click.option("--title", metavar="TEXT|none", help="Instead of the picture's own.")
@click.option("--no-caption", is_flag=True, help="No line below the title, and no caption.")
@click.option("--legend", type=click.Choice(LEGENDS), help="Where lines are named: at their ends, or in a panel.")
@click.option("--xscale", type=click.Choice(XSCALES), help="Of lags.  [default: log from 1000 on]")
@click.option("--ylim", metavar="LOW,HIGH", help="Ends of the axis of norms: 1e-12,10.")
@click.option("--curve", "curves", multiple=True, metavar="NAME", help="Only this curve; repeatable.")
@click.option("--model", "models", multiple=True, metavar="LABEL", help="Only this model; repeatable.")
@click.option("--data", metavar="FILE", help="What is drawn, as CSV.")
@click.option("--x", metavar="AXIS", help="Of a report of sweep: the axis to the right.")
@click.option("--y", metavar="AXIS", help="Of a report of sweep: the axis upwards; of slices what tells lines apart.")
@click.option("--measure", metavar="NAME", help="Of a report of sweep: what is shown.")
@click.option("--contour", metavar="A,B,…", help="Of a phase diagram: levels of the measure.  [default: the neutral]")
@click.option(
    "--overlay", metavar="NAMES", help=f"Of a report of sweep: {', '.join(OVERLAYS)}, none.  [default: all that speak]"
)
@FONT
@LANG
def plot(report: str, output: str, kind: str | None, data: str | None, **options: Any) -> None:
    """Pictures from a report: JSON, or a file of sweep."""
    ending = Path(output).suffix.lower()
    if ending not in PLOTTED:
        raise UsageError(
            f"expected --output with the ending .png, .svg, .pdf or .pgf, got {output!r}; try {output}.svg"
        )
    contour, overlay = _levels(options.pop("contour")), _names(options.pop("overlay"))
    of_sweep = {**{name: options.pop(name) for name in ("x", "y", "measure")}, "contour": contour, "overlay": overlay}
    figure = _figure(read_report(report), report, kind, of_sweep, _picture_options(**options))
    if data is not None:
        demand_target(data)
        if os.path.abspath(data) == os.path.abspath(output):
            raise UsageError(f"expected --data and --output to be two files, got {data!r} twice; try --data {data}.csv")
    files = [(output, picture_bytes(figure, ending[1:]))]
    write_together([*files, *([(data, drawn_data(figure).encode())] if data is not None else [])])


def _picture_options(
    size: str | None, title: str | None, no_caption: bool, ylim: str | None, **options: Any
) -> PictureOptions:
    return PictureOptions(
        size=_pair("size", size, "x", "3.25x2.1"), title="" if title == "none" else title, caption=not no_caption,
        ylim=_pair("ylim", ylim, ",", "1e-12,10"), **options,
    )  # fmt: skip


def _pair(name: str, text: str | None, between: str, example: str) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        first, second = map(float, text.lower().split(between))
    except ValueError:
        raise UsageError(
            f"expected two numbers with {between!r} between for --{name}, got {text!r}; try --{name} {example}"
        ) from None
    return first, second


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


def _figure(
    document: ReportDocument, path: str, kind: str | None, of_sweep: dict[str, Any], options: PictureOptions
) -> Figure:
    if isinstance(document, SweepDocument):
        return draw_sweep(document, SweepPicture(kind, **of_sweep), options)
    given = [f"--{name}" for name, value in of_sweep.items() if value is not None]
    if given:
        raise UsageError(f"expected {given[0]} with a report of sweep, got one of {document.command}; try without")
    if isinstance(document, LearnDocument):
        return draw_learning(document, kind or next(iter(LEARN_KINDS)), options)
    return draw(demand_models(document, path), kind or "curves", options)
