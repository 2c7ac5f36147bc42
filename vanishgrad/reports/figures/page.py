"""A page of equal panels, laid out in inches: what it is about above, what the marks mean below."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vanishgrad.errors import UsageError
from vanishgrad.reports.figures.labels import text_width
from vanishgrad.reports.figures.options import PictureOptions, picture_option
from vanishgrad.reports.figures.palette import MUTED
from vanishgrad.reports.figures.style import drawable
from vanishgrad.reports.terminal import paragraph

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vanishgrad.reports.documents.model import ModelDocument
    from vanishgrad.reports.documents.report import ModelsDocument

MARGIN = 0.15
TITLE_SIZE = 12.5
TITLE, TEXT = 0.26, 0.17
"""Heights of a title's line and of a line of other text."""
FOOT = 0.52
"""Height below a panel, for an axis with a line of numbers and its name."""
LEAST_PANEL = 0.8
"""Inches of a panel, either way."""
CHARACTERS_PER_INCH = 14.5
"""Of text of 8.5 points, with something to spare."""


class PictureKind(NamedTuple):
    """A kind of picture: what it shows, what it needs, whether a model has that, and how it is drawn."""

    about: str
    needs: str
    serves: Callable[[ModelDocument], bool]
    draw: Callable[[ModelsDocument, Sequence[ModelDocument]], Figure]


class Panels(NamedTuple):
    """How panels stand: how many, in how many columns, and their inches."""

    number: int
    columns: int
    width: float
    height: float
    left: float
    """Inches to the left of each row of panels, for the axis."""
    right: float
    """Inches to the right of each panel, for labels."""
    between: float = 0.0
    """Inches more before each panel but the first of a row."""
    heading: float = 0.36
    """Inches above each panel."""
    foot: float = FOOT
    """Inches below each panel, for its axis."""
    margin: float = 0.0
    """Inches to the right of all panels, for what they share."""


def sheet(title: str, frame: str, caption: Sequence[str], panels: Panels) -> tuple[Figure, list[Axes]]:
    """Return a figure with a title, a line that frames the finding, empty panels and a caption."""
    from matplotlib.figure import Figure

    size, has_words = picture_option("size"), picture_option("caption")
    own = picture_option("title")
    title = title if own is None else drawable(own)
    columns, rows = min(panels.columns, panels.number), math.ceil(panels.number / panels.columns)
    beside = panels.left + columns * panels.right + (columns - 1) * panels.between + panels.margin + MARGIN
    laid = beside + columns * panels.width
    width = max(laid, 2 * MARGIN + text_width(title, TITLE_SIZE, "bold")) if size is None else size[0]
    above = _paragraph([frame], width) if has_words else []
    below = _paragraph(caption, width) if has_words else []
    top = MARGIN + TITLE * bool(title) + TEXT * len(above)
    under = TEXT * len(below) + MARGIN
    if size is not None:
        panels = _fitted(panels, size, beside, top + under, rows)
    pitch = panels.heading + panels.height + panels.foot
    height = top + rows * pitch + under
    figure = Figure(figsize=(width, height), facecolor="white")
    x = MARGIN / width
    figure.text(x, 1 - MARGIN / height, title, fontsize=TITLE_SIZE, fontweight="bold", va="top")
    y = 1 - (MARGIN + TITLE * bool(title)) / height
    figure.text(x, y, "\n".join(above), color=MUTED, va="top", linespacing=1.3)
    figure.text(x, under / height, "\n".join(below), color=MUTED, va="top", linespacing=1.3)
    axes = []
    for i in range(panels.number):
        row, column = divmod(i, panels.columns)
        left = panels.left + column * (panels.width + panels.right + panels.between)
        bottom = height - top - (row + 1) * pitch + panels.foot
        axes.append(figure.add_axes((left / width, bottom / height, panels.width / width, panels.height / height)))
    return figure, axes


def _fitted(panels: Panels, size: tuple[float, float], beside: float, above: float, rows: int) -> Panels:
    """Return panels of the width and height that a figure of a size has room for.

    Raises
    ------
    UsageError
        If there is none.
    """
    columns = min(panels.columns, panels.number)
    least_width = beside + columns * min(LEAST_PANEL, panels.width)
    least_height = above + rows * (panels.heading + panels.foot + min(LEAST_PANEL, panels.height))
    if size[0] < least_width or size[1] < least_height:
        raise UsageError(
            f"expected --size from {math.ceil(10 * least_width) / 10:g}x{math.ceil(10 * least_height) / 10:g} on for "
            f"{panels.number} panel{'s' * (panels.number > 1)} with these words, got {size[0]:g}x{size[1]:g}; "
            f"try {', '.join(_smaller()) or 'another --kind'}"
        )
    width = (size[0] - beside) / columns
    return panels._replace(width=width, height=(size[1] - above) / rows - panels.heading - panels.foot)


def _smaller() -> list[str]:
    """Return the options that make a figure smaller, without those that are given."""
    remedies = {
        "title": "--title none",
        "caption": "--no-caption",
        "legend": "--legend inside",
        "curves": "--curve state",
    }
    unset = PictureOptions()
    return [flag for name, flag in remedies.items() if picture_option(name) == getattr(unset, name)]


def _paragraph(sentences: Sequence[str], width: float) -> list[str]:
    characters = int((width - 2 * MARGIN) * CHARACTERS_PER_INCH)
    return [line for sentence in sentences for line in paragraph(sentence, characters)]
