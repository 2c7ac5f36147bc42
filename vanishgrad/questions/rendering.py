"""A document as text of one of the formats, whatever command it comes from."""

from __future__ import annotations

from vanishgrad.reports.documents.document import Document, to_json

EXPLANATION = "vanishgrad-explain"


def rendered(document: Document, kind: str, colour: bool = False) -> str:
    """Return a document as ``table``, ``json``, ``csv`` or ``markdown``."""
    if kind == "json":
        return to_json(document)
    return _explanation(document, kind, colour) if document["format"] == EXPLANATION else _table(document, kind, colour)


def _table(document: Document, kind: str, colour: bool) -> str:
    if kind == "csv":
        from vanishgrad.reports.csv_rows import to_csv

        return to_csv(document)
    if kind == "markdown":
        from vanishgrad.reports.markdown import to_markdown

        return to_markdown(document)
    from vanishgrad.reports.table import to_table

    return to_table(document, colour)


def _explanation(document: Document, kind: str, colour: bool) -> str:
    from vanishgrad.questions.explain.text import to_csv, to_markdown, to_terminal

    if kind == "csv":
        return to_csv(document)
    return to_markdown(document) if kind == "markdown" else to_terminal(document, colour)
