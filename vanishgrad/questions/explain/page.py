"""Page about an explanation: verdicts with the best remedy, the curves, and each model's sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from vanishgrad.languages import translate, translated
from vanishgrad.questions.explain.charts import section_charts
from vanishgrad.questions.explain.document import ExplainDocument, ExplainedModelDocument, shown_sections, why
from vanishgrad.questions.explain.findings.report import FindingDocument, best_remedy
from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.reports.page.content import PageBlock, PageContent, PageSection, PageTable, VerdictCard
from vanishgrad.reports.page.models import (
    closing_notes,
    curves_section,
    gates_table,
    models_title,
    sources,
    table_section,
    verdict_card,
)
from vanishgrad.reports.sentences import opening
from vanishgrad.reports.table import horizon, title

FIRST = "findings"
"""The section that a page begins with: the cause, and what would help."""


def explanation_page(report: ExplainDocument) -> PageContent:
    """Return what a page says of an explanation."""
    models = report.models
    return PageContent(
        title=models_title(report),
        about=title(report),
        caution=opening(models),
        cards=tuple(_card(model, f"model-{i}") for i, model in enumerate(models)),
        sections=(
            *curves_section(report),
            *(table_section(models) if len(models) > 1 else ()),
            *(_section(model, f"model-{i}") for i, model in enumerate(models)),
        ),
        notes=(*report.refused, *closing_notes(report)),
        sources=sources(models),
    )


def _card(model: ExplainedModelDocument, anchor: str) -> VerdictCard:
    found: Sequence[FindingDocument] = model.sections.get("findings") or ()
    cause = translate("cause: {cause}", cause=translated(found[0].title)) if found else ""
    return verdict_card(model, anchor, [*filter(None, (_best(found), cause))])


def _best(found: Sequence[FindingDocument]) -> str:
    """Return the best remedy with its computed effect: ``b_f + 4.2 → > 60, computed``."""
    best = best_remedy(found)
    if best is None or best.after is None:
        return ""
    after = horizon(best.after.horizon, best.after.horizon_censored)
    return translate("{change} → {horizon} steps, computed", change=translated(best.change), horizon=after)


def _section(model: ExplainedModelDocument, anchor: str) -> PageSection:
    return PageSection(anchor, "", tuple(_blocks(model)), model.label)


def _blocks(model: ExplainedModelDocument) -> Iterator[PageBlock]:
    yield PageBlock(sentences=tuple(why(model)))
    for name in sorted(shown_sections(model), key=lambda name: name != FIRST):
        passage = SECTIONS[name].passage(model.sections[name], model)
        headings = tuple(map(translated, passage.headings))
        table = PageTable(headings, passage.rows, passage.legend) if passage.rows else None
        charts = tuple(replace(chart, table=None) for chart in section_charts(name, model.sections[name], model))
        yield PageBlock(passage.title, passage.sentences, charts, table)
    if model.gates:
        yield PageBlock(translate("Gates"), table=gates_table([model]))
