"""A report as pictures, drawn from the JSON document alone."""

from __future__ import annotations

import difflib
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.plot.kinds import KINDS_BY_NAME
from vanishgrad.reports.figures.page import PictureKind
from vanishgrad.reports.figures.palette import MOST_LOOKS
from vanishgrad.reports.figures.reading import Report, read
from vanishgrad.reports.figures.style import style, undrawable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ENDINGS", "KINDS", "available_kinds", "draw", "render", "undrawable_characters"]

KINDS: Mapping[str, str] = {name: kind.about for name, kind in KINDS_BY_NAME.items()}
"""What each kind of picture shows, in one sentence."""

ENDINGS: Mapping[str, Mapping[str, str | None]] = {
    "png": {"Software": "vanishgrad"},
    "svg": {"Creator": "vanishgrad", "Date": None},
    "pdf": {"Creator": "vanishgrad", "CreationDate": None},
}
"""The formats of a picture, each with its metadata: no dates, so that the same report gives the same bytes."""

RESOLUTION = 160
"""Pixels per inch of a PNG."""


def available_kinds(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the kinds for which a document has what they need."""
    models = read(document).models
    return tuple(name for name, kind in KINDS_BY_NAME.items() if any(map(kind.serves, models)))


def undrawable_characters(document: Mapping[str, Any]) -> str:
    """Return the characters of a document's labels and tokens that no installed font has; they are drawn as escapes."""
    return undrawable(_words(read(document)))


def draw(document: Mapping[str, Any], kind: str = "curves") -> Figure:
    """Return a picture of a document.

    Parameters
    ----------
    document : dict
        A JSON report.
    kind : str
        One of `KINDS`.

    Raises
    ------
    UsageError
        If there is no such kind.
    VanishgradError
        If the document has not what the kind needs, or is no report of this format.
    """
    report = read(document)
    with style(_words(report)):
        return _draw(report, kind)


def render(document: Mapping[str, Any], kind: str, ending: str) -> bytes:
    """Return a picture of a document as the bytes of a file, the same for the same document.

    Parameters
    ----------
    document, kind
        As for `draw`.
    ending : {"png", "svg", "pdf"}
        The format. Text in SVG is drawn as paths: labels were placed by the extents of DejaVu Sans, which few
        readers have installed, and would overlap in another font.
    """
    if ending not in ENDINGS:
        raise UsageError(f"expected a picture as {', '.join(ENDINGS)}, got {ending!r}; try svg")
    report, out = read(document), io.BytesIO()
    with style(_words(report)):
        _draw(report, kind).savefig(out, format=ending, dpi=RESOLUTION, metadata=dict(ENDINGS[ending]))
    return out.getvalue()


def _draw(report: Report, name: str) -> Figure:
    kind = _kind(name)
    served = [model for model in report.models if kind.serves(model)]
    if not served:
        raise VanishgradError(f"expected {kind.needs} for the picture {name!r}, got a report without; try another kind")
    if len(served) > MOST_LOOKS:
        raise VanishgradError(
            f"expected at most {MOST_LOOKS} models in a picture, got {len(served)}; try fewer models or layers"
        )
    return kind.draw(report, served)


def _kind(name: str) -> PictureKind:
    if name in KINDS_BY_NAME:
        return KINDS_BY_NAME[name]
    near = difflib.get_close_matches(name, KINDS_BY_NAME, n=1, cutoff=0.0)[0]
    raise UsageError(f"expected a picture out of {', '.join(KINDS_BY_NAME)}, got {name!r}; try {near}")


def _words(report: Report) -> str:
    return report.input + "".join(model.words for model in report.models)
