"""An explanation as text: at a terminal, as Markdown, and as CSV."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from vanishgrad.languages import translate, translated
from vanishgrad.questions.explain.document import ExplainDocument, ExplainedModelDocument, passages, shown_sections, why
from vanishgrad.questions.explain.findings.report import FindingDocument, best_remedy, outcome
from vanishgrad.questions.explain.section import Passage, Series
from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.reports.csv_rows import columns, csv_text
from vanishgrad.reports.documents.model import FileSource
from vanishgrad.reports.markdown import to_markdown as table_of_models
from vanishgrad.reports.sentences import caveat, notes, opening, sentences
from vanishgrad.reports.table import COLOURS, horizon, title
from vanishgrad.reports.terminal import FILE, Column, Terminal, console_to, fitted, print_legend, print_wrapped

if TYPE_CHECKING:
    from rich.console import Console

CSV_HEADINGS = ("label", "section", "series", "index", "value")
CURVES = "curves"


def to_terminal(report: ExplainDocument, terminal: Terminal = FILE) -> str:
    """Return an explanation for people, as a terminal has room for it."""
    out = io.StringIO()
    console = console_to(out, terminal)
    if opening(report.models):
        print_wrapped(console, opening(report.models))
    console.print(title(report))
    for model in report.models:
        console.print()
        state = model.curves["state"]
        headline = translate(
            "{label}: {verdict}, horizon {horizon} of {steps} steps",
            label=model.label, verdict=translated(state.verdict), steps=model.steps,
            horizon=horizon(state.horizon, state.horizon_censored),
        )  # fmt: skip
        console.print(headline, style=f"bold {COLOURS[state.verdict]}", markup=False)
        for line in _in_brief(model):
            print_wrapped(console, line)
        for reason in why(model):
            print_wrapped(console, reason)
        for passage in passages(model):
            console.print()
            _print_passage(console, passage)
    console.print()
    for note in notes(report.models):
        print_wrapped(console, translate("note: {note}", note=note))
    print_wrapped(console, caveat(report))
    return out.getvalue()


def _in_brief(model: ExplainedModelDocument) -> Iterator[str]:
    """Yield the costliest finding, the best remedy, its computed effect, and how to have its weights."""
    found: Sequence[FindingDocument] = model.sections.get("findings") or ()
    best = best_remedy(found)
    if found:
        yield translate("cause: {finding}", finding=translated(found[0].title))
    if best is None:
        return
    yield translate("best remedy: {change}", change=translated(best.change))
    yield translate("its effect: {outcome} (computed)", outcome=outcome(best))
    which = f"--layer {shlex.quote(model.source.layer)}" if isinstance(model.source, FileSource) else "--trials 1"
    yield translate("next: the same command with {options}", options=f"{which} --only findings --apply remedied.npz")


def _print_passage(console: Console, passage: Passage) -> None:
    console.print(passage.title, style="bold", markup=False)
    for sentence in passage.sentences:
        print_wrapped(console, sentence)
    if passage.rows:
        console.print()
        columns = [Column(heading, is_text=not i) for i, heading in enumerate(passage.headings)]
        console.print(fitted(columns, passage.rows, console.width), crop=False)
    if passage.legend:
        print_legend(console, passage.legend)


def to_markdown(report: ExplainDocument) -> str:
    """Return a paragraph for each section of each model, then what `compare` prints of them."""
    lines = [line for model in report.models for line in _markdown(model)]
    return "\n".join(lines) + "\n" + table_of_models(report)


def _markdown(model: ExplainedModelDocument) -> Iterator[str]:
    yield f"## `{model.label}`"
    yield ""
    yield sentences(*why(model))
    yield ""
    for passage in passages(model):
        yield from _markdown_passage(passage)


def _markdown_passage(passage: Passage) -> Iterator[str]:
    yield f"### {passage.title}"
    yield ""
    yield from (f"- {each}" for each in passage.sentences)
    yield ""
    if passage.rows:
        yield "| " + " | ".join(map(translate, passage.headings)) + " |"
        yield "|---|" + "--:|" * (len(passage.headings) - 1)
        yield from ("| " + " | ".join(row) + " |" for row in passage.rows)
        yield ""
    if passage.legend:
        yield passage.legend
        yield ""


def to_csv(report: ExplainDocument) -> str:
    """Return long CSV; an exact zero's logarithm is an empty field."""
    return csv_text(CSV_HEADINGS, (row for model in report.models for row in _csv_rows(model)))


def _csv_rows(model: ExplainedModelDocument) -> Iterator[Sequence[Any]]:
    yield from ((model.label, CURVES, *row) for row in _curve_rows(model))
    for name in shown_sections(model):
        yield from ((model.label, name, *row) for row in SECTIONS[name].series(model.sections[name]))


def _curve_rows(model: ExplainedModelDocument) -> Series:
    for name, curve in model.curves.items():
        for column, values in columns(curve).items():
            yield from ((f"{name}.{column}", lag, value) for lag, value in enumerate(values))
