"""A report as text of one of the formats, whatever command it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from vanishgrad.reports.terminal import FILE, Terminal

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from vanishgrad.questions.explain.document import ExplainDocument
    from vanishgrad.questions.learn.document import LearnDocument
    from vanishgrad.questions.sweep.document import SweepDocument
    from vanishgrad.reports.documents.report import ModelsDocument
    from vanishgrad.reports.page.content import PageContent

Rendered: TypeAlias = "ModelsDocument | LearnDocument | SweepDocument"


def report_text(report: Rendered, kind: str, terminal: Terminal = FILE, command: str = "") -> str:
    """Return a report as ``table``, ``json``, ``csv``, ``markdown`` or ``html``; a page shows the command line."""
    if kind == "json":
        return report.to_json()
    if kind == "html":
        return _page(report, command)
    if is_learning(report):
        return _learning(report, kind, terminal)
    if is_sweep(report):
        return _sweep(report, kind, terminal)
    return _explanation(report, kind, terminal) if is_explanation(report) else _table(report, kind, terminal)


def is_learning(report: Rendered) -> TypeIs[LearnDocument]:
    """Whether a report is one of `learn`, told without importing it."""
    return report.command == "learn"


def is_sweep(report: ModelsDocument | SweepDocument) -> TypeIs[SweepDocument]:
    """Whether a report is one of `sweep`, told without importing it."""
    return report.command == "sweep"


def is_explanation(report: ModelsDocument) -> TypeGuard[ExplainDocument]:
    """Whether a report is one of `explain`, told without importing it."""
    return report.command == "explain"


def _page(report: Rendered, command: str) -> str:
    from vanishgrad.reports.page.render import to_page

    return to_page(report, lambda: _content(report), command)


def _content(report: Rendered) -> PageContent:
    """Return what a page about a report shows."""
    if is_learning(report):
        from vanishgrad.questions.learn.page import learning_page

        return learning_page(report)
    if is_sweep(report):
        from vanishgrad.questions.sweep.page import sweep_page

        return sweep_page(report)
    if is_explanation(report):
        from vanishgrad.questions.explain.page import explanation_page

        return explanation_page(report)
    from vanishgrad.reports.page.models import models_page

    return models_page(report)


def _table(report: ModelsDocument, kind: str, terminal: Terminal) -> str:
    if kind == "csv":
        from vanishgrad.reports.csv_rows import to_csv

        return to_csv(report)
    if kind == "markdown":
        from vanishgrad.reports.markdown import to_markdown

        return to_markdown(report)
    from vanishgrad.reports.table import to_table

    return to_table(report, terminal)


def _learning(report: LearnDocument, kind: str, terminal: Terminal) -> str:
    from vanishgrad.questions.learn.report import to_csv, to_markdown, to_table

    if kind == "csv":
        return to_csv(report)
    return to_markdown(report) if kind == "markdown" else to_table(report, terminal)


def _explanation(report: ExplainDocument, kind: str, terminal: Terminal) -> str:
    from vanishgrad.questions.explain.text import to_csv, to_markdown, to_terminal

    if kind == "csv":
        return to_csv(report)
    return to_markdown(report) if kind == "markdown" else to_terminal(report, terminal)


def _sweep(report: SweepDocument, kind: str, terminal: Terminal) -> str:
    from vanishgrad.questions.sweep.report import to_markdown, to_table
    from vanishgrad.questions.sweep.tables import to_csv

    if kind == "csv":
        return to_csv(report)
    return to_markdown(report) if kind == "markdown" else to_table(report, terminal)
