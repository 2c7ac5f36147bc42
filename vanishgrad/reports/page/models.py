"""Page about models that were run: a card, the curves, the gates and the table."""

from __future__ import annotations

from collections.abc import Sequence

from vanishgrad.languages import translate, translate_count
from vanishgrad.reports.documents.model import FileSource, ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.lines import drawable_curves
from vanishgrad.reports.page.charts import LONG, line_chart, norm_line, threshold_level
from vanishgrad.reports.page.content import PageBlock, PageChart, PageContent, PageSection, PageTable, VerdictCard
from vanishgrad.reports.sentences import caveat, notes, opening, sentence
from vanishgrad.reports.table import ARROWS, COLUMNS, GATES, factor, final_texts, gate_rows, horizon, legend, title

FIRST_SHOWN = ("state",)
"""The curves that a chart shows at first, if there are any of them."""
COLOURED = 7
"""Models whose lines a chart shows at first: as many as there are colours."""
SPARKLINES = COLUMNS[-1].heading
BANDED = ("state", "input")
"""The curves whose band over trials a chart shows."""


def models_page(report: ModelsDocument) -> PageContent:
    """Return what a page says of models beside one another."""
    models = [model for model in report.models if "state" in model.curves]
    return PageContent(
        title=models_title(report),
        about=title(report),
        caution=opening(models),
        cards=tuple(verdict_card(model) for model in models),
        sections=(*curves_section(report), *table_section(models), *gates_section(models)),
        notes=closing_notes(report),
        sources=sources(report.models),
    )


def models_title(report: ModelsDocument) -> str:
    """Return what a page about models is called."""
    names = list(dict.fromkeys(model.label for model in report.models))
    short = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return translate("How far back the gradient reaches: {models}", models=short)


def verdict_card(model: ModelDocument, anchor: str = "", facts: Sequence[str] = ()) -> VerdictCard:
    """Return a model's card."""
    state = model.curves["state"]
    return VerdictCard(
        model.label, anchor, state.verdict, translate(state.verdict), headline(model), (*facts, sentence(model)),
    )  # fmt: skip


def headline(model: ModelDocument) -> str:
    """Return in a few words what becomes of a model's gradient."""
    state = model.curves["state"]
    if state.verdict == "exploding":
        return translate("explodes over {steps} steps", steps=state.common_lag)
    if state.horizon_censored:
        return translate("remembers over all {steps} steps", steps=state.common_lag)
    if not state.horizon:
        return translate("forgets at once")
    return translate_count("forgets after {count} step", "forgets after {count} steps", state.horizon)


def curves_section(report: ModelsDocument) -> tuple[PageSection, ...]:
    """Return the section of all curves, which are lines of one chart; none if there is no curve by lag."""
    chart = curves_chart(report.models)
    if chart is None:
        return ()
    return (PageSection("curves", translate("Norms by lag"), (PageBlock(charts=(chart,)),)),)


def curves_chart(models: Sequence[ModelDocument]) -> PageChart | None:
    """Return the curves of all models, each a line that can be switched off."""
    named = [(i, name, model.curves[name]) for i, model in enumerate(models) for name in drawable_curves(model)]
    names = list(dict.fromkeys(name for _, name, _ in named))
    if not named:
        return None
    first = [names.index(name) for name in FIRST_SHOWN if name in names] or [0]
    return line_chart(
        translate("‖∂s_T/∂s_k‖₂ and its kin against the lag T − k: median over trials, and the band of trials"),
        (translate("lag T − k (steps)"), translate("log₁₀ of the norm")),
        [
            (translate("model"), [model.label for model in models]),
            (translate("curve"), [translate(name) for name in names]),
        ],
        [norm_line((i, names.index(name)), curve, name in BANDED) for i, name, curve in named],
        [range(min(len(models), COLOURED)), first],
        threshold_level(curve.threshold for _, _, curve in named),
        max(curve.last for _, _, curve in named) >= LONG,
        translate("curve"),
    )


def table_section(models: Sequence[ModelDocument]) -> tuple[PageSection, ...]:
    """Return the table of `compare`, whose sparklines are the chart's lines here."""
    headings = tuple(translate(column.heading) for column in COLUMNS if column.heading != SPARKLINES)
    table = PageTable(headings, tuple(map(_row, models)), legend(models))
    return (PageSection("table", translate("Side by side"), (PageBlock(table=table),)),)


def _row(model: ModelDocument) -> tuple[str, ...]:
    state = model.curves["state"]
    verdict = f"{translate(state.verdict)} {ARROWS[state.trend]}"
    reached = horizon(state.horizon, state.horizon_censored)
    return (model.label, verdict, factor(state), reached, *final_texts(model))


def gates_section(models: Sequence[ModelDocument]) -> tuple[PageSection, ...]:
    """Return the section of gates; none if no model has any."""
    if not any(model.gates for model in models):
        return ()
    return (PageSection("gates", translate("Gates"), (PageBlock(table=gates_table(models)),)),)


def gates_table(models: Sequence[ModelDocument]) -> PageTable:
    """Return how far the gates stand open, with a bar of the quantiles of each."""
    return PageTable(
        tuple(translate(column.heading) for column in GATES),
        tuple(tuple(row) for row in gate_rows(models)),
        translate("gates over units and steps; ≈ 0, ≈ 1: within 0.05; τ: median unit's -1/ln(mean), steps"),
        tuple(tuple(gate.quantiles.values()) for model in models for gate in model.gates.values()),
    )


def closing_notes(report: ModelsDocument) -> tuple[str, ...]:
    """Return what belongs to all numbers of models."""
    return (*notes(report.models), caveat(report))


def sources(models: Sequence[ModelDocument]) -> tuple[tuple[str, str], ...]:
    """Return path and sha256 of the files that models were read from, each once."""
    files = [model.source for model in models if isinstance(model.source, FileSource)]
    return tuple(dict.fromkeys((source.path or "", source.sha256) for source in files))
