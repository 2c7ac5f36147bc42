"""Colour-blind-safe palette of lines: Okabe and Ito's colours, then dashes, then markers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple
from zlib import crc32

BLUE, VERMILLION, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#000000"
SKY, PURPLE, ORANGE = "#56B4E9", "#CC79A7", "#E69F00"

INK, MUTED, RULE, SHADE = "#222222", "#5f5f5f", "#dddddd", "#f3f3f3"
"""Of text, of text that is less important, of the grid, of a part without data."""

COLOURS = (BLACK, VERMILLION, BLUE, SKY, GREEN, ORANGE, PURPLE)
"""Okabe and Ito's palette (2008) without its yellow, which white paper swallows."""
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.2, 1.2), (5, 1.4, 1.2, 1.4))
"""Ink and gap by turns, in line widths; 4 has no divisor in common with 7, so that 28 pairs differ."""
MARKS = ("", "o", "s", "^")
SALT = "27080"
"""With it the models of `compare` without arguments have seven colours."""
MAX_LOOKS = len(COLOURS) * len(DASHES) * len(MARKS)

OF_A_FILE = re.compile(r"(?P<file>[^=]*\.\w+):(?P<layer>[^=:]+)")
FIRST, LAST = (158, 202, 225), (8, 48, 107)
"""Of checkpoints and other steps of one sequence."""

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
    """Return the look of the line at a place among others of its kind."""
    block = index // (len(COLOURS) * len(DASHES))
    return Look(COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)], MARKS[block % len(MARKS)])


@lru_cache(maxsize=64)
def looks(labels: tuple[str, ...]) -> Mapping[str, Look]:
    """Return label → its look: a colour that belongs to the label, wherever it stands and whatever stands beside it.

    One layer of two files is one colour with two dashes; of more files, as the checkpoints of a training, one sequence
    of shades from the first to the last. Of other labels that want one colour the first by name has it, the others the
    next that is free; beyond as many labels as colours they share them, told apart by dashes and marks. One alone has
    no dashes.
    """
    by_file = _looks_of_files(labels)
    if by_file is not None:
        return by_file
    places, taken = dict[str, int](), set[int]()
    for label in sorted(set(labels)):
        wanted = crc32(f"{SALT}{label}".encode()) % len(COLOURS)
        free = [place for place in range(MAX_LOOKS) if place not in taken] or [0]
        turn = min(free) // len(COLOURS)
        own = [place for place in free if place // len(COLOURS) == turn] or free
        places[label] = min(own, key=lambda place: (place - wanted) % len(COLOURS))
        taken.add(places[label])
    if len(places) == 1:
        return {label: Look(look(place).colour) for label, place in places.items()}
    return {label: look(place) for label, place in places.items()}


def _looks_of_files(labels: tuple[str, ...]) -> Mapping[str, Look] | None:
    """Return the looks of layers that several files have, ``FILE:LAYER``; None for other labels."""
    parts = [OF_A_FILE.fullmatch(label) for label in labels]
    if not all(parts) or len(set(labels)) < len(labels):
        return None
    files = list(dict.fromkeys(part["file"] for part in parts if part))
    layers = list(dict.fromkeys(part["layer"] for part in parts if part))
    if len(files) < 2 or len(labels) != len(files) * len(layers) or (len(files) > 2 and len(layers) > 1):
        return None
    if len(files) == 2:
        places = {layer: i for i, layer in enumerate(sorted(layers))}
        pairs = [(places[part["layer"]], files.index(part["file"])) for part in parts if part]
        return {
            label: Look(COLOURS[place % len(COLOURS)], DASHES[file], MARKS[place // len(COLOURS) % len(MARKS)])
            for label, (place, file) in zip(labels, pairs, strict=True)
        }
    return {label: Look(shade(i / (len(labels) - 1))) for i, label in enumerate(labels)}


def shade(share: float) -> str:
    """Return a colour of the sequence from the first, 0, to the last, 1: pale to dark blue."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(FIRST, LAST, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"


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
