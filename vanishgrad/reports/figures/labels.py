"""Names written at the ends of lines, moved apart where they would overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.reports.figures.options import ENDS, INSIDE, legend_place
from vanishgrad.reports.figures.palette import INK, MUTED, LineStyle, Look

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

FONT_POINTS = 8.5
LINE_HEIGHT = 0.145
"""Inches from one line of a label to the next."""
GAP = 0.03
"""Inches between two labels."""
LEADER, SWATCH = 0.16, 0.3
"""Inches from the panel to where a label's swatch begins, and its length."""
WITHOUT = 0.15
"""Inches to the right of a panel whose labels stand elsewhere."""
BEFORE_TEXT = LEADER + SWATCH + 0.06


_LEGENDS: WeakKeyDictionary[Figure, dict[str, Artist]] = WeakKeyDictionary()
"""Figure → name → line, of a legend that is yet to be drawn inside."""


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


def inches_of(axes: Axes) -> tuple[float, float]:
    """Return the width and the height of a panel."""
    return axes.bbox.width / axes.figure.dpi, axes.bbox.height / axes.figure.dpi


def column_width(texts: Sequence[str]) -> float:
    """Return the inches that a column of labels takes beside a panel."""
    if legend_place() != ENDS:
        return WITHOUT
    return BEFORE_TEXT + max(text_width(text) for text in texts) + 0.1


def column_height(labels: Sequence[Label]) -> float:
    """Return the inches that labels take one below the other."""
    return 0.0 if legend_place() != ENDS else sum(label.height for label in labels)


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
    """Write labels to the right of a panel that is high enough for them, each joined to the end of its line.

    Elsewhere they stand in the legend, where `finish` puts it.
    """
    if legend_place() != ENDS:
        for label in labels:
            _for_legend(axes, label)
        return
    width, height = inches_of(axes)
    ordered = sorted(labels, key=lambda label: label.y)
    ends = axes.transAxes.inverted().transform(axes.transData.transform([(each.x, each.y) for each in ordered]))
    if column_height(ordered) > height + 1e-9:
        raise UsageError(
            f"expected a panel {column_height(ordered):.2g} inches high for its labels, got {height:.2g}; "
            "try --legend inside, or a larger --size"
        )
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


def _for_legend(axes: Axes, label: Label) -> None:
    """Add an empty line that a legend names."""
    from matplotlib.lines import Line2D

    look, figure = label.look, axes.figure.figure
    line = Line2D([], [], color=look.colour, linestyle=look.linestyle, marker=look.mark, markersize=3.5, linewidth=1.6)
    if figure is not None:
        _LEGENDS.setdefault(figure, {}).setdefault(label.text.replace("\n", " "), line)


def legend_beside(axes: Axes, **place: Any) -> None:
    """Name the labelled lines of a panel beside it, or where the picture has its legend."""
    if legend_place() == ENDS:
        axes.legend(frameon=False, **place)
        return
    figure = axes.figure.figure
    for handle, text in zip(*axes.get_legend_handles_labels(), strict=True):
        if figure is not None:
            _LEGENDS.setdefault(figure, {}).setdefault(str(text), handle)


def width_beside(inches: float) -> float:
    """Return the inches that a legend beside a panel takes."""
    return inches if legend_place() == ENDS else WITHOUT


def finish(figure: Figure) -> None:
    """Draw the one legend of a figure in its first panel, if it is to stand inside: every name once."""
    if legend_place() != INSIDE:
        return
    lines = _LEGENDS.pop(figure, {})
    if lines:
        figure.axes[0].legend(
            list(lines.values()), list(lines), fontsize=7, loc="best", framealpha=0.85, edgecolor="none"
        )


def _line(axes: Axes, x: Sequence[float], y: Sequence[float], colour: str, width: float, style: LineStyle) -> Line2D:
    from matplotlib.lines import Line2D

    line = Line2D(x, y, color=colour, linewidth=width, linestyle=style, transform=axes.transAxes, clip_on=False)
    return axes.add_line(line)
