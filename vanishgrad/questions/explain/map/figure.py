"""The picture of a sequence's map: a norm for every pair of its steps, the tokens along the axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import translatable, translate
from vanishgrad.questions.explain.map.report import MapDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.labels import text_width
from vanishgrad.reports.figures.lines import numbers
from vanishgrad.reports.figures.log_axis import power_of_ten
from vanishgrad.reports.figures.page import FOOT, Panels, PictureKind, sheet
from vanishgrad.reports.figures.palette import MUTED, SHADE, VERMILLION
from vanishgrad.reports.figures.style import drawable, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

PANEL_INCHES = 4.6
"""Inches of a panel, both ways."""
LEFT, RIGHT, BAR, BAR_GAP = 0.95, 0.95, 0.14, 0.12
COLOURS = "cividis"
"""Made to look the same to readers with any colour vision (Nuñez et al. 2018)."""
MAX_THRESHOLD_POWER = 3.0
"""Colours end at this power of the threshold: what is below has long been gone."""
MAX_NAMES, LONGEST_NAME = 40, 6
UNDER_NAMES = 0.95
"""Inches below a panel whose steps are named: the longest name upright, and the axis's own."""
NAME_SIZE, NAME_GAP = 7, 0.02
SPACES = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍", "\0": "␀"})
CAPTION = translatable(
    "Each square: log₁₀ of ‖∂s_t/∂s_k‖₂ of the first sequence; a row looks back from step t, k ≤ t. Line: where it "
    "crosses the threshold. The colour ends at the threshold's third power."
)


def draw_map(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw a heat map for each model, with a bar of its colours."""
    has_tokens = any(model.sections["map"].tokens is not None for model in models)
    foot = UNDER_NAMES if has_tokens else FOOT
    layout = Panels(len(models), 2, PANEL_INCHES, PANEL_INCHES, LEFT, RIGHT, between=LEFT, foot=foot)
    figure, axes = sheet(
        translate("Where in the sequence the gradient dies"), frame(report, models), [translate(CAPTION)], layout
    )
    for panel, model in zip(axes, models, strict=True):
        section = model.sections["map"]
        image = _draw(panel, section, float(np.log10(report.request.threshold)))
        panel.set_title(wrapped(model.label, 50, 1), loc="left", fontsize=9.5, fontweight="bold")
        _bar(figure, panel, image)
    return figure


def _values(section: MapDocument) -> Array:
    """Return the map as a square, NaN above the diagonal and −∞ for exact zero."""
    rows = [numbers(row) for row in section.log10_norm]
    square = np.full((len(rows), len(rows)), np.nan)
    for i, row in enumerate(rows):
        square[i, : i + 1] = np.where(np.isnan(row[: i + 1]), -np.inf, row[: i + 1])
    return square


def _draw(axes: Axes, section: MapDocument, level: float) -> AxesImage:
    values = _values(section)
    high = max(0.0, float(np.nanmax(values)))
    low = min(max(MAX_THRESHOLD_POWER * level, math.floor(np.min(values[np.isfinite(values)]))), high - 1)
    values_in_range = np.ma.masked_invalid(np.maximum(values, low))
    image = axes.imshow(values_in_range, cmap=COLOURS, vmin=low, vmax=high, origin="upper", interpolation="nearest")
    axes.set_facecolor(SHADE)
    if (values[~np.isnan(values)] < level).any():
        _outline(axes, values >= level)
    _name(axes, section)
    return image


def _outline(axes: Axes, alive: Array) -> None:
    """Draw the edges between what is alive and what is not, within the triangle."""
    for i in range(len(alive)):
        for k in range(i + 1):
            if k < i and alive[i, k] != alive[i, k + 1]:
                axes.plot([k + 0.5, k + 0.5], [i - 0.5, i + 0.5], color=VERMILLION, linewidth=1.2)
            if i and k < i and alive[i, k] != alive[i - 1, k]:
                axes.plot([k - 0.5, k + 0.5], [i - 0.5, i - 0.5], color=VERMILLION, linewidth=1.2)


def _name(axes: Axes, section: MapDocument) -> None:
    """Write the tokens, or else the steps, along both axes."""
    times, names = section.times, section.tokens
    skip = math.ceil(len(times) / (MAX_NAMES if names else 10))
    places = list(range(len(times) - 1, -1, -skip))[::-1]
    texts = [str(times[i]) if names is None else _between(names, times, i) for i in places]
    upright = names is None or max(map(_width, texts)) < PANEL_INCHES * skip / len(times) - NAME_GAP
    axes.set_xticks(places, texts, rotation=0 if upright else 90)
    axes.set_yticks(places, texts)
    axes.tick_params(length=0 if names else 2, labelsize=NAME_SIZE if names else 8.5, color=MUTED)
    axes.set_xlabel(translate("step k") if names is None else translate("step k: the token that it took in"))
    axes.set_ylabel(translate("step t") if names is None else translate("step t: the token that it took in"))


def _width(text: str) -> float:
    return text_width(text, NAME_SIZE)


def _between(names: Sequence[str], times: Sequence[int], place: int) -> str:
    """Return the tokens since the time before, spaces made visible."""
    before = times[place - 1] if place else max(times[place] - 1, 0)
    text = drawable("".join(names[before : times[place]]).translate(SPACES))
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def _bar(figure: Figure, axes: Axes, image: AxesImage) -> None:
    box = axes.get_position()
    width = float(figure.get_figwidth())
    cax = figure.add_axes((box.x1 + BAR_GAP / width, box.y0, BAR / width, box.height))
    bar = figure.colorbar(image, cax=cax)
    low, high = image.get_clim()
    step = max(1, math.ceil((high - low) / 8))
    ticks = np.arange(math.ceil(low / step) * step, high + 1e-9, step)
    bar.set_ticks(ticks.tolist(), labels=[power_of_ten(int(tick)) for tick in ticks])
    bar.outline.set_linewidth(0.5)


MAP_PICTURE = PictureKind(
    "The norm between any two steps of a sequence, with its tokens along the axes: where does the gradient die?",
    "the map of vanishgrad explain",
    lambda model: model.sections.get("map") is not None,
    draw_map,
)
