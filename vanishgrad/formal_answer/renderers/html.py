"""The answer as one self-contained HTML file in both languages: MathML, inline SVG, no network, no script."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from copy import copy
from html import escape
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from vanishgrad.formal_answer import Answer
from vanishgrad.formal_answer.renderers.compose import Composer
from vanishgrad.formal_answer.renderers.figure import drawing, svg
from vanishgrad.formal_answer.renderers.mathml import mathml
from vanishgrad.formal_answer.renderers.parse import parse, parser
from vanishgrad.formal_answer.renderers.walk import CODE, headed
from vanishgrad.formal_answer.structure import CHAPTERS, SECTIONS
from vanishgrad.languages import LANGUAGES

if TYPE_CHECKING:
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

CLOSING = ",.;:?!)]”，。；：、？！）"
MIN_WIDE_CHARACTERS = 60
"""A formula of so many characters within a line may be wider than a telephone."""
TAGS = {"en": "en", "zh": "zh-Hans"}
_THEOREMS = {section.symbol: section.id for section in SECTIONS if section.symbol}
_THEOREM = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(map(re.escape, sorted(_THEOREMS, key=len, reverse=True)))})(?!\d)")


def to_html(answer: Answer, language: str) -> str:
    """Return the whole answer as an HTML document: in every language, the given one shown first."""
    others = [other for other in LANGUAGES if other != language]
    pages = [_Page(Composer(answer, language, _marked), "")]
    pages += [_Page(Composer(answer, other, _marked), f"{other}-") for other in others]
    first = pages[0]
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8") + _font_of_formulas()
    switch = "".join(
        f'<input type="radio" name="language" id="in-{page.language}"{" checked" * (page is first)}>'
        f'<label for="in-{page.language}" lang="{TAGS[page.language]}">{LANGUAGES[page.language]}</label>'
        for page in pages
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{TAGS[language]}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(first.composer.words['title'])}</title>\n"
        f'<link rel="icon" href="data:,">\n<style>\n{style}</style>\n</head>\n'
        f'<body>\n<fieldset class="switch"><legend>{escape(first.composer.words["switch"])}</legend>'
        f"{switch}</fieldset>\n"
        f"{''.join(page.html() for page in pages)}</body>\n</html>\n"
    )


def _font_of_formulas() -> str:
    """Return the font that formulas are shown in where no other one for mathematics is installed."""
    font = base64.b64encode(files(__package__).joinpath("mathematics.woff").read_bytes()).decode()
    return f'@font-face {{ font-family: "Answer Mathematics"; src: url("data:font/woff;base64,{font}"); }}\n'


def _marked(name: str) -> str:
    """Return the place of a figure in Markdown."""
    return f"```figure\n{name}\n```"


class _Page:
    """The answer in one language; `prefix` makes its ids differ from those of the other one."""

    def __init__(self, composer: Composer, prefix: str) -> None:
        self.composer, self.language, self._prefix = composer, composer.language, prefix

    def html(self) -> str:
        """Return the contents, and the text beside them."""
        tokens = parse(self.composer.markdown())
        self._mark_headings(tokens)
        _tie(tokens)
        body = _renderer(self.composer).render(tokens, parser().options, {"composer": self.composer})
        return f'<div class="answer" lang="{TAGS[self.language]}">\n{self._contents()}<main>\n{body}</main>\n</div>\n'

    def _contents(self) -> str:
        words = self.composer.words
        chapters = "".join(
            f'<li><a href="#{self._prefix}chapter-{chapter.id}">{escape(words["chapter_" + chapter.id])}</a><ol>'
            + "".join(
                f'<li><a href="#{self._prefix}{section.id}">{escape(self.composer.heading(section))}</a></li>'
                for section in chapter.sections
            )
            + "</ol></li>"
            for chapter in CHAPTERS
        )
        label = escape(words["contents"])
        return f'<nav aria-label="{label}"><details><summary>{label}</summary><ol>{chapters}</ol></details></nav>\n'

    def _mark_headings(self, tokens: Sequence[Token]) -> None:
        """Give every chapter and section heading its id, and make theorems' names below them links."""
        ids, here = _ids(), ""
        for before, token in zip([None, *tokens], tokens, strict=False):
            if token.type == "heading_open" and token.tag != "h1":
                here = next(ids)
                token.attrSet("id", self._prefix + here)
            elif token.children and (before is None or before.type != "heading_open"):
                token.children = [part for child in token.children for part in self._linked(child, here)]

    def _linked(self, child: Token, here: str) -> Iterator[Token]:
        """Yield a text with the names of theorems as links, but for that of the section that it stands in."""
        if child.type != "text":
            yield child
            return
        for i, text in enumerate(_THEOREM.split(child.content)):
            target = _THEOREMS.get(text, here) if i % 2 else here
            content = f'<a href="#{self._prefix}{target}">{escape(text)}</a>' if target != here else escape(text)
            if text:
                part = copy(child)
                part.type, part.content = ("html_inline", content) if target != here else ("text", text)
                yield part


def _tie(tokens: Sequence[Token]) -> None:
    """Keep the punctuation behind a formula on its line."""
    for token in tokens:
        for one, other in pairwise(token.children or []):
            if one.type == "math_inline" and other.type == "text":
                rest = other.content.lstrip(CLOSING)
                one.meta["tail"], other.content = other.content.removesuffix(rest), rest


def _ids() -> Iterator[str]:
    for chapter in CHAPTERS:
        yield f"chapter-{chapter.id}"
        yield from (section.id for section in chapter.sections)


def _renderer(composer: Composer) -> RendererHTML:
    from markdown_it.renderer import RendererHTML

    renderer = RendererHTML()

    def block_formula(tokens: Sequence[Token], i: int, *_: Any) -> str:
        return f'<div class="wide">{mathml(tokens[i].content, block=True)}</div>\n'

    def formula(tokens: Sequence[Token], i: int, *_: Any) -> str:
        tex, tail = tokens[i].content, tokens[i].meta.get("tail", "")
        return (
            f'<span class="{"tied" if len(tex) < MIN_WIDE_CHARACTERS else "roll"}">{mathml(tex)}{escape(tail)}</span>'
        )

    def figure(tokens: Sequence[Token], i: int, *_: Any) -> str:
        if tokens[i].info == CODE:
            return _folded(*headed(tokens[i].content))
        return _figure(composer, tokens[i].content.strip())

    scrolls = escape(composer.words["scrolls"])
    rules: dict[str, Any] = {
        "math_inline": formula,
        "math_block": block_formula,
        "fence": figure,
        "table_open": lambda *_: f'<div class="wide" tabindex="0" role="region" aria-label="{scrolls}"><table>\n',
        "table_close": lambda *_: "</table></div>\n",
    }
    renderer.rules.update(rules)
    return renderer


def _folded(summary: str, code: str) -> str:
    summary = escape(summary)
    return f"<details><summary>{summary}</summary><pre><code>{escape(code)}</code></pre></details>\n"


def _figure(composer: Composer, name: str) -> str:
    figure = composer.answer.figures[name]
    caption = composer.words["figure_" + figure.name]
    picture = svg(drawing(figure, composer.words), caption)
    return (
        f"<figure>{picture}<figcaption>{escape(caption)} (<code>{escape(figure.model)}</code>)</figcaption></figure>\n"
    )
