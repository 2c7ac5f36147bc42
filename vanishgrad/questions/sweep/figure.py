"""The phase diagram: a measure over two axes, its neutral contour, and theory's critical line."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.questions.plot.render import ENDINGS, RESOLUTION
from vanishgrad.questions.sweep.axes import Value, value_text
from vanishgrad.questions.sweep.document import CriticalGain, SweepDocument, SweptPoint
from vanishgrad.questions.sweep.measures import Measure, measure_named
from vanishgrad.questions.sweep.report import axes_of, by_model, title
from vanishgrad.questions.sweep.theory import GAIN, RATE, others
from vanishgrad.reports.figures.page import Panels, sheet
from vanishgrad.reports.figures.palette import INK, SHADE
from vanishgrad.reports.figures.style import drawable, style, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KIND = "phase"
COLUMNS = 3
PANEL = Panels(number=1, columns=COLUMNS, width=2.7, height=2.3, left=0.75, right=0.95, between=0.45, heading=0.5)
DIVERGING, SEQUENTIAL = "RdBu_r", "viridis"
"""Blue vanishes, red explodes; a measure without a neutral value has no two sides."""
LOG_SPAN = 8.0
"""An axis whose values have equal ratios, and span this factor, is drawn logarithmically."""


@dataclass(frozen=True)
class PhaseRequest:
    """What a phase diagram shows; None takes the first that there is.

    Attributes
    ----------
    x, y : str or None
        Axes.
    measure : str or None
    theory : bool
        Whether theory's critical line is drawn.
    """

    x: str | None = None
    y: str | None = None
    measure: str | None = None
    theory: bool = True


@dataclass(frozen=True)
class _Panel:
    """The points of a MODEL at one value of every axis but two."""

    model: str
    rest: Mapping[str, Value]
    points: Sequence[SweptPoint]


def draw(document: SweepDocument, asked: PhaseRequest) -> Figure:
    """Return the phase diagram of a sweep.

    Raises
    ------
    UsageError
        If there are no two such axes, or no such measure.
    """
    x, y = phase_axes(list(axes_of(document.points)), asked)
    measure = asked.measure or document.request.measure[0]
    if measure not in document.request.measure:
        raise UsageError(
            f"expected a measure out of {', '.join(document.request.measure)}, got {measure!r}; try --measure"
        )
    with style("".join(document.request.models)):
        return _draw(document, x, y, measure, asked.theory)


def render(document: SweepDocument, asked: PhaseRequest, ending: str) -> bytes:
    """Return the picture as the bytes of a file, the same for the same document.

    Raises
    ------
    UsageError
        As `draw`.
    """
    out = io.BytesIO()
    with style("".join(document.request.models)):
        draw(document, asked).savefig(out, format=ending, dpi=RESOLUTION, metadata=dict(ENDINGS[ending]))
    return out.getvalue()


def phase_axes(names: Sequence[str], asked: PhaseRequest) -> tuple[str, str]:
    """Return the two axes of a phase diagram, out of those that a sweep has.

    Raises
    ------
    UsageError
        If there are no two such axes.
    """
    for name in filter(None, (asked.x, asked.y)):
        if name not in names:
            raise UsageError(f"expected an axis out of {', '.join(names) or 'none'}, got {name!r}; try another")
    free = [name for name in names if name not in (asked.x, asked.y)]
    x = asked.x or (free.pop(0) if free else None)
    y = asked.y or (free.pop(0) if free else None)
    if x is None or y is None or x == y:
        raise UsageError(
            f"expected two axes for a phase diagram, got {', '.join(names) or 'none'}; "
            "try vanishgrad sweep with --hidden 64,128"
        )
    return x, y


def _draw(document: SweepDocument, x: str, y: str, name: str, theory: bool) -> Figure:
    measure, panels = measure_named(name), list(_panels(document, x, y))
    if not panels:
        raise UsageError(f"expected a MODEL with the axes {x} and {y}, got none; try other --x and --y")
    grids = [_grid(panel, x, y, name) for panel in panels]
    limits = _limits([grid for _, _, grid in grids], measure)
    laid = PANEL._replace(number=len(panels), columns=min(COLUMNS, len(panels)))
    figure, every = sheet(f"Phase diagram: {name}", title(document), _caption(measure, theory and name == RATE), laid)
    for axes, panel, (xs, ys, grid) in zip(every, panels, grids, strict=True):
        mesh = _heat(axes, xs, ys, grid, measure, limits)
        if theory and name == RATE:
            _overlay(axes, document.critical, panel, x, y)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        rest = "".join(f", {key} = {value_text(value)}" for key, value in panel.rest.items())
        axes.set_title(wrapped(drawable(panel.model.partition(":")[0] + rest), 40, 2), fontsize=9, loc="left")
        box = axes.get_position()
        bar = figure.add_axes((box.x1 + 0.08 / figure.get_figwidth(), box.y0, 0.1 / figure.get_figwidth(), box.height))
        figure.colorbar(mesh, cax=bar)
    return figure


def _caption(measure: Measure, theory: bool) -> list[str]:
    neutral = "" if measure.neutral is None else f" Line: {measure.neutral:g}, between vanishing (blue) and exploding."
    overlay = " Dashed: the critical gain that theory gives for n → ∞." if theory else ""
    return [f"Colour: {measure.title}.{neutral}{overlay} Grey: no value."]


def _panels(document: SweepDocument, x: str, y: str) -> list[_Panel]:
    panels = list[_Panel]()
    for model, points in by_model(document).items():
        rest = [others(point.coordinates, x, y) for point in points]
        for remaining in [value for i, value in enumerate(rest) if value not in rest[:i]]:
            own = [point for point, its in zip(points, rest, strict=True) if its == remaining]
            if {x, y} <= own[0].coordinates.keys():
                panels.append(_Panel(model, remaining, own))
    return panels


def _grid(panel: _Panel, x: str, y: str, name: str) -> tuple[Array, Array, Array]:
    """Return the values along x and y, and the measure (y, x), NaN where there is none."""
    axes = axes_of(panel.points)
    grid = np.full((len(axes[y]), len(axes[x])), np.nan)
    for point in panel.points:
        value = point.measures[name].value if name in point.measures else None
        if value is not None:
            grid[axes[y].index(point.coordinates[y]), axes[x].index(point.coordinates[x])] = value
    return np.array(axes[x]), np.array(axes[y]), grid


def _limits(grids: Sequence[Array], measure: Measure) -> tuple[float, float]:
    values = np.concatenate([grid[np.isfinite(grid)] for grid in grids])
    if not values.size:
        return 0.0, 1.0
    if measure.neutral is None:
        return float(values.min()), float(values.max())
    reach = float(np.abs(values - measure.neutral).max()) or 1.0
    return measure.neutral - reach, measure.neutral + reach


def _heat(axes: Axes, xs: Array, ys: Array, grid: Array, measure: Measure, limits: tuple[float, float]) -> Any:
    import matplotlib

    colours = matplotlib.colormaps[SEQUENTIAL if measure.neutral is None else DIVERGING].with_extremes(bad=SHADE)
    for values, scale in ((xs, axes.set_xscale), (ys, axes.set_yscale)):
        if _is_geometric(values):
            scale("log")
    masked = np.ma.masked_invalid(grid)
    mesh = axes.pcolormesh(xs, ys, masked, cmap=colours, vmin=limits[0], vmax=limits[1], shading="nearest")
    axes.set_facecolor(SHADE)
    values = masked.compressed()
    crosses = measure.neutral is not None and (values < measure.neutral).any() and (values > measure.neutral).any()
    if crosses and min(grid.shape) > 1:
        axes.contour(xs, ys, masked, [measure.neutral], colors=INK, linewidths=1.4)
    return mesh


def _is_geometric(values: Array) -> bool:
    if values[0] <= 0 or len(values) < 3 or values[-1] < LOG_SPAN * values[0]:
        return False
    ratios = values[1:] / values[:-1]
    return bool(ratios.max() < 1.1 * ratios.min())


def _overlay(axes: Axes, critical: Sequence[CriticalGain], panel: _Panel, x: str, y: str) -> None:
    """Draw theory's critical line, where one of the axes is the gain."""
    if GAIN not in (x, y):
        return
    along = y if x == GAIN else x
    line = sorted(
        (each.coordinates[along], each.predicted)
        for each in critical
        if each.model == panel.model and others(each.coordinates, along) == panel.rest and each.predicted is not None
    )
    if not line:
        return
    values, gains = (np.array(column) for column in zip(*line, strict=True))
    limits = axes.get_xlim(), axes.get_ylim()
    axes.plot(*((gains, values) if x == GAIN else (values, gains)), color=INK, linestyle=(0, (4, 2)), linewidth=1.2)
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])
