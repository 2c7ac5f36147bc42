"""A section of an explanation: what each of its parts takes and returns.

A section is a folder (``measure.py``, ``report.py``, ``figure.py``) and one row of `sections.SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vanishgrad.languages import english
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.figures.page import PictureKind

if TYPE_CHECKING:
    from vanishgrad.questions.explain.run import Run

Series = Iterator[tuple[str, int, "float | None"]]
"""Rows of CSV: name of a series, index, value; None for the logarithm of an exact zero."""


@dataclass(frozen=True)
class Absent:
    """Why a section does not apply to a run, as a clause."""

    reason: str


MASKED = english("some steps are masked, and its theory is of steps that are all taken; --lengths leaves padding out")
"""Why a section does not apply to a run with masked steps."""
NO_GATES = english("it needs gates and weights, and of this cell there are derivatives alone")
"""Why a section does not apply to a recorded module."""


@dataclass(frozen=True)
class Passage:
    """The words and the table of a section, set as text in a terminal and as Markdown.

    Attributes
    ----------
    title : str
        What is shown, in a few words.
    sentences : tuple of str
        What the numbers say, read before them.
    headings, rows : tuples
        A table, if there are rows: the first column to the left, the others to the right.
    legend : str
        What the headings mean, if they do not say it themselves.
    """

    title: str
    sentences: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    legend: str = ""


@dataclass(frozen=True)
class ExplainSection:
    """A row of the register.

    Attributes
    ----------
    measure : callable
        Run → the section's result, frozen, or `Absent`.
    document : callable
        (the result, the model's document so far) → the section's part of the JSON document.
    declared : type
        The type of that part: by it a report is written, read and described.
    passage : callable
        (the section's document, the model's document) → its words and its table.
    series : callable
        The section's document → its rows of CSV.
    pictures : mapping
        `--kind` → a kind of picture that needs the section.
    """

    measure: Callable[[Run], Any]
    document: Callable[[Any, ModelDocument], Any]
    declared: Any
    passage: Callable[[Any, ModelDocument], Passage]
    series: Callable[[Any], Series]
    pictures: Mapping[str, PictureKind] = field(repr=False)
