"""Phase diagram: a measure over two axes, its contours and verdict regions, and theory's critical lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.languages import translatable, translate
from vanishgrad.questions.sweep.axes import Value
from vanishgrad.questions.sweep.document import SweepDocument, SweptPoint
from vanishgrad.questions.sweep.figure import (
    SweepPanel,
    SweepPicture,
    caption_of,
    label_of,
    line_of,
    name_of,
    places,
    sections,
    set_axis,
    theories,
    tick_texts,
)
from vanishgrad.questions.sweep.measures import Measure, MeasuredQuantity, measure_named
from vanishgrad.questions.sweep.report import axes_of, title
from vanishgrad.questions.sweep.theory import CHRONO, MEAN_FIELD, SHARP
from vanishgrad.reports.figures.labels import text_width
from vanishgrad.reports.figures.page import Panels, sheet
from vanishgrad.reports.figures.palette import INK, SHADE
from vanishgrad.reports.sentences import sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
PANEL = Panels(
    number=1, columns=COLUMNS, width=2.7, height=2.3, left=0.62, right=0.12, between=0.32, heading=0.42, margin=0.85
)
AXIS, WIDE_TICK = 0.34, "−0.75"
"""Inches that an axis takes beside its ticks' texts, one of which may be as wide."""
BAR_GAP, BAR = 0.14, 0.12
"""Inches from the last panel to the bar of colours, and its width."""
DIVERGING, SEQUENTIAL = "RdBu_r", "viridis"
"""Blue vanishes, red explodes; a measure without a neutral value has no two sides."""
DASHES = {MEAN_FIELD: (4, 2), CHRONO: (1.2, 1.4), SHARP: (5, 1.4, 1.2, 1.4)}
"""Of each theory's line."""
CAPTIONS = {
    MEAN_FIELD: translatable(
        "Dashed: mean field for n\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}∞ (at rest: eigenvalue 1 at s = 0)."
    ),
    CHRONO: translatable("Dotted: chrono, σ(b)^T = threshold."),
    SHARP: translatable("Dash-dotted: N1, √φ = √ω + √(κη) at s = 0; to its left no direction of c is lost."),
}
CLIPPED_SHARE, CLIPPED_FACTOR = 0.95, 1.5
"""Colours end at this quantile of the values' sizes, where the largest lies beyond it by this factor."""
LEAST_REGION = 0.04
"""Share of a panel's points from which on a region is named."""
VERDICTS = {-1: "vanishing", 0: "preserved", 1: "exploding"}
FONT = 7.5
SPOTS = 3
"""Places of which a region's name takes the one furthest from other names."""
ENOUGH = 0.3
"""Inches between texts beyond which further apart is no better."""
SHOWN = {MEAN_FIELD: translatable("mean field"), SHARP: "N1"}


class Grid(NamedTuple):
    """Points of a panel on the two axes: values along x and y, and each point's quantity (y, x), None where none is."""

    xs: list[Value]
    ys: list[Value]
    points: list[list[SweptPoint | None]]

    def quantities(self, measure: str) -> list[list[MeasuredQuantity | None]]:
        """Return what was measured, (y, x)."""
        return [[point.measures.get(measure) if point else None for point in row] for row in self.points]

    def values(self, measure: str) -> Array:
        """Return the measure's values, (y, x), NaN where there is none."""
        rows = self.quantities(measure)
        return np.array(
            [[np.nan if each is None or each.value is None else each.value for each in row] for row in rows]
        )


def draw_phases(document: SweepDocument, picture: SweepPicture, name: str) -> Figure:
    """Draw a panel for each MODEL at each value of the axes that are not shown, on one scale of colours."""
    assert picture.x is not None and picture.y is not None
    panels = sections(document, picture.x, picture.y)
    if not panels:
        raise UsageError(f"expected a MODEL with the axes {picture.x} and {picture.y}, got none; try other --x and --y")
    measure, grids = measure_named(name), [_grid(panel, picture.x, picture.y) for panel in panels]
    limits = _limits([grid.values(name) for grid in grids], measure)
    heading = PANEL.heading if any(panel.heading.strip() for panel in panels) else 0.16
    left = AXIS + max(text_width(text) for grid in grids for text in (WIDE_TICK, *tick_texts(grid.ys).values()))
    laid = PANEL._replace(number=len(panels), columns=min(COLUMNS, len(panels)), heading=heading, left=left)
    figure, every = sheet(
        translate("Phase diagram: {measure}", measure=name_of(name)),
        title(document),
        _caption(document, panels, picture, name),
        laid,
    )
    for i, (axes, panel, grid) in enumerate(zip(every, panels, grids, strict=True)):
        mesh = _heat(axes, grid, name, measure, limits, picture)
        set_axis(axes, "x", picture.x if i + laid.columns >= len(panels) else "", grid.xs)
        set_axis(axes, "y", picture.y if i % laid.columns == 0 else "", grid.ys)
        axes.tick_params(axis="y", labelleft=i % laid.columns == 0 or grid.ys != grids[i - 1].ys)
        _overlay(axes, document, panel, grid, picture, _name_regions(axes, grid, name))
        axes.set_title(panel.heading, fontsize=9, loc="left")
    _add_bar(figure, every[min(laid.columns, len(panels)) - 1], mesh, name, limits, measure)
    return figure


def _caption(document: SweepDocument, panels: Sequence[SweepPanel], picture: SweepPicture, name: str) -> list[str]:
    neutral = measure_named(name).neutral
    parts = []
    if neutral is not None:
        parts.append(translate("White is {neutral}: bluer vanishes, redder explodes.", neutral=f"{neutral:g}"))
    levels = _levels(measure_named(name), picture)
    if levels:
        parts.append(translate("Solid line: {levels}.", levels=translate(", ").join(f"{each:g}" for each in levels)))
    drawn = dict.fromkeys(
        theory
        for panel in panels
        for theory, xs, ys in _lines(document, panel, _grid(panel, str(picture.x), str(picture.y)), picture)
        if np.isfinite(xs + ys).any()
    )
    parts += [translate(CAPTIONS[theory]) for theory in drawn]
    if not parts or any(point.failed for panel in panels for point in panel.points):
        parts.append(translate("Grey: no value."))
    return caption_of(name, [sentences(*parts)])


def _grid(panel: SweepPanel, x: str, y: str) -> Grid:
    axes = axes_of(panel.points)
    xs, ys = axes[x], axes[y]
    points: list[list[SweptPoint | None]] = [[None] * len(xs) for _ in ys]
    for point in panel.points:
        points[ys.index(point.coordinates[y])][xs.index(point.coordinates[x])] = point
    return Grid(xs, ys, points)


def _limits(grids: Sequence[Array], measure: Measure) -> tuple[float, float]:
    values = np.concatenate([grid[np.isfinite(grid)] for grid in grids])
    if not values.size:
        return 0.0, 1.0
    if measure.neutral is None:
        return float(values.min()), float(values.max())
    sizes = np.abs(values - measure.neutral)
    most, largest = float(np.quantile(sizes, CLIPPED_SHARE)), float(sizes.max())
    reach = (most if 0 < most * CLIPPED_FACTOR < largest else largest) or 1.0
    return measure.neutral - reach, measure.neutral + reach


def _levels(measure: Measure, picture: SweepPicture) -> list[float]:
    if picture.contour is not None:
        return sorted(picture.contour)
    return [] if measure.neutral is None else [measure.neutral]


def _heat(
    axes: Axes, grid: Grid, name: str, measure: Measure, limits: tuple[float, float], picture: SweepPicture
) -> Any:
    import matplotlib

    colours = matplotlib.colormaps[SEQUENTIAL if measure.neutral is None else DIVERGING].with_extremes(bad=SHADE)
    xs, ys, values = places(grid.xs), places(grid.ys), np.ma.masked_invalid(grid.values(name))
    mesh = axes.pcolormesh(xs, ys, values, cmap=colours, vmin=limits[0], vmax=limits[1], shading="nearest")
    mesh.set_rasterized(values.size > 10**4)
    axes.set_facecolor(SHADE)
    inside = values.compressed()
    levels = [level for level in _levels(measure, picture) if (inside < level).any() and (inside > level).any()]
    if levels and min(values.shape) > 1:
        lines = axes.contour(xs, ys, values, levels, colors=INK, linewidths=1.3, linestyles="solid")
        if len(levels) > 1 or levels != [measure.neutral]:
            axes.clabel(lines, fontsize=FONT, fmt="%g")
    return mesh


def _add_bar(figure: Figure, last: Axes, mesh: Any, name: str, limits: tuple[float, float], measure: Measure) -> None:
    box, width = last.get_position(), figure.get_figwidth()
    place = (box.x1 + BAR_GAP / width, box.y0, BAR / width, box.height)
    shown = mesh.get_array().compressed()
    beyond = bool((shown < limits[0]).any()) + 2 * bool((shown > limits[1]).any())
    bar = figure.colorbar(mesh, cax=figure.add_axes(place), extend=("neither", "min", "max", "both")[beyond])
    bar.outline.set_visible(False)
    bar.set_label(label_of(name), fontsize=8.5)
    if measure.neutral is not None:
        bar.ax.axhline(measure.neutral, color=INK, linewidth=1.0)


def _lines(
    document: SweepDocument, panel: SweepPanel, grid: Grid, picture: SweepPicture
) -> Iterator[tuple[str, Array, Array]]:
    """Yield the name of each theory, and its line along x and y within the panel."""
    for theory in theories(picture):
        along, values = (picture.y, grid.ys) if theory.axis == picture.x else (picture.x, grid.xs)
        others, line = line_of(document, panel, theory, str(along), values)
        own = grid.xs if theory.axis == picture.x else grid.ys
        low, high = (float(own[0]), float(own[-1])) if line.size else (0.0, 0.0)
        line = np.where((line >= low) & (line <= high), line, np.nan)
        yield theory.name, *((line, others) if theory.axis == picture.x else (others, line))


def _overlay(
    axes: Axes, document: SweepDocument, panel: SweepPanel, grid: Grid, picture: SweepPicture, taken: list[Array]
) -> None:
    """Draw theory's lines, each with its name where no other text stands."""
    limits = axes.get_xlim(), axes.get_ylim()
    for name, xs, ys in _lines(document, panel, grid, picture):
        inside = np.flatnonzero(np.isfinite(xs + ys))
        if not inside.size:
            continue
        axes.plot(xs, ys, color="white", linewidth=2.8, alpha=0.7)
        axes.plot(xs, ys, color=INK, linestyle=(0, DASHES[name]), linewidth=1.3)
        axes.set_xlim(limits[0])
        axes.set_ylim(limits[1])
        spots = inside[(np.linspace(0.1, 0.9, 9) * (inside.size - 1)).astype(int)]
        _write_apart(
            axes, [(float(xs[i]), float(ys[i])) for i in spots], translate(SHOWN.get(name, name)), taken, style="italic"
        )


def _write_apart(
    axes: Axes, spots: Sequence[tuple[float, float]], text: str, taken: list[Array], **keywords: Any
) -> None:
    """Write a text at the spot that is furthest from other texts, in inches, of which one is two wide and one high."""
    inches = axes.transData.transform(spots) / axes.figure.dpi * np.array([0.4, 1.0])
    apart = [min((float(np.abs(place - other).max()) for other in taken), default=1.0) for place in inches]
    best = int(np.argmax(np.minimum(apart, ENOUGH)))
    taken.append(inches[best])
    _write(axes, *spots[best], text, **keywords)


def _write(axes: Axes, x: float, y: float, text: str, **keywords: Any) -> None:
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.2, foreground="white", alpha=0.85)]
    axes.text(
        x, y, text, color=INK, fontsize=FONT, ha="center", va="center", path_effects=halo, clip_on=True, **keywords
    )


def _name_regions(axes: Axes, grid: Grid, measure: str) -> list[Array]:
    """Write the name of each region where it is widest, and return the places, in inches."""
    has_verdict = any(point and "verdict" in point.measures for row in grid.points for point in row)
    own = "verdict" if has_verdict else measure
    names = [[_region(point, own) for point in row] for row in grid.points]
    xs, ys, taken = places(grid.xs), places(grid.ys), list[Array]()
    for name in dict.fromkeys(name for row in names for name in row if name):
        inside = np.array([[each == name for each in row] for row in names])
        if inside.sum() < max(LEAST_REGION * inside.size, 2):
            continue
        spots = [(float(xs[column]), float(ys[row])) for row, column in _widest(inside)]
        _write_apart(axes, spots, translate(name), taken, weight="bold")
    return taken


def _region(point: SweptPoint | None, measure: str) -> str:
    """Return what a point is called by its interval; empty for none."""
    quantity = point.measures.get(measure) if point else None
    if quantity is None or quantity.value is None or point is None:
        return ""
    low = quantity.value if quantity.low is None else quantity.low
    high = quantity.value if quantity.high is None else quantity.high
    if measure.endswith("verdict"):
        return VERDICTS[round(quantity.value)] if low == high else "inconclusive"
    if measure.endswith("horizon"):
        return translatable("reaches T") if quantity.censored else translatable("forgets within T")
    if measure_named(measure).neutral is None:
        return ""
    neutral = measure_named(measure).neutral or 0.0
    return VERDICTS[-1] if high < neutral else VERDICTS[1] if low > neutral else ""


def _widest(inside: Array) -> list[tuple[int, int]]:
    """Return the places (row, column) that are furthest from whatever is outside, the panel's edges included."""
    padded = np.pad(inside, 1)
    shape = np.array(padded.shape)
    outside = np.argwhere(~padded) / shape
    cells = np.argwhere(inside)
    distances = [float(np.abs(outside - (cell + 1) / shape).max(axis=1).min()) for cell in cells]
    return [(int(cells[i][0]), int(cells[i][1])) for i in np.argsort(distances)[::-1][:SPOTS]]
