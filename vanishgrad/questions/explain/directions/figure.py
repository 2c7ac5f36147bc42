"""Pictures of all singular values of a product, by rank, at several lags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import translatable, translate, translated
from vanishgrad.questions.explain.directions.report import DirectionsAtLagDocument, DirectionsDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.labels import Label, column_height, column_width, text_width, write_labels
from vanishgrad.reports.figures.lines import BANDS, numbers
from vanishgrad.reports.figures.log_axis import Decades
from vanishgrad.reports.figures.page import Panels, PictureKind, sheet
from vanishgrad.reports.figures.palette import DASHES, Look
from vanishgrad.reports.figures.style import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, COLUMNS, AXIS = 2.6, 2.6, 2, 0.5
FEW_RANKS = 12
"""Ranks up to which each is marked."""
CAPTION = translatable(
    "Lines: the singular values of ∂s_T/∂s_k (cell: of ∂c_T/∂c_k) by rank, median over trials; bands: {band}. "
    "A line that is level is an isometry; one that falls steeply preserves few directions."
)


class SpectrumLine(NamedTuple):
    """The singular values at one lag, base-10 logarithms, NaN for zero."""

    text: str
    look: Look
    median: Array
    low: Array
    high: Array


def draw_directions(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw a panel for each model and block, a line for each lag."""
    panels = [panel for model in models for panel in _panels(model)]
    lines = [line for _, lines_of_panel in panels for line in lines_of_panel]
    scale = Decades.of([edge for line in lines for edge in (line.median, line.low, line.high)])
    columns = [_labels(lines_of_panel, scale) for _, lines_of_panel in panels]
    heading = 0.2 + 0.16 * max(title.count("\n") + 1 for title, _ in panels)
    layout = Panels(
        len(panels), COLUMNS, WIDTH, max(HEIGHT, *map(column_height, columns)),
        AXIS + max(map(text_width, scale.ticks.values())),
        max(column_width([label.text for label in column]) for column in columns), between=0.12, heading=heading,
    )  # fmt: skip
    notes = [translate(CAPTION, band=translate(BANDS[report.request.band]))]
    figure, all_axes = sheet(translate("How many directions the gradient keeps"), frame(report, models), notes, layout)
    for i, (axes, (title, lines_of_panel)) in enumerate(zip(all_axes, panels, strict=True)):
        _draw(axes, lines_of_panel, scale)
        axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold")
        axes.tick_params(axis="y", labelleft=i % COLUMNS == 0)
        axes.set_ylabel(translate("singular value (no unit)") if i % COLUMNS == 0 else "")
        axes.set_xlabel(translate("rank of the singular value") if i + COLUMNS >= len(panels) else "")
    return figure


def _panels(model: ModelDocument) -> list[tuple[str, list[SpectrumLine]]]:
    directions: DirectionsDocument = model.sections["directions"]
    blocks = {"state": directions.blocks["state"], **directions.blocks}
    return [
        (f"{wrapped(model.label, 30, 2)}: {wrapped(translated(name), 12, 1)}", _lines(lags))
        for name, lags in blocks.items()
    ]


def _lines(lags: Sequence[DirectionsAtLagDocument]) -> list[SpectrumLine]:
    import matplotlib
    from matplotlib.colors import to_hex

    shade = matplotlib.colormaps["viridis"]
    places = np.linspace(0.85, 0.0, len(lags)).tolist()
    return [_line(each, to_hex(shade(place)), i) for i, (each, place) in enumerate(zip(lags, places, strict=True))]


def _line(at_lag: DirectionsAtLagDocument, colour: str, place: int) -> SpectrumLine:
    sigma = at_lag.log10_sigma
    return SpectrumLine(
        translate("lag {lag}", lag=at_lag.lag),
        Look(colour, DASHES[place % len(DASHES)]),
        *map(numbers, (sigma.median, sigma.low, sigma.high)),
    )


def _labels(lines: Sequence[SpectrumLine], scale: Decades) -> list[Label]:
    return [Label(len(line.median), float(scale.heights(line.median)[-1]), line.text, line.look) for line in lines]


def _draw(axes: Axes, lines: Sequence[SpectrumLine], scale: Decades) -> None:
    scale.apply(axes)
    count = max(len(line.median) for line in lines)
    axes.set_xlim(1, max(count, 2))
    axes.locator_params(axis="x", nbins=6, integer=True)
    for line in lines:
        ranks, colour = np.arange(1, len(line.median) + 1), line.look.colour
        axes.fill_between(
            ranks, scale.heights(line.low), scale.heights(line.high), color=colour, alpha=0.18, linewidth=0
        )
        axes.plot(
            ranks, scale.heights(line.median), color=colour, linestyle=line.look.linestyle, linewidth=1.6,
            marker="." if count <= FEW_RANKS else "", clip_on=False, label=line.text,
        )  # fmt: skip
    write_labels(axes, _labels(lines, scale))


DIRECTIONS_PICTURE = PictureKind(
    "All singular values at a few lags: how many directions the gradient keeps, and how alike.",
    "the directions of vanishgrad explain",
    lambda model: model.sections.get("directions") is not None,
    draw_directions,
)
