"""Page about a sweep: its table, each measure along its axes, and the plane of the first two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from vanishgrad.languages import translate, translated
from vanishgrad.questions.sweep.document import SweepDocument, SweptPoint
from vanishgrad.questions.sweep.measures import measure_named
from vanishgrad.questions.sweep.report import axes_of, by_model, headings, rows, sentences, title
from vanishgrad.reports.page.charts import ChartLine, line_chart
from vanishgrad.reports.page.content import PageBlock, PageChart, PageContent, PageSection, PageTable

Axes = Mapping[str, Sequence[Any]]
"""Axis → its values, numbers or texts."""
MAX_LINES = 60
"""Lines of a chart: with more, a plane shows what there is."""
FIRST_SHOWN = 7
LOG_SPAN = 30.0
"""An axis that spans this factor begins as a logarithmic one."""


def sweep_page(document: SweepDocument) -> PageContent:
    """Return what a page says of a sweep."""
    table = PageTable(tuple(map(translated, headings(document))), tuple(map(tuple, rows(document))))
    return PageContent(
        title=translate(
            "Where the gradient vanishes, stays or explodes: {models}", models=", ".join(by_model(document))
        ),
        about=title(document),
        sections=(
            PageSection(
                "table", translate("What was found"), (PageBlock(sentences=tuple(sentences(document)), table=table),)
            ),
            *(
                PageSection(f"measure-{i}", translated(name), (PageBlock(charts=tuple(_charts(document, name))),))
                for i, name in enumerate(document.request.measure)
            ),
        ),
    )


def _charts(document: SweepDocument, measure: str) -> Iterator[PageChart]:
    """Yield planes, and a chart of lines for each set of axes: not every MODEL has the same."""
    models = by_model(document)
    axes_of_model = {model: axes_of(points) for model, points in models.items()}
    yield from _planes(document, measure)
    for names in dict.fromkeys(tuple(axes) for axes in axes_of_model.values() if axes):
        own = {model: points for model, points in models.items() if tuple(axes_of_model[model]) == names}
        axes = axes_of([point for points in own.values() for point in points])
        lines = list(_lines(own, axes, measure))
        if 0 < len(lines) <= MAX_LINES:
            yield _chart(list(own), axes, lines, measure)


def _x(axes: Axes) -> str:
    """Return the axis to the right: the first one of numbers, else the first."""
    return next((name for name, values in axes.items() if not isinstance(values[0], str)), next(iter(axes)))


def _chart(models: Sequence[str], axes: Axes, lines: Sequence[ChartLine], measure: str) -> PageChart:
    x = _x(axes)
    others, asked, values = [name for name in axes if name != x], measure_named(measure), axes[x]
    has_names = isinstance(values[0], str)
    facets = [(translate("model"), models), *((name, [_label(each) for each in axes[name]]) for name in others)]
    return line_chart(
        translated(asked.title),
        (x, translated(measure)),
        facets,
        lines,
        [range(min(len(each), FIRST_SHOWN)) for _, each in facets],
        level=None if asked.neutral is None else (asked.neutral, translate("between vanishing and exploding")),
        log_x=not has_names and min(values) > 0 and max(values) >= LOG_SPAN * min(values),
        heading=", ".join([translate("model"), *others]),
        names=values if has_names else (),
    )


def _lines(models: Mapping[str, Sequence[SweptPoint]], axes: Axes, measure: str) -> Iterator[ChartLine]:
    """Yield a line along one axis for each MODEL and each value of the others; values that are texts are counted."""
    x = _x(axes)
    others = [name for name in axes if name != x]
    has_names = isinstance(axes[x][0], str)

    def of(point: SweptPoint) -> tuple[int, ...]:
        return (list(models).index(point.model), *(axes[name].index(point.coordinates[name]) for name in others))

    def along(point: SweptPoint) -> float:
        value: Any = point.coordinates[x]
        return axes[x].index(value) if has_names else value

    measured = [point for points in models.values() for point in points if measure in point.measures]
    for place, group in groupby(sorted(measured, key=lambda point: (of(point), along(point))), key=of):
        line = list(group)
        quantities = [point.measures[measure] for point in line]
        columns = ([getattr(each, name) for each in quantities] for name in ("value", "low", "high"))
        yield ChartLine(place, list(map(along, line)), *columns)


def _planes(document: SweepDocument, measure: str) -> Iterator[PageChart]:
    """Yield a plane of the first two axes for each MODEL that has no more."""
    asked = measure_named(measure)
    for model, own in by_model(document).items():
        axes = axes_of(own)
        if len(axes) != 2:
            continue
        (x, xs), (y, ys) = axes.items()
        values = {(p.coordinates[x], p.coordinates[y]): p.measures[measure].value for p in own if measure in p.measures}
        grid = [[values.get((at_x, at_y)) for at_x in xs] for at_y in ys]
        numbers = [value for row in grid for value in row if value is not None]
        if not numbers:
            continue
        low, high = min(numbers), max(numbers)
        if asked.neutral is not None:
            reach = max(abs(value - asked.neutral) for value in numbers) or 1.0
            low, high = asked.neutral - reach, asked.neutral + reach
        right, up = [_label(value) for value in xs], [_label(value) for value in ys]
        data = {
            "kind": "plane", "x": x, "y": y, "xs": right, "ys": up, "low": low, "high": high, "clipped": False,
            "rows": [_short(row) for row in grid], "measure": translated(measure), "neutral": asked.neutral,
        }  # fmt: skip
        table = PageTable(
            (f"{y} \\ {x}", *right),
            tuple(
                (name, *("–" if value is None else f"{value:.3g}" for value in row))
                for name, row in zip(up, grid, strict=True)
            ),
        )
        yield PageChart(f"{model}: {translated(asked.title)}", data, table)


def _label(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _short(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.4g}") for value in values]
