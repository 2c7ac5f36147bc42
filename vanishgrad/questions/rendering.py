"""A report as text of one of the formats, whatever command it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from vanishgrad.reports.documents.report import ModelsDocument

if TYPE_CHECKING:
    from vanishgrad.questions.explain.document import ExplainDocument


def rendered(report: ModelsDocument, kind: str, colour: bool = False) -> str:
    """Return a report as ``table``, ``json``, ``csv`` or ``markdown``."""
    if kind == "json":
        return report.to_json()
    return _explanation(report, kind, colour) if is_explanation(report) else _table(report, kind, colour)


def is_explanation(report: ModelsDocument) -> TypeGuard[ExplainDocument]:
    """Whether a report is one of `explain`, told without importing it."""
    return report.command == "explain"


def _table(report: ModelsDocument, kind: str, colour: bool) -> str:
    if kind == "csv":
        from vanishgrad.reports.csv_rows import to_csv

        return to_csv(report)
    if kind == "markdown":
        from vanishgrad.reports.markdown import to_markdown

        return to_markdown(report)
    from vanishgrad.reports.table import to_table

    return to_table(report, colour)


def _explanation(report: ExplainDocument, kind: str, colour: bool) -> str:
    from vanishgrad.questions.explain.text import to_csv, to_markdown, to_terminal

    if kind == "csv":
        return to_csv(report)
    return to_markdown(report) if kind == "markdown" else to_terminal(report, colour)
