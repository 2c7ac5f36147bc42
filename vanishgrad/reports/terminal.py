"""Terminal: how wide a page for people is, whether it has colours, and tables that fit it.

A table's first column, the labels, takes what the others leave and breaks its texts; where that is too narrow to read,
columns that may give way are left out, the least important first. No heading is ever cut.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from vanishgrad.languages import ENGLISH, language, translate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

NARROWEST, WIDEST = 60, 160
"""Columns of a terminal that pages are made for."""
LONGEST_LINE = 100
"""Columns of a paragraph; longer lines are hard to read."""
LEAST_LABEL = 12
"""Columns that a label keeps, if it needs them."""


class Terminal(NamedTuple):
    """Where a page goes: its columns, and whether the escape codes of colours are wanted."""

    width: int = 80
    has_colour: bool = False


FILE = Terminal()
"""A file, a pipe or a string."""


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    heading : str
        In English; tables show it in the language spoken.
    is_text : bool
        To the left, not to the right as numbers are.
    gives_way : int
        Where there is no room, columns go in this order, 1 first; 0 stays.
    """

    heading: str
    is_text: bool = False
    gives_way: int = 0


Rows = Sequence[Sequence["str | Text"]]


def console_to(out: io.StringIO, terminal: Terminal) -> Console:
    """Return a console that writes what a terminal has room for."""
    from rich.console import Console

    return Console(
        file=out,
        width=terminal.width,
        force_terminal=terminal.has_colour,
        color_system="standard" if terminal.has_colour else None,
        highlight=False,
        emoji=False,  # a layer may be called :heart:
        legacy_windows=False,
        force_jupyter=False,  # where it would display each line by itself, and leave `out` empty
    )


def print_wrapped(console: Console, text: str) -> None:
    """Print a paragraph, hanging under its first word."""
    console.print("\n".join(_lines(console, text, "  ")), markup=False)


def print_legend(console: Console, text: str) -> None:
    """Print what the headings of a table mean, below it."""
    console.print("\n".join(_lines(console, text, "")), style="dim", markup=False)


def _lines(console: Console, text: str, indent: str) -> list[str]:
    return paragraph(text, min(console.width, LONGEST_LINE) - 1, indent)


def paragraph(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text in lines of so many columns, broken as its language is; all but the first are indented."""
    if language() == ENGLISH:
        return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
    from vanishgrad.reports.chinese_lines import chinese_lines

    margin = text[: len(text) - len(text.lstrip())]
    first, *rest = chinese_lines(text.lstrip(), width - max(len(indent), len(margin)))
    return [margin + first, *(indent + line for line in rest)]


def cell_width(text: str) -> int:
    """Return the columns that a text takes on a terminal: two for each Chinese character."""
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, columns: int) -> str:
    """Return a text with blanks to so many columns."""
    return text + " " * (columns - cell_width(text))


def fitted(columns: Sequence[Column], rows: Rows, width: int, gap: int = 1) -> Table:
    """Return a table of at most so many columns of characters, or as narrow as its numbers allow.

    Parameters
    ----------
    columns, rows : sequences
        The first column is the label.
    gap : int
        Blanks between columns.
    """
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    headings = [translate(column.heading) for column in columns]
    needs = [
        max(cell_len(part) for cell in (heading, *cells) for part in str(cell).split("\n"))
        for heading, *cells in zip(headings, *rows, strict=True)
    ]
    shown = remaining(columns, needs, width, gap)
    room = max(width - _taken(needs, shown[1:], gap), cell_len(headings[0]), min(LEAST_LABEL, needs[0]))
    labels = [folded(str(row[0]), room) for row in rows]
    longest = max(cell_len(line) for label in (headings[0], *labels) for line in label.split("\n"))
    table = Table(box=SIMPLE_HEAD, padding=(0, gap - 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(headings[0], no_wrap=True, min_width=longest)
    for i in shown[1:]:
        justify: Literal["left", "right"] = "left" if columns[i].is_text else "right"
        table.add_column(headings[i], justify=justify, no_wrap=True, min_width=needs[i])
    for label, row in zip(labels, rows, strict=True):
        table.add_row(Text(label), *(row[i] for i in shown[1:]))
    return table


def remaining(columns: Sequence[Column], needs: Sequence[int], width: int, gap: int = 1) -> list[int]:
    """Return the places of the columns that there is room for."""
    shown = list(range(len(columns)))
    leaving = sorted((column.gives_way, i) for i, column in enumerate(columns) if column.gives_way)
    for _, i in leaving:
        if width - _taken(needs, shown[1:], gap) >= min(LEAST_LABEL, needs[0]):
            break
        shown.remove(i)
    return shown


def _taken(needs: Sequence[int], places: Iterable[int], gap: int) -> int:
    return sum(needs[i] + gap for i in places)


def folded(label: str, width: int) -> str:
    """Return a label in lines of at most so many characters, broken behind its own separators where they allow it."""
    if len(label) <= width:
        return label
    lines = [""]
    for piece in re.findall(rf"[^@:,/.]{{1,{width - 1}}}[@:,/.]?|[@:,/.]", label):
        if len(lines[-1]) + len(piece) > width and lines[-1]:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def page(
    terminal: Terminal, heading: str, table: Sequence[Column], rows: Rows, legend: str, sentences: Iterable[str]
) -> str:
    """Return a heading, a table whose rows begin with a label, its legend, and sentences below."""
    out = io.StringIO()
    console = console_to(out, terminal)
    print_wrapped(console, heading)
    console.print()
    console.print(fitted(table, rows, terminal.width, gap=2), crop=False)
    if legend:
        print_legend(console, legend)
    console.print()
    for line in sentences:
        print_wrapped(console, line)
    return out.getvalue()
