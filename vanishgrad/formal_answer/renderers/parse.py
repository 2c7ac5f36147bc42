"""Markdown parser: text with formulas in ``$…$`` to tokens."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

FULL_WIDTH = "，。；：、！？（）“”《》"
"""Full-width punctuation brings its own space; code hosts want another one before ``$``, print does not."""
_AFTER_WIDE = re.compile(rf"(?<=[{FULL_WIDTH}]) $")
_BEFORE_WIDE = re.compile(rf"^ (?=[{FULL_WIDTH}])")


def parser() -> MarkdownIt:
    """Return a parser of Markdown, tables and formulas."""
    from markdown_it import MarkdownIt

    md = MarkdownIt("commonmark").enable("table")
    md.inline.ruler.before("escape", "math", _inline_math)
    md.block.ruler.before("fence", "math", _block_math, {"alt": ["paragraph", "blockquote", "list"]})
    return md


def parse(source: str) -> list[Token]:
    """Return the tokens of a text, without the spaces that only code hosts need."""
    tokens = parser().parse(source)
    for token in tokens:
        if token.children:
            _close_up(token.children)
    return tokens


def _close_up(children: list[Token]) -> None:
    for one, other in pairwise(children):
        if one.type == "text" and other.type == "math_inline":
            one.content = _AFTER_WIDE.sub("", one.content)
        elif one.type == "math_inline" and other.type == "text":
            other.content = _BEFORE_WIDE.sub("", other.content)


def _inline_math(state: StateInline, silent: bool) -> bool:
    start = state.pos
    if state.src[start] != "$":
        return False
    end = state.src.find("$", start + 1)
    if end <= start + 1:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = state.src[start + 1 : end]
    state.pos = end + 1
    return True


def _block_math(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if _line(state, first) != "$$":
        return False
    end = next((number for number in range(first + 1, last) if _line(state, number) == "$$"), None)
    if end is None:
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.content = " ".join(_line(state, number) for number in range(first + 1, end))
        token.map = [first, end + 1]
    state.line = end + 1
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()
