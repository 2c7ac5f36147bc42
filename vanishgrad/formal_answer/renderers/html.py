"""The answer as one self-contained HTML file: MathML, inline SVG, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from vanishgrad.formal_answer.structure import CHAPTERS

if TYPE_CHECKING:
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

CLOSING = ",.;:?!)]”，。；：、？！）"
MIN_WIDE_CHARACTERS = 60
"""A formula of so many characters within a line may be wider than a telephone."""
TAGS = {"en": "en", "zh": "zh-Hans"}


def to_html(answer: Answer, language: str) -> str:
    """Return the whole answer as an HTML document."""
    composer = Composer(answer, language, draw=lambda name: f"```figure\n{name}\n```")
    tokens = parse(composer.markdown())
    _mark_headings(tokens)
    _tie(tokens)
    body = _renderer(composer).render(tokens, parser().options, {"composer": composer})
    head, _, rest = body.partition("</h1>")
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="{TAGS[language]}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(composer.words['title'])}</title>\n"
        f'<link rel="icon" href="data:,">\n<style>\n{style}</style>\n</head>\n'
        f"<body>\n{head}</h1>\n{_contents(composer)}{rest}</body>\n</html>\n"
    )


def _contents(composer: Composer) -> str:
    chapters = "".join(
        f'<li><a href="#chapter-{chapter.id}">{escape(composer.words["chapter_" + chapter.id])}</a><ol>'
        + "".join(
            f'<li><a href="#{section.id}">{escape(composer.heading(section))}</a></li>' for section in chapter.sections
        )
        + "</ol></li>"
        for chapter in CHAPTERS
    )
    label = escape(composer.words["contents"])
    return f'<nav aria-label="{label}"><strong>{label}</strong><ol>{chapters}</ol></nav>\n'


def _mark_headings(tokens: Sequence[Token]) -> None:
    """Give every chapter and section heading its id."""
    ids = _ids()
    for token in tokens:
        if token.type == "heading_open" and token.tag != "h1":
            token.attrSet("id", next(ids))


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

    rules: dict[str, Any] = {
        "math_inline": formula,
        "math_block": block_formula,
        "fence": figure,
        "table_open": lambda *_: '<div class="wide"><table>\n',
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
