"""What the answer consists of, in the order of a lecture; every language has exactly these texts."""

from __future__ import annotations

from dataclasses import dataclass

PARTS = ("definition", "statement", "assumptions", "proof", "silent", "numbers")
"""The parts of a theorem, in order."""
PROSE = "text"
"""The one part of a section that is no theorem."""


@dataclass(frozen=True)
class Section:
    """A text of the answer: a theorem with its parts, or prose.

    Attributes
    ----------
    id : str
        The name of its file in every language.
    symbol : str
        What the theorem is called; empty for prose.
    """

    id: str
    symbol: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that its text must have."""
        return PARTS if self.symbol else (PROSE,)


@dataclass(frozen=True)
class Chapter:
    """Sections under one heading; the label of an empty id is none."""

    id: str
    sections: tuple[Section, ...]


CHAPTERS = (
    Chapter("answer", (Section("conclusion"), Section("claims"), Section("question"))),
    Chapter("setting", (Section("notation"), Section("forward"), Section("bptt"), Section("T0", "T0"))),
    Chapter(
        "rnn", (Section("T1", "T1"), Section("T1b", "T1′"), Section("T2", "T2"), Section("T3", "T3"), Section("depth"))
    ),
    Chapter("lstm", (Section("lstm"), Section("four_gradients"), Section("T4", "T4"))),
    Chapter("mitigated", (Section("T5", "T5"), Section("T6", "T6"))),
    Chapter("unsolved", (Section("T7", "T7"), Section("R26", "T7(f)"))),
    Chapter("beyond", (Section("T8", "T8"), Section("T9", "T9"))),
    Chapter("cost", tuple(Section(name, name) for name in ("T10", "T11", "T12", "T13", "T14", "T15"))),
    Chapter("learned", (Section("learning"),)),
    Chapter("back", (Section("table"), Section("misstated"), Section("symbols"), Section("sources"))),
)
SECTIONS = tuple(section for chapter in CHAPTERS for section in chapter.sections)
