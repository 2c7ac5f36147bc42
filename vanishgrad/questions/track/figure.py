"""Picture of a training tracked: each layer's horizon from checkpoint to checkpoint, and its rate beneath."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vanishgrad.questions.plot.render import ENDINGS, RESOLUTION
from vanishgrad.questions.track.track import TrackDocument, TrackedLayer
from vanishgrad.reports.figures.page import Panels, sheet
from vanishgrad.reports.figures.palette import MUTED, RULE
from vanishgrad.reports.figures.style import drawable, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TONES, PALEST, DARKEST = "Blues", 0.4, 1.0
"""One sequential colour, from the first layer to the last."""
PANELS = Panels(number=2, columns=1, width=5.6, height=2.2, left=0.8, right=2.1, heading=0.2)
MAX_NAMED = 8
"""Places whose names stand on the axis where they are no numbers."""
NUMBER = re.compile(r"\d+")


def render(document: TrackDocument, ending: str) -> bytes:
    """Return the picture as the bytes of a file, the same for the same document."""
    out = io.BytesIO()
    with style("".join(layer.label for layer in document.layers)):
        draw(document).savefig(out, format=ending, dpi=RESOLUTION, metadata=dict(ENDINGS[ending]))
    return out.getvalue()


def draw(document: TrackDocument) -> Figure:
    """Draw horizons above rates, both against the numbers in the places' names, or against the places."""
    from matplotlib import colormaps

    layers = document.layers
    places = list(dict.fromkeys(point.place for layer in layers for point in layer.points))
    numbers, name = _positions(places)
    fell = [f"{layer.label} fell at {layer.fell}" for layer in layers if layer.fell]
    caution = [layer.caution for layer in layers if layer.caution][:1]
    caption = (
        "Above: the last lag up to which ‖∂s_T/∂s_k‖₂ has stayed at the threshold; hollow: it lies beyond the run. "
        "Beneath: nats that a step adds to ln ‖∂s_T/∂s_k‖₂; above 0 the gradient grows. Triangles: below half of the "
        "largest before.",
    )
    frame = "; ".join(fell) if fell else f"{len(places)} measurements, no horizon fell below half of the largest before"
    figure, (above, beneath) = sheet("How far the gradient reaches while training", ". ".join([*caution, frame]),
                                     caption, PANELS)  # fmt: skip
    where = dict(zip(places, numbers, strict=True))
    for i, layer in enumerate(layers):
        tone = PALEST + (DARKEST - PALEST) * (i / (len(layers) - 1) if len(layers) > 1 else 1)
        _draw_layer(above, beneath, layer, [where[point.place] for point in layer.points], colormaps[TONES](tone))
    above.set_yscale("symlog", linthresh=1)
    above.set_ylim(bottom=-0.3)
    _set_horizons(above, max([1, *(point.horizon or 0 for layer in layers for point in layer.points)]))
    above.set_ylabel("horizon (steps)")
    beneath.axhline(0, color=RULE, linewidth=0.8, zorder=0)
    beneath.set_ylabel("rate (nats a step)")
    for axes in (above, beneath):
        axes.grid(axis="y", color=RULE, linewidth=0.5)
        if name is None:
            shown = range(0, len(places), max(1, -(-len(places) // MAX_NAMED)))
            axes.set_xticks(list(shown), [drawable(places[k]) for k in shown])
    beneath.set_xlabel(name or "")
    above.tick_params(labelbottom=False)
    above.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False)
    return figure


def _draw_layer(
    above: Axes, beneath: Axes, layer: TrackedLayer, xs: Sequence[float], colour: tuple[float, ...]
) -> None:
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
            return [float(row[differing[0]]) for row in numbers], "step" if stem == "step #" else drawable(
                re.sub("#", "N", stem)
            )
    return [float(k) for k in range(len(places))], None


def _set_horizons(axes: Axes, largest: int) -> None:
    """Write round numbers at the heights of a horizon: 0, and 1, 3, 10, … up to the largest."""
    rounds = [step * 10**power for power in range(len(str(largest)) + 1) for step in (1, 3)]
    ticks = [0, *(each for each in rounds if each <= 1.5 * largest)]
    axes.set_yticks(ticks, [str(each) for each in ticks], color=MUTED)
    axes.minorticks_off()
    axes.set_ylim(top=1.6 * largest)
