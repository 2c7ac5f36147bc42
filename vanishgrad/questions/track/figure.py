"""Picture of a training tracked: each layer's horizon from checkpoint to checkpoint, and its rate beneath."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vanishgrad.languages import translate, translated
from vanishgrad.questions.track.track import TrackDocument, TrackedLayer
from vanishgrad.reports.figures.labels import finish, legend_beside, width_beside
from vanishgrad.reports.figures.options import PLAIN, PictureOptions, chosen, drawn_with
from vanishgrad.reports.figures.output import picture_bytes
from vanishgrad.reports.figures.page import Panels, sheet
from vanishgrad.reports.figures.palette import MUTED, RULE, shade
from vanishgrad.reports.figures.style import drawable, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = Panels(number=2, columns=1, width=5.6, height=2.2, left=0.8, right=2.1, heading=0.2)
MAX_NAMED = 8
"""Places whose names stand on the axis where they are no numbers."""
WIDE_SPAN = 10
"""Factor between horizons from which on their axis is logarithmic."""
NUMBER = re.compile(r"\d+")


def render(document: TrackDocument, ending: str, options: PictureOptions = PLAIN) -> bytes:
    """Return the picture as the bytes of a file, the same for the same document."""
    return picture_bytes(draw(document, options), ending)


def draw(document: TrackDocument, options: PictureOptions = PLAIN) -> Figure:
    """Draw horizons above rates, both against the numbers in the places' names, or against the places."""
    with drawn_with(options, "track"), style("".join(layer.label for layer in document.layers)):
        figure = _draw(document, chosen(document.layers, [layer.label for layer in document.layers]))
        finish(figure)
    return figure


def _draw(document: TrackDocument, layers: Sequence[TrackedLayer]) -> Figure:
    places = list(dict.fromkeys(point.place for layer in layers for point in layer.points))
    numbers, name = _positions(places)
    fell = [
        translate("{label} fell at {place}", label=layer.label, place=translated(layer.fell))
        for layer in layers
        if layer.fell
    ]
    caution = [translated(layer.caution) for layer in layers if layer.caution][:1]
    caption = (
        translate(
            "Above: the last lag up to which ‖∂s_T/∂s_k‖₂ has stayed at the threshold; hollow: it lies beyond the run. "
            "Beneath: nats that a step adds to ln ‖∂s_T/∂s_k‖₂; above 0 the gradient grows. Triangles: below half of "
            "the largest before."
        ),
    )
    frame = translate("; ").join(fell) or translate(
        "{count} measurements, no horizon fell below half of the largest before", count=len(places)
    )
    figure, (above, beneath) = sheet(
        translate("How far the gradient reaches while training"), translate(". ").join([*caution, frame]), caption,
        PANELS._replace(right=width_beside(PANELS.right)),
    )  # fmt: skip
    where = dict(zip(places, numbers, strict=True))
    for i, layer in enumerate(layers):
        colour = shade(i / (len(layers) - 1) if len(layers) > 1 else 1)
        _draw_layer(above, beneath, layer, [where[point.place] for point in layer.points], colour)
    _set_horizons(above, [point.horizon or 0 for layer in layers for point in layer.points])
    above.set_ylabel(translate("horizon (steps)"))
    beneath.axhline(0, color=RULE, linewidth=0.8, zorder=0)
    beneath.set_ylabel(translate("rate (nats a step)"))
    for axes in (above, beneath):
        axes.grid(axis="y", color=RULE, linewidth=0.5)
        if name is None:
            shown = range(0, len(places), max(1, -(-len(places) // MAX_NAMED)))
            axes.set_xticks(list(shown), [drawable(places[k]) for k in shown])
    beneath.set_xlabel(name or "")
    above.tick_params(labelbottom=False)
    legend_beside(above, loc="upper left", bbox_to_anchor=(1.02, 1.0))
    return figure


def _draw_layer(above: Axes, beneath: Axes, layer: TrackedLayer, xs: Sequence[float], colour: str) -> None:
    horizons = [math.nan if point.horizon is None else point.horizon for point in layer.points]
    above.plot(xs, horizons, color=colour, linewidth=1.4, label=drawable(layer.label))
    for is_open, face in ((False, colour), (True, "white")):
        chosen = [k for k, point in enumerate(layer.points) if point.horizon_censored == is_open]
        above.plot([xs[k] for k in chosen], [horizons[k] for k in chosen], "o", color=colour, markersize=3.5,
                   markerfacecolor=face)  # fmt: skip
    for k, point in enumerate(layer.points):
        if point.place == layer.fell:
            height = 0 if math.isnan(horizons[k]) else horizons[k]
            above.plot([xs[k]], [height], "v", color=colour, markersize=8, markerfacecolor="none", markeredgewidth=1.2)
    rates = [math.nan if point.rate is None else point.rate for point in layer.points]
    beneath.plot(xs, rates, "o-", color=colour, linewidth=1.4, markersize=3)


def _positions(places: Sequence[str]) -> tuple[list[float], str | None]:
    """Return where places stand, and what the axis is of: the one number in which their names differ, else None."""
    numbers = [NUMBER.findall(place) for place in places]
    stems = {NUMBER.sub("#", place) for place in places}
    if len(stems) == 1 and len(places) > 1 and numbers[0]:
        differing = [k for k in range(len(numbers[0])) if len({row[k] for row in numbers}) > 1]
        if len(differing) == 1:
            stem = stems.pop()
            return [float(row[differing[0]]) for row in numbers], translate("step") if stem == "step #" else drawable(
                re.sub("#", "N", stem)
            )
    return [float(k) for k in range(len(places))], None


def _set_horizons(axes: Axes, horizons: Sequence[int]) -> None:
    """Give horizons an axis from below the least to above the largest, logarithmic where they span a factor of ten."""
    least, largest = min(horizons), max([1, *horizons])
    if largest < WIDE_SPAN * max(least, 1):
        room = max(0.08 * (largest - least), 0.5)
        axes.set_ylim(max(least - room, -0.5), largest + room)
        axes.locator_params(axis="y", nbins=6, integer=True)
        return
    rounds = [step * 10**power for power in range(len(str(largest)) + 1) for step in (1, 3)]
    low = 0 if least < 1 else least
    axes.set_yscale("symlog", linthresh=1, linscale=0.25)
    ticks = [0] * (low == 0) + [each for each in rounds if low / 1.5 <= each <= 1.5 * largest]
    axes.set_yticks(ticks, [str(each) for each in ticks], color=MUTED)
    axes.minorticks_off()
    axes.set_ylim(low / 1.4 if low else -0.15, 1.4 * largest)
