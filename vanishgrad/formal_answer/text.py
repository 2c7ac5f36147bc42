"""The texts of a language, and the numbers that go into their places.

A text is Markdown with ``$…$``. ``# `` opens it with its title, ``## part`` opens a part of a theorem. A place is
``{{name}}`` for a number, ``{{name:digits}}`` for one with so many significant digits, ``{{name:digits-}}`` for a lower
bound (rounded down) and ``{{name:digits+}}`` for an upper one, ``{{table:name}}`` and ``{{figure:name}}`` on a line of
their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vanishgrad.errors import VanishgradError
from vanishgrad.formal_answer.numerals import Side
from vanishgrad.formal_answer.structure import PROSE, SECTIONS, Section

SIDES: Mapping[str | None, Side] = {"-": "lower", "+": "upper"}
PLACE = re.compile(r"\{\{(?:(table|figure):)?([A-Za-z]\w*(?:\.\w+)?)(?::(\d+)([+-]?))?\}\}")


@dataclass(frozen=True)
class Text:
    """A section's title and parts in one language."""

    title: str
    parts: Mapping[str, str]


@cache
def texts(language: str) -> Mapping[str, Text]:
    """Return every section's text by its id."""
    return {section.id: parse_text(_read(language, f"{section.id}.md"), section) for section in SECTIONS}


@cache
def labels(language: str) -> Mapping[str, str]:
    """Return the words for columns, parts, chapters and verdicts."""
    by_key: dict[str, str] = json.loads(_read(language, "labels.json"))
    return by_key


def _read(language: str, name: str) -> str:
    return (files(__package__) / language / name).read_text(encoding="utf-8")


def parse_text(source: str, section: Section) -> Text:
    """Return the title and the parts of one text.

    Raises
    ------
    VanishgradError
        If its parts are not the section's, in order.
    """
    head, *rest = re.split(r"^## (\w+)$", source, flags=re.MULTILINE)
    title, _, prose = head.partition("\n")
    parts = dict(zip(rest[::2], (part.strip() for part in rest[1::2]), strict=True)) or {PROSE: prose.strip()}
    if not title.startswith("# ") or tuple(parts) != section.parts:
        raise VanishgradError(f"expected the parts {', '.join(section.parts)} of {section.id}, got {', '.join(parts)}")
    return Text(title[2:].strip(), parts)


def places(source: str) -> list[tuple[str, str]]:
    """Return (kind, name) of every place in a text; the kind of a number is empty."""
    return [(match[1] or "", match[2]) for match in PLACE.finditer(source)]


def fill_places(
    source: str, number: Callable[[str, int | None, Side | None], str], block: Callable[[str, str], str]
) -> str:
    """Return a text with every place filled in."""

    def fill(match: re.Match[str]) -> str:
        kind, name, digits, side = match.groups()
        return block(kind, name) if kind else number(name, int(digits) if digits else None, SIDES.get(side))

    return PLACE.sub(fill, source)
