"""A report as pictures, drawn from its document alone."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.plot.kinds import KINDS_BY_NAME
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.labels import finish
from vanishgrad.reports.figures.options import PLAIN, PictureOptions, chosen, drawn_with
from vanishgrad.reports.figures.output import picture_bytes
from vanishgrad.reports.figures.page import PictureKind
from vanishgrad.reports.figures.palette import MAX_LOOKS
from vanishgrad.reports.figures.style import style, undrawable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["KINDS", "available_kinds", "draw", "draw_into", "render", "undrawable_characters"]

KINDS: Mapping[str, str] = {name: kind.about for name, kind in KINDS_BY_NAME.items()}
"""What each kind of picture shows, in one sentence."""


def available_kinds(report: ModelsDocument) -> tuple[str, ...]:
    """Return the kinds for which a report has what they need."""
    return tuple(name for name, kind in KINDS_BY_NAME.items() if any(map(kind.serves, report.models)))


def undrawable_characters(report: ModelsDocument) -> str:
    """Return the characters of a report's labels and tokens that no installed font has; they are drawn as escapes."""
    return undrawable(_words(report))


def draw(report: ModelsDocument, kind: str = "curves", options: PictureOptions = PLAIN) -> Figure:
    """Return a picture of a report.

    Parameters
    ----------
    report : ModelsDocument
    kind : str
        One of `KINDS`.
    options : PictureOptions

    Raises
    ------
    UsageError
        If there is no such kind, or an option means nothing to it.
    VanishgradError
        If the report has not what the kind needs.
    """
    with drawn_with(options, kind), style(_words(report)):
        figure = _draw(report, kind)
        finish(figure)
    return figure


def draw_into(axes: Axes, report: ModelsDocument, curve: str) -> Figure:
    """Draw one curve of every model into axes of the caller's, and return their figure.

    Raises
    ------
    VanishgradError
        If no model has the curve by lag.
    """
    from vanishgrad.reports.figures.norms import draw_curve_into

    with style(_words(report)):
        return draw_curve_into(axes, report, curve)


def render(report: ModelsDocument, kind: str, ending: str, options: PictureOptions = PLAIN) -> bytes:
    """Return a picture of a report as the bytes of a file, the same for the same report.

    Raises
    ------
    UsageError, VanishgradError
        As `draw` and `picture_bytes`.
    """
    return picture_bytes(draw(report, kind, options), ending)


def _draw(report: ModelsDocument, name: str) -> Figure:
    kind = _kind(name)
    served = [model for model in chosen(report.models, report.labels) if kind.serves(model)]
    if not served:
        raise VanishgradError(f"expected {kind.needs} for the picture {name!r}, got a report without; try another kind")
    if len(served) > MAX_LOOKS:
        raise VanishgradError(
            f"expected at most {MAX_LOOKS} models in a picture, got {len(served)}; try fewer models or layers"
        )
    return kind.draw(report, served)


def _kind(name: str) -> PictureKind:
    if name in KINDS_BY_NAME:
        return KINDS_BY_NAME[name]
    near = difflib.get_close_matches(name, KINDS_BY_NAME, n=1, cutoff=0.0)[0]
    raise UsageError(f"expected a picture out of {', '.join(KINDS_BY_NAME)}, got {name!r}; try {near}")


def _words(report: ModelsDocument) -> str:
    """Return what pictures write in characters that are the user's own."""
    return report.request.input + "".join(map(_words_of, report.models))


def _words_of(model: ModelDocument) -> str:
    map_ = model.sections.get("map")
    return model.label + "".join((map_ and map_.tokens) or ())
