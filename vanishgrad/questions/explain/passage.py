"""What a section says to people: set as text in a terminal, and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """A section's words and numbers.

    Attributes
    ----------
    title : str
        What is shown, in a few words.
    sentences : tuple of str
        What the numbers say, read before them.
    headings, rows : tuples
        A table, if there are rows: the first column to the left, the others to the right; it has to fit 80 columns.
    legend : str
        What the headings mean, if they do not say it themselves.
    """

    title: str
    sentences: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    legend: str = ""
