"""Colour-blind-safe palette of lines: Okabe and Ito's colours, then dashes, then markers."""

from __future__ import annotations

from typing import Literal, NamedTuple

BLUE, VERMILLION, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#000000"
SKY, PURPLE, ORANGE = "#56B4E9", "#CC79A7", "#E69F00"

INK, MUTED, RULE, SHADE = "#222222", "#5f5f5f", "#dddddd", "#f3f3f3"
"""Of text, of text that is less important, of the grid, of a part without data."""

COLOURS = (BLACK, VERMILLION, BLUE, SKY, GREEN, ORANGE, PURPLE)
"""Okabe and Ito's palette (2008) without its yellow, which white paper swallows."""
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.2, 1.2), (5, 1.4, 1.2, 1.4))
"""Ink and gap by turns, in line widths; 4 has no divisor in common with 7, so that 28 pairs differ."""
MARKS = ("", "o", "s", "^")
MAX_LOOKS = len(COLOURS) * len(DASHES) * len(MARKS)

LineStyle = Literal["-"] | tuple[float, tuple[float, ...]]


class Look(NamedTuple):
    """How one line is drawn."""

    colour: str
    dashes: tuple[float, ...] = ()
    mark: str = ""

    @property
    def linestyle(self) -> LineStyle:
        """The dashes as matplotlib writes them."""
        return (0.0, self.dashes) if self.dashes else "-"


def look(index: int) -> Look:
    """Return the look of the model at a place in the report."""
    block = index // (len(COLOURS) * len(DASHES))
    return Look(COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)], MARKS[block % len(MARKS)])


CURVES = {
    "state": Look(BLACK),
    "hidden": Look(VERMILLION, DASHES[1]),
    "cell": Look(BLUE, DASHES[1]),
    "conveyor": Look(ORANGE, DASHES[2]),
    "input": Look(GREEN, DASHES[3]),
    "output": Look(PURPLE, DASHES[2]),
    "total": Look(SKY, DASHES[1]),
    "four_term": Look(SKY, DASHES[2]),
    "stack": Look(MUTED, DASHES[3]),
}
"""The looks of one model's curves beside one another."""

BOUNDS = (Look(VERMILLION, DASHES[1]), Look(BLUE, DASHES[1]), Look(PURPLE, DASHES[1]), Look(GREEN, DASHES[1]))
"""Proved bounds are dashed, all of them."""
