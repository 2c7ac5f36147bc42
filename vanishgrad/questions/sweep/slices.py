"""Slices of a sweep: a measure along one axis with its interval, a line for each value of another axis or MODEL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.languages import translate
from vanishgrad.questions.sweep.axes import Value
from vanishgrad.questions.sweep.document import SweepDocument, SweptPoint
from vanishgrad.questions.sweep.figure import (
    MODEL,
    SweepPanel,
    SweepPicture,
    capitalised,
    caption_of,
    is_of_lags,
    label_of,
    name_of,
    places,
    sections,
    set_axis,
    theories,
)
from vanishgrad.questions.sweep.measures import measure_named
from vanishgrad.questions.sweep.report import axes_of, title
from vanishgrad.questions.sweep.theory import BIAS, CHRONO, GAIN, SHARP, setting_of
from vanishgrad.reports.figures.labels import Label, column_height, column_width, write_labels
from vanishgrad.reports.figures.page import Panels, sheet
from vanishgrad.reports.figures.palette import BLACK, MUTED, RULE, Look, looks
from vanishgrad.reports.figures.style import drawable, wrapped
from vanishgrad.reports.sentences import sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, COLUMNS = 3.2, 2.7, 2
MAX_LABELS = 9
"""Lines that are named; of more, every so many."""
SHADES = (0.0, 0.85)
"""Ends of the sequential map of which values of the second axis are colours."""
TALL = 50.0
"""A positive measure that spans this factor is drawn logarithmically."""


class Line(NamedTuple):
    """A line of a panel: its name, its look, its points along x, and the section of the report that it shows."""

    name: str
    look: Look
    xs: list[Value]
    points: Sequence[SweptPoint]

    def band(self, measure: str) -> tuple[Array, Array, Array]:
        """Return value, low and high of the measure by point, NaN where there is none."""
        quantities = [point.measures.get(measure) for point in self.points]
        rows = [(None, None, None) if each is None else (each.value, each.low, each.high) for each in quantities]
        value, low, high = np.array(rows, dtype=float).T
        return value, low, high


def draw_slices(document: SweepDocument, picture: SweepPicture, name: str) -> Figure:
    """Draw a panel for each MODEL at each value of the axes that are not shown."""
    assert picture.x is not None
    shown = [picture.x, *([picture.y] if picture.y else [])]
    panels = sections(document, *shown)
    if not panels:
        raise UsageError(f"expected a MODEL with the axes {' and '.join(shown)}, got none; try other --x and --y")
    lines = [_lines(document, panel, picture) for panel in panels]
    limits = _limits(lines, name)
    labels = [_labels(each, name) for each in lines]
    right = max(column_width([label.text for label in column]) if len(column) > 1 else 0.1 for column in labels)
    layout = Panels(
        len(panels), min(COLUMNS, len(panels)), WIDTH, max(HEIGHT, *map(column_height, labels), 0.1), left=0.72,
        right=right, between=0.45, heading=0.42 if any(panel.heading.strip() for panel in panels) else 0.16,
    )  # fmt: skip
    measure = measure_named(name)
    figure, every = sheet(
        translate("{measure} along {axis}", measure=capitalised(name_of(name)), axis=picture.x.replace("_", " ")),
        title(document),
        _caption(document, panels, picture, name), layout,
    )  # fmt: skip
    for i, (axes, panel, own, column) in enumerate(zip(every, panels, lines, labels, strict=True)):
        set_axis(axes, "x", picture.x if i + layout.columns >= len(panels) else "", own[0].xs)
        _set_heights(axes, limits, measure.neutral)
        axes.set_ylabel(label_of(name) if i % layout.columns == 0 else "", fontsize=8.5)
        for line in own:
            _draw(axes, line, name)
        _draw_theory(axes, document, panel, own, picture)
        axes.set_title(panel.heading, fontsize=9, loc="left")
        if len(column) > 1:
            write_labels(axes, column)
    return figure


def _caption(document: SweepDocument, panels: Sequence[SweepPanel], picture: SweepPicture, name: str) -> list[str]:
    band = translate("smallest to largest trial")
    if name.endswith(("rate", "lyapunov", "radius", "gate")):
        band = translate("the 95 % interval of the mean over trials")
    elif document.request.trials >= 20:
        band = translate("5 % to 95 % quantile over trials")
    bands = translate("Bands: {band}.", band=band) if document.request.trials > 1 else ""
    predicted = any(
        _predicted(document, line, picture) for panel in panels for line in _lines(document, panel, picture)
    )
    diamonds = translate("Diamonds: theory's critical values for n\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}∞.")
    of_theory = diamonds if predicted else ""
    return caption_of(name, [sentences(bands, of_theory)] if bands or of_theory else [])


def _lines(document: SweepDocument, panel: SweepPanel, picture: SweepPicture) -> list[Line]:
    import matplotlib

    assert picture.x is not None
    if picture.y == MODEL:
        models = [model for model in document.request.models if any(each.model == model for each in panel.points)]
        groups: dict[Value, list[SweptPoint]] = {
            model: [point for point in panel.points if point.model == model] for model in models
        }
    elif picture.y is None:
        groups = {"": list(panel.points)}
    else:
        values = axes_of(panel.points)[picture.y]
        groups = {value: [each for each in panel.points if each.coordinates[picture.y] == value] for value in values}
    shades = matplotlib.colormaps["viridis"](np.linspace(*SHADES, max(len(groups), 2)))
    lines = list[Line]()
    for i, (value, points) in enumerate(groups.items()):
        colour = matplotlib.colors.to_hex(shades[i])
        its_look = looks(tuple(document.request.models))[str(value)] if picture.y == MODEL else Look(colour)
        head = "" if picture.y in (None, MODEL) else f"{str(picture.y).replace('_', ' ')} = "
        name = f"{head}{value}".partition(":")[0] if isinstance(value, str) else f"{head}{value:.4g}"
        lines.append(
            Line(wrapped(drawable(name), 26, 2) if name else "", Look(BLACK) if picture.y is None else its_look,
                 [point.coordinates[picture.x] for point in points], points)
        )  # fmt: skip
    return lines


def _labels(lines: Sequence[Line], name: str) -> list[Label]:
    """Return the names at the lines' ends; of many lines every so many, the first and the last among them."""
    step = -(-len(lines) // MAX_LABELS)
    labels = list[Label]()
    for i, line in enumerate(lines):
        values, xs = line.band(name)[0], places(line.xs)
        known = np.flatnonzero(np.isfinite(values))
        if known.size and (i % step == 0 or i == len(lines) - 1):
            labels.append(Label(float(xs[known[-1]]), float(values[known[-1]]), line.name, line.look))
    return labels


def _limits(lines: Sequence[Sequence[Line]], name: str) -> tuple[float, float, bool]:
    """Return the least and greatest value of any band, and whether the axis is logarithmic."""
    every = np.concatenate([np.ravel(line.band(name)) for own in lines for line in own])
    values = every[np.isfinite(every)]
    if not values.size:
        return 0.0, 1.0, False
    low, high = float(values.min()), float(values.max())
    return low, high, measure_named(name).neutral is None and low > 0 and high > TALL * low


def _set_heights(axes: Axes, limits: tuple[float, float, bool], neutral: float | None) -> None:
    low, high, logarithmic = limits
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    if logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.15, high * 1.15)
        return
    room = 0.05 * ((high - low) or 1.0)
    axes.set_ylim(low - room, high + room)
    if neutral is not None and low - room < neutral < high + room:
        axes.axhline(neutral, color=MUTED, linewidth=1.0)


def _draw(axes: Axes, line: Line, name: str) -> None:
    xs, (values, low, high) = places(line.xs), line.band(name)
    if np.isfinite(low).any():
        axes.fill_between(xs, low, high, color=line.look.colour, alpha=0.18, linewidth=0)
    mark = "o" if len(xs) <= 40 else line.look.mark
    axes.plot(
        xs, values, label=line.name, color=line.look.colour, linestyle=line.look.linestyle, linewidth=1.5, marker=mark,
        markersize=2.6,
    )  # fmt: skip


def _predicted(document: SweepDocument, line: Line, picture: SweepPicture) -> list[tuple[str, float]]:
    """Return where along x each theory has a line cross its level: mean field, chrono of norms; or those named."""
    if picture.x not in (GAIN, BIAS) or picture.x not in line.points[0].coordinates:
        return []
    setting, named = setting_of(line.points[0], document.request), picture.overlay is not None
    own = [theory for theory in theories(picture) if theory.axis == picture.x and (named or theory.name != SHARP)]
    values = [(theory.name, theory.predicted(setting)) for theory in own]
    return [(name, value) for name, value in values if value is not None]


def _draw_theory(
    axes: Axes, document: SweepDocument, panel: SweepPanel, lines: Sequence[Line], picture: SweepPicture
) -> None:
    """Draw a diamond where theory has each line cross its level; below the panel if it speaks of no level of that."""
    neutral = measure_named(str(picture.measure)).neutral
    low, high = axes.get_ylim()
    level = low if neutral is None or not low < neutral < high else neutral
    first, last = places(lines[0].xs)[[0, -1]].tolist()
    for line in lines:
        for name, value in _predicted(document, line, picture):
            height = low if name == CHRONO and not is_of_lags(picture) else level  # a threshold of norms
            if first <= value <= last:
                axes.plot(
                    value, height, "D", color=line.look.colour, markersize=5, markerfacecolor="white",
                    markeredgewidth=1.2, clip_on=False, zorder=4,
                )  # fmt: skip
    if first < last:
        axes.set_xlim(first, last)
