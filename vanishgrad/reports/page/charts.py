"""Line charts of a page: norms by lag of many models and curves, thinned to what a screen can show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vanishgrad.languages import translate
from vanishgrad.reports.documents.curve import BandDocument, CurveDocument
from vanishgrad.reports.page.content import PageChart, PageTable

EVEN_POINTS, LOG_POINTS = 240, 120
"""Lags of a line, evenly spaced and in equal ratios: as many as a wide screen shows on either axis."""
RESOLUTION = 2000
"""Values that a chart tells apart from its bottom to its top: five to a pixel."""
TABLE_LAGS = (0, 1, 2, 5, 10, 20, 50)
LONG = 1000
"""Lags from which their axis begins as a logarithmic one."""
Facets = Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class ChartLine:
    """A line of a chart.

    Attributes
    ----------
    of : tuple of int
        Its value of each facet, by place.
    x, y : sequences
        None in `y`: exactly zero, which a logarithmic axis has no place for.
    low, high : sequences
        A band about it; empty: none.
    """

    of: tuple[int, ...]
    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


def line_chart(
    title: str,
    axes: tuple[str, str],
    facets: Facets,
    lines: Sequence[ChartLine],
    shown: Sequence[Sequence[int]] = (),
    level: tuple[float, str] | None = None,
    log_x: bool = False,
    heading: str = "",
    names: Sequence[str] = (),
) -> PageChart:
    """Return a chart of lines that can be switched on and off by facet: model, curve.

    Parameters
    ----------
    title : str
    axes : (str, str)
        What x and y are.
    facets : sequence of (name, values)
        The first decides the colour of a line, the second its dashes.
    lines : sequence of ChartLine
    shown : sequence of sequence of int, optional
        The values of each facet that are shown at first; all if empty.
    level : (float, str), optional
        A horizontal line, and what it is.
    log_x : bool
        Whether the axis of x begins as a logarithmic one.
    heading : str
        What a row of the table is.
    names : sequence of str
        What x = 0, 1, 2, … are called, where they are no numbers.
    """
    digits = _decimals([value for line in lines for value in line.y if value is not None])
    data = {
        "kind": "lines",
        "x": axes[0],
        "y": axes[1],
        "log": None if names else log_x,
        "names": list(names),
        "digits": digits,
        "facets": [
            {"name": name, "values": list(values), "shown": list(chosen)}
            for (name, values), chosen in zip(
                facets, shown or [range(len(values)) for _, values in facets], strict=True
            )
        ],
        "lines": [_line(line, digits) for line in lines],
        "level": None if level is None else {"y": level[0], "name": level[1]},
    }
    return PageChart(title, data, _table(facets, lines, heading or axes[0], names))


def _decimals(values: Sequence[float]) -> int:
    """Return the decimals that a chart of these values needs."""
    height = max(values, default=0.0) - min(values, default=0.0)
    return 2 if height == 0 else min(max(math.ceil(math.log10(RESOLUTION / height)), 1), 9)


def _line(line: ChartLine, digits: int) -> dict[str, Any]:
    """Return a line as the script takes it: `x` is a number where it counts from there on, columns are differences."""
    first, counts = line.x[0], all(x == line.x[0] + i for i, x in enumerate(line.x))
    columns: Mapping[str, Sequence[float | None]] = {"y": line.y, "low": line.low, "high": line.high}
    of_script: dict[str, Any] = {"of": list(line.of), "x": first if counts else list(line.x)}
    return of_script | {name: _differences(values, digits) for name, values in columns.items() if values}


def _differences(values: Sequence[float | None], digits: int) -> list[int | None]:
    """Return each value's difference from the one before it, in units of the last decimal; null stays."""
    differences, before = list[int | None](), 0
    for value in values:
        if value is None or not math.isfinite(value):
            differences.append(None)
        else:
            now = round(value * 10**digits)
            differences.append(now - before)
            before = now
    return differences


def _table(facets: Facets, lines: Sequence[ChartLine], heading: str, names: Sequence[str]) -> PageTable:
    """Return the same as a table: a row for each line, a column for some x."""
    x = sorted({each for line in lines for each in line.x})
    columns = [value for value in (*TABLE_LAGS, *(100 * 10**i for i in range(8))) if value in x]
    columns = [*[value for value in columns if value < x[-1]], x[-1]] if len(x) > len(TABLE_LAGS) + 1 else x
    rows = []
    for line in lines:
        values = dict(zip(line.x, line.y, strict=True))
        place = [values_[i] for i, (_, values_) in zip(line.of, facets, strict=True) if len(values_) > 1 or i == 0]
        rows.append((" · ".join(place), *(_shown(values[at]) if at in values else "" for at in columns)))
    return PageTable((heading, *(names[int(value)] if names else f"{value:g}" for value in columns)), tuple(rows))


def _shown(value: float | None) -> str:
    return translate("none") if value is None else f"{value + 0.0:.3g}"


def norm_line(of: tuple[int, ...], curve: CurveDocument, has_band: bool = True) -> ChartLine:
    """Return a curve's median, and its band, at the lags that were measured, as many as a chart shows."""
    measured = [lag for lag, count in enumerate(curve.count) if count]
    line = band_line(of, curve.log10_norm, [measured[i] for i in chart_places(len(measured))])
    return line if has_band else replace(line, low=(), high=())


def band_line(of: tuple[int, ...], band: BandDocument, lags: Sequence[int]) -> ChartLine:
    """Return the median and the band of some lags."""
    median, low, high = ([values[lag] for lag in lags] for values in (band.median, band.low, band.high))
    return ChartLine(of, lags, median, *(() if low == median == high else (low, high)))


def ranked_line(
    of: tuple[int, ...],
    values: Sequence[float | None],
    low: Sequence[float | None] = (),
    high: Sequence[float | None] = (),
) -> ChartLine:
    """Return values against their ranks from 1 on, at as many of them as a chart shows."""
    places = chart_places(len(values))
    columns = ([column[place] for place in places] for column in (values, low, high) if column)
    return ChartLine(of, [place + 1 for place in places], *columns)


def chart_places(size: int) -> list[int]:
    """Return the places of a list that a chart shows: all, or some, even on both kinds of axis."""
    if size <= EVEN_POINTS:
        return list(range(size))
    even = np.linspace(0, size - 1, EVEN_POINTS)
    return np.unique(np.append(even, np.geomspace(1, size - 1, LOG_POINTS)).round().astype(int)).tolist()


def threshold_level(thresholds: Iterable[float]) -> tuple[float, str] | None:
    """Return the line of the one threshold that curves are held against; none where there are several."""
    values = set(thresholds)
    if len(values) != 1:
        return None
    threshold = values.pop()
    return math.log10(threshold), translate("threshold {threshold}", threshold=f"{threshold:g}")
