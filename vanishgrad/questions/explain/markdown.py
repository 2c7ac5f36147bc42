"""An explanation as Markdown, for a pull request or a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vanishgrad.questions.explain.document import passages, why
from vanishgrad.questions.explain.passage import Passage
from vanishgrad.reports.markdown import to_markdown as to_table


def to_markdown(document: Mapping[str, Any]) -> str:
    """Return a paragraph for each section of each model, then what `compare` prints of them."""
    lines = [line for model in document["models"] for line in _model(dict(model))]
    return "\n".join(lines) + "\n" + to_table(document)


def _model(model: dict[str, Any]) -> Iterator[str]:
    yield f"## `{model['label']}`"
    yield ""
    yield " ".join(why(model))
    yield ""
    for passage in passages(model):
        yield from _passage(passage)


def _passage(passage: Passage) -> Iterator[str]:
    yield f"### {passage.title}"
    yield ""
    yield from (f"- {each}" for each in passage.sentences)
    yield ""
    if passage.rows:
        yield "| " + " | ".join(passage.headings) + " |"
        yield "|---|" + "--:|" * (len(passage.headings) - 1)
        yield from ("| " + " | ".join(row) + " |" for row in passage.rows)
        yield ""
    if passage.legend:
        yield passage.legend
        yield ""
