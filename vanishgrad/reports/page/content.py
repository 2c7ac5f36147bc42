"""What a page shows, before it is HTML: cards, sections, tables and charts, in one language.

Texts are as people read them; labels, tokens and names of files are a user's own, and whatever stands in them is text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PageTable:
    """A table whose first column names its rows.

    Attributes
    ----------
    headings : tuple of str
    rows : tuple of tuple of str
    legend : str
        What the headings mean, if they do not say it themselves.
    quantiles : tuple of tuple of float
        For each row numbers within [0, 1], ascending, that are drawn as a bar behind it; none: no bars.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: str = ""
    quantiles: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class PageChart:
    """A chart that the page's script draws, and the table that says the same; None where its block has one that does.

    Attributes
    ----------
    title : str
    data : mapping
        What the script draws, as JSON: of `kind` ``lines``, ``map`` or ``plane``.
    table : PageTable
    """

    title: str
    data: Mapping[str, Any]
    table: PageTable | None


@dataclass(frozen=True)
class VerdictCard:
    """What is to be known of a model first.

    Attributes
    ----------
    label : str
    anchor : str
        The id of the section about it; empty if there is none.
    mood : str
        ``vanishing``, ``preserved``, ``exploding`` or ``inconclusive``: its colour.
    verdict : str
        The word for it.
    headline : str
        One sentence.
    facts : tuple of str
        Shorter ones below it.
    """

    label: str
    anchor: str
    mood: str
    verdict: str
    headline: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageBlock:
    """A passage: sentences, then a chart, then a table."""

    title: str = ""
    sentences: tuple[str, ...] = ()
    charts: tuple[PageChart, ...] = ()
    table: PageTable | None = None


@dataclass(frozen=True)
class PageSection:
    """A part of a page that its contents lead to; `label` is the user's name of what it is about."""

    anchor: str
    title: str
    blocks: tuple[PageBlock, ...]
    label: str = ""


@dataclass(frozen=True)
class PageContent:
    """All that a page says of a report beyond what every page has.

    Attributes
    ----------
    title, about : str
        What was asked, and of what.
    caution : str
        What must be read before any number, if anything.
    cards : tuple of VerdictCard
    sections : tuple of PageSection
    notes : tuple of str
        What belongs to all numbers.
    sources : tuple of (str, str)
        Path and sha256 of the files that were read.
    """

    title: str
    about: str
    sections: tuple[PageSection, ...]
    caution: str = ""
    cards: tuple[VerdictCard, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
