"""The answer as one Markdown text in one language."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from vanishgrad import __version__
from vanishgrad.formal_answer import Answer
from vanishgrad.formal_answer.claims import BoundValue, Log
from vanishgrad.formal_answer.figures import Figure
from vanishgrad.formal_answer.numerals import Side, log_numeral, numeral
from vanishgrad.formal_answer.structure import CHAPTERS, PROSE, Section
from vanishgrad.formal_answer.tables import Cell, Table
from vanishgrad.formal_answer.text import fill_places, labels, texts
from vanishgrad.proofs.theorems import TheoremPart, parts_of

SHOWN_LAGS = 6
"""Rows of a figure that is written as a table."""


class Composer:
    """Fills a language's texts with an answer's numbers.

    Parameters
    ----------
    answer : Answer
    language : ``en`` or ``zh``
    draw : callable, optional
        Name of a figure → Markdown; by default a table of some of its points.
    """

    def __init__(self, answer: Answer, language: str, draw: Callable[[str], str] | None = None) -> None:
        self.answer, self.language, self._draw = answer, language, draw
        self.words, self._texts = labels(language), texts(language)

    def markdown(self) -> str:
        """Return the whole answer."""
        return "\n\n".join([f"# {self.words['title']}", *self.cautions, *self._chapters(), self._note()]) + "\n"

    @property
    def cautions(self) -> list[str]:
        """What to know of the input before any number, in Markdown."""
        return [self.words["noise_caution"]] if self.answer.is_noise_for_weights else []

    def _chapters(self) -> Iterator[str]:
        for chapter in CHAPTERS:
            yield f"## {self.words['chapter_' + chapter.id]}"
            for section in chapter.sections:
                yield f"### {self.heading(section)}"
                yield from self.body(section)

    def heading(self, section: Section) -> str:
        """Return a section's title, with its symbol if it is a theorem."""
        return f"{section.symbol} · {self.title(section)}" if section.symbol else self.title(section)

    def title(self, section: Section) -> str:
        """Return a section's title alone."""
        return self._texts[section.id].title

    def parts(self, section: Section) -> Iterator[tuple[str, str]]:
        """Yield the name and the filled text of every part."""
        for name, source in self._texts[section.id].parts.items():
            yield name, self.filled(source)

    def filled(self, source: str) -> str:
        """Return a text with every place filled in."""
        return fill_places(source, self._number, self._block)

    def body(self, section: Section) -> Iterator[str]:
        """Yield a section's parts, filled; a theorem's statement is set apart as a quotation."""
        for name, part in self.parts(section):
            if name == PROSE:
                yield part
            else:
                labelled = self._labelled(name, part)
                yield _quoted(labelled) if name == "statement" else labelled
            if name == "proof":
                yield from self._checked(section)

    def _checked(self, section: Section) -> Iterator[str]:
        """Yield which parts of a theorem Coq has checked, with its statements of them, and which it has not."""
        parts = parts_of(section.id)
        checked = [part for part in parts if part.checked]
        on_paper = [self.words.get(f"part_{part.part}", part.part) for part in parts if not part.checked]
        if checked:
            yield f"**{self.words['checked']}{self.words['stop']}**"
        for part in checked:
            yield f"```coq\n(* {self.summary(part)} *)\n{part.statement}\n```"
        if on_paper:
            yield f"**{self.words['on_paper']}** {', '.join(on_paper)}{self.words['stop']}"

    def summary(self, part: TheoremPart) -> str:
        """Return in a line what Coq has checked, in which norm, where, and with which axioms."""
        label = self.words.get(f"part_{part.part}", part.part)
        axioms = ", ".join(axiom.rpartition(".")[2] for axiom in part.axioms)
        used = f"{self.words['axioms']}{axioms}" if axioms else self.words["no_axiom"]
        norm = self.words[f"in_norm_{part.norm}"] if part.norm else ""
        return " · ".join(filter(None, (label, part.name, norm, f"{part.file}.v", used)))

    def _labelled(self, name: str, part: str) -> str:
        label = f"**{self.words[name]}{self.words['stop']}**"
        return f"{label}\n\n{part}" if part.startswith(("$$", "|", "```")) else f"{label} {part}"

    def _note(self) -> str:
        request = self.answer.request
        return self.words["document_note"].format(version=__version__, seed=request.seed, input=request.input)

    def _number(self, name: str, digits: int | None, side: Side | None) -> str:
        return numeral(self.answer.numbers[name], digits, side)

    def _block(self, kind: str, name: str) -> str:
        if kind == "table":
            return self.table(self.answer.tables[name])
        if name not in self.answer.figures:
            return self.words["no_model"]
        return self._draw(name) if self._draw else self._figure_table(self.answer.figures[name])

    def table(self, table: Table) -> str:
        """Return a table in Markdown."""
        if not table.rows:
            return self.words["no_model"]
        rows = [[self.cell(cell) for cell in row] for row in table.rows]
        alignment = ["---" if isinstance(cell, str) else "---:" for cell in table.rows[0]]
        lines = [[self.words[column] for column in table.columns], alignment, *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def cell(self, cell: Cell) -> str:
        """Return a cell in Markdown."""
        if cell is None:
            return self.words["nothing"]
        if isinstance(cell, bool):
            return self.words["yes" if cell else "no"]
        if isinstance(cell, Log):
            return self.words["lost"] if math.isnan(cell.log) else f"${log_numeral(cell)}$"
        if isinstance(cell, BoundValue):
            return f"${numeral(cell.value, side=cell.side)}$"
        if isinstance(cell, float):
            return f"${numeral(cell)}$"
        if cell.startswith("@"):
            return self.words["by_" + cell[1:]]
        return self.words[cell] if cell.startswith("#") else f"`{cell}`"

    def _figure_table(self, figure: Figure) -> str:
        steps = len(next(iter(figure.series.values()))) - 1
        lags = np.unique(np.linspace(0, steps, SHOWN_LAGS).astype(int)).tolist()
        header = [self.words["figure_lag"], *(str(lag) for lag in lags)]
        rows = [
            [self.words["series_" + key], *(self._level(values[lag]) for lag in lags)]
            for key, values in figure.series.items()
        ]
        lines = [header, ["---", *["---:"] * len(lags)], *rows]
        caption = f"*{self.words['figure_' + figure.name]}* (`{figure.model}`; {self.words['figure_unit']}):"
        return caption + "\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _level(self, log10: float) -> str:
        return f"${log10:.2f}$" if math.isfinite(log10) else self.words["nothing"]


def _quoted(source: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in source.split("\n"))
