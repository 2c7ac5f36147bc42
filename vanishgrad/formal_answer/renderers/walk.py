"""Renderer of tokens: from Markdown's tokens to the source of a typesetting system."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from markdown_it.token import Token

CODE = "coq"
"""The word after a fence that holds code; other fences hold the name of a figure."""


def headed(code: str) -> tuple[str, str]:
    """Return the comment in the first line of some code, and the rest."""
    head, _, rest = code.rstrip().partition("\n")
    return head.removeprefix("(* ").removesuffix(" *)"), rest


class Writer(ABC):
    """Writes tokens one after the other; a system says how each looks."""

    marks: ClassVar[Mapping[str, str]]
    """What stands for a token that opens or closes something."""

    def written(self, tokens: Sequence[Token]) -> str:
        """Return the source of a document's body."""
        parts: list[str] = []
        position = 0
        while position < len(tokens):
            token = tokens[position]
            if token.type == "table_open":
                end = next(i for i in range(position, len(tokens)) if tokens[i].type == "table_close")
                parts.append(self.table(*_cells(tokens[position:end])))
                position = end
            else:
                parts.append(self._one(token))
            position += 1
        return "".join(parts)

    def _one(self, token: Token) -> str:
        if token.type == "inline":
            return self.line(token)
        if token.type == "heading_open":
            return self.heading(int(token.tag[1:]))
        if token.type == "math_block":
            return self.display(token.content)
        if token.type == "fence":
            return self.listing(*headed(token.content)) if token.info == CODE else self.figure(token.content.strip())
        return self.marks[token.type]

    def line(self, token: Token) -> str:
        """Return the source of a paragraph's text."""
        return "".join(self._piece(child) for child in token.children or [])

    def _piece(self, child: Token) -> str:
        if child.type == "math_inline":
            return self.formula(child.content)
        if child.type == "code_inline":
            return self.code(child.content)
        return self.text(child.content) if child.type == "text" else self.marks[child.type]

    @abstractmethod
    def text(self, content: str) -> str:
        """Return plain text, escaped."""

    @abstractmethod
    def code(self, content: str) -> str:
        """Return text in a typewriter face."""

    @abstractmethod
    def formula(self, tex: str) -> str:
        """Return a formula within a line."""

    @abstractmethod
    def display(self, tex: str) -> str:
        """Return a formula on its own line."""

    @abstractmethod
    def heading(self, level: int) -> str:
        """Return what opens a heading."""

    @abstractmethod
    def table(self, head: Sequence[Token], rows: Sequence[Sequence[Token]]) -> str:
        """Return a table of inline tokens."""

    @abstractmethod
    def listing(self, summary: str, code: str) -> str:
        """Return a statement of Coq's as it stands, below a line about it."""

    @abstractmethod
    def figure(self, name: str) -> str:
        """Return a figure with its caption."""


def _cells(tokens: Sequence[Token]) -> tuple[list[Token], list[list[Token]]]:
    rows: list[list[Token]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token)
    return rows[0], rows[1:]
