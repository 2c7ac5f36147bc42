"""A document as text of one of the formats, whatever command it comes from."""

from __future__ import annotations

from vanishgrad.report.document import Document, to_json

EXPLANATION = "vanishgrad-explain"


def rendered(document: Document, kind: str, colour: bool = False) -> str:
    """Return a document as ``table``, ``json``, ``csv`` or ``markdown``."""
    if kind == "json":
        return to_json(document)
    return _explanation(document, kind, colour) if document["format"] == EXPLANATION else _table(document, kind, colour)


def _table(document: Document, kind: str, colour: bool) -> str:
    if kind == "csv":
        from vanishgrad.report.rows import to_csv

        return to_csv(document)
    if kind == "markdown":
        from vanishgrad.report.markdown import to_markdown

        return to_markdown(document)
    from vanishgrad.report.table import to_table

    return to_table(document, colour)


def _explanation(document: Document, kind: str, colour: bool) -> str:
    if kind == "csv":
        from vanishgrad.report.explain.rows import to_csv

        return to_csv(document)
    if kind == "markdown":
        from vanishgrad.report.explain.markdown import to_markdown

        return to_markdown(document)
    from vanishgrad.report.explain.terminal import to_terminal

    return to_terminal(document, colour)
