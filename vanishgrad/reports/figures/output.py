"""A figure as the bytes of a file, the same for the same report, and the numbers that are drawn in it as CSV."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.reports.csv_rows import csv_text
from vanishgrad.reports.figures.style import SETTINGS
from vanishgrad.reports.files import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS: Mapping[str, Mapping[str, str | None]] = {
    "png": {"Software": "vanishgrad"},
    "svg": {"Creator": "vanishgrad", "Date": None},
    "pdf": {"Creator": "vanishgrad", "CreationDate": None},
    "pgf": {},
}
"""The formats of a picture, each with its metadata: no dates, so that the same report gives the same bytes."""
RESOLUTION = 160
"""Pixels per inch of a PNG."""
COLUMNS = ("panel", "x_axis", "y_axis", "series", "x", "y", "value")


def picture_bytes(figure: Figure, ending: str) -> bytes:
    """Return a figure as the bytes of a file.

    Text in SVG is drawn as paths: labels were placed by the extents of DejaVu Sans, which few readers have installed,
    and would overlap in another font. A PDF's fonts are TrueType. PGF is for LaTeX, which measures its text.

    Raises
    ------
    UsageError
        For another format.
    VanishgradError
        For PGF without LaTeX.
    """
    import matplotlib

    if ending not in ENDINGS:
        raise UsageError(f"expected a picture as {', '.join(ENDINGS)}, got {ending!r}; try svg")
    out = io.BytesIO()
    metadata: dict[str, Any] = {"metadata": dict(ENDINGS[ending])} if ENDINGS[ending] else {}
    with matplotlib.rc_context(SETTINGS):
        try:
            figure.savefig(out, format=ending, dpi=RESOLUTION, **metadata)
        except (RuntimeError, FileNotFoundError) as error:
            if ending != "pgf":
                raise
            first = str(error).splitlines()[0]
            raise VanishgradError(f"expected LaTeX with xelatex for a .pgf, got {first}; try .pdf") from None
    return out.getvalue()


def saved(figure: Figure, path: str | None) -> Figure:
    """Return a figure, written to a file if one is named."""
    if path is not None:
        write(path, picture_bytes(figure, Path(path).suffix[1:].lower()))
    return figure


def drawn_data(figure: Figure) -> str:
    """Return what is drawn as CSV: a row for each point of each line, and for each square of a map."""
    return csv_text(list(COLUMNS), (row for axes in figure.axes for row in _rows(axes)))


def _rows(axes: Axes) -> Iterator[list[Any]]:
    panel = axes.get_title(loc="left") or axes.get_title(loc="right")
    head = [panel, *(_axis_name(axes, direction) for direction in ("x", "y"))]
    for line in axes.lines:
        series = str(line.get_label())
        if not series.startswith("_"):
            points: Any = line.get_data()
            yield from ([*head, series, _number(x), _number(y), None] for x, y in zip(*points, strict=True))
    for bar in axes.patches:
        yield [*head, "bar", *_middle(bar)]
    for collection in axes.collections:
        yield from ([*head, *row] for row in _of_collection(collection))
    for image in axes.images:
        values: Any = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
        yield from ([*head, "map", x, y, value] for (y, x), value in np.ndenumerate(values) if np.isfinite(value))


def _middle(bar: Any) -> list[float | None]:
    """Return where a bar ends, the height of its middle, and its length."""
    return [
        _number(bar.get_x() + bar.get_width()),
        _number(bar.get_y() + bar.get_height() / 2),
        _number(bar.get_width()),
    ]


def _of_collection(collection: Any) -> Iterator[list[Any]]:
    """Yield the squares of a map, with their values, and the corners of bands."""
    from matplotlib.collections import PolyCollection, QuadMesh

    if isinstance(collection, QuadMesh):
        corners: Any = collection.get_coordinates()
        values: Any = np.ma.filled(np.ma.asarray(collection.get_array(), dtype=float), np.nan)
        middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
        for (x, y), value in zip(middles.reshape(-1, 2).tolist(), values.reshape(-1).tolist(), strict=True):
            yield ["map", x, y, _number(value)]
    elif isinstance(collection, PolyCollection):
        for path in collection.get_paths():
            yield from (["band", _number(x), _number(y), None] for x, y in np.asarray(path.vertices).tolist())


def _axis_name(axes: Axes, direction: str) -> str:
    """Return an axis's name, which panels of a row and of a column share; its data are logarithms where it says so."""
    shared = [axes, *axes.figure.axes]
    name = next((text for each in shared if (text := getattr(each, f"get_{direction}label")())), direction)
    is_log = getattr(axes, f"get_{direction}scale")() == "function"
    return f"log10 of {name}" if is_log else str(name)


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
