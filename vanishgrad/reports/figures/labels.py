"""Names written at the ends of lines, moved apart where they would overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.reports.figures.palette import INK, MUTED, LineStyle, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

FONT_POINTS = 8.5
LINE_HEIGHT = 0.145
"""Inches from one line of a label to the next."""
GAP = 0.03
"""Inches between two labels."""
LEADER, SWATCH = 0.16, 0.3
"""Inches from the panel to where a label's swatch begins, and its length."""
BEFORE_TEXT = LEADER + SWATCH + 0.06


class Label(NamedTuple):
    """What is written at the end of a line."""

    x: float
    y: float
    text: str
    look: Look
    colour: str = INK

    @property
    def height(self) -> float:
        """Inches that it takes, the gap to the next included."""
        return (self.text.count("\n") + 1) * LINE_HEIGHT + GAP


def text_width(text: str, size: float = FONT_POINTS, weight: str = "normal") -> float:
    """Return the inches that the longest line of a text takes in the fonts of the present style."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    artist = figure.text(0, 0, text, fontsize=size, fontweight=weight)
    return float(artist.get_window_extent().width / figure.dpi)


def column_width(texts: Sequence[str]) -> float:
    """Return the inches that a column of labels takes beside a panel."""
    return BEFORE_TEXT + max(text_width(text) for text in texts) + 0.1


def column_height(labels: Sequence[Label]) -> float:
    """Return the inches that labels take one below the other."""
    return sum(label.height for label in labels)


def spread(centres: Array, heights: Array, low: float, high: float) -> Array:
    """Return the centres nearest to given ones (least squares) at which intervals neither overlap nor change order.

    With offset_i the sum of half heights up to i, centre_i − offset_i has to ascend: an isotonic regression, by
    pooling adjacent violators, clipped to the room there is.

    Parameters
    ----------
    centres, heights : (N,) array
        Ascending centres.
    low, high : float
        The room, at least as long as the heights together.
    """
    offsets = np.cumsum(heights) - heights / 2
    pools: list[tuple[float, int]] = []
    for target in (centres - offsets).tolist():
        pools.append((target, 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (second, m), (first, n) = pools.pop(), pools.pop()
            pools.append(((first * n + second * m) / (n + m), n + m))
    shifted = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    result: Array = np.clip(shifted, low, high - heights.sum()) + offsets
    return result


def write_labels(axes: Axes, labels: Sequence[Label]) -> None:
    """Write labels to the right of a panel that is high enough for them, each joined to the end of its line."""
    width, height = axes.bbox.width / axes.figure.dpi, axes.bbox.height / axes.figure.dpi
    ordered = sorted(labels, key=lambda label: label.y)
    ends = axes.transAxes.inverted().transform(axes.transData.transform([(each.x, each.y) for each in ordered]))
    centres = spread(ends[:, 1] * height, np.array([each.height for each in ordered]), 0.0, height)
    for label, end, centre in zip(ordered, ends, centres / height, strict=True):
        begin, stop = 1 + LEADER / width, 1 + (LEADER + SWATCH) / width
        _line(axes, [end[0], begin], [end[1], centre], MUTED, 0.6, (0, (1, 1.5)))
        swatch = _line(axes, [begin, stop], [centre, centre], label.look.colour, 1.8, label.look.linestyle)
        swatch.set(marker=label.look.mark, markersize=3.5, markevery=[0])
        axes.text(
            1 + BEFORE_TEXT / width, centre, label.text, color=label.colour, fontsize=FONT_POINTS, va="center_baseline",
            transform=axes.transAxes,
        )  # fmt: skip


def _line(axes: Axes, x: Sequence[float], y: Sequence[float], colour: str, width: float, style: LineStyle) -> Line2D:
    from matplotlib.lines import Line2D

    line = Line2D(x, y, color=colour, linewidth=width, linestyle=style, transform=axes.transAxes, clip_on=False)
    return axes.add_line(line)
