"""An explanation as the JSON document that every other report of it is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from vanishgrad.questions.explain.attention.report import attention_document, attention_passage, attention_series
from vanishgrad.questions.explain.directions.report import directions_document, directions_passage, directions_series
from vanishgrad.questions.explain.findings.report import findings_document, findings_passage, findings_series
from vanishgrad.questions.explain.lyapunov.report import lyapunov_document, lyapunov_passage, lyapunov_series
from vanishgrad.questions.explain.map.report import map_document, map_passage, map_series
from vanishgrad.questions.explain.passage import Passage
from vanishgrad.questions.explain.paths.report import paths_document, paths_passage, paths_series
from vanishgrad.questions.explain.truncation.report import truncation_document, truncation_passage, truncation_series
from vanishgrad.reports.documents.document import Document, band_name, header, model
from vanishgrad.reports.sentences import reach, sentence

if TYPE_CHECKING:
    from vanishgrad.questions.explain.explain import ExplainedModel, ExplainResult

Series = Iterator[tuple[str, int, "float | None"]]


class SectionReport(NamedTuple):
    """How a section is shown.

    Attributes
    ----------
    document : callable
        (the section's result, the model's document so far) → its part of the JSON document.
    passage : callable
        (the section's document, the model's document) → what is said to people.
    series : callable
        The section's document → (name of a series, index, value) for CSV.
    """

    document: Callable[[Any, Document], Document | list[Document]]
    passage: Callable[[Any, Document], Passage]
    series: Callable[[Any], Series]


SECTION_REPORTS: Mapping[str, SectionReport] = {
    "paths": SectionReport(paths_document, paths_passage, paths_series),
    "map": SectionReport(map_document, map_passage, map_series),
    "directions": SectionReport(directions_document, directions_passage, directions_series),
    "lyapunov": SectionReport(lyapunov_document, lyapunov_passage, lyapunov_series),
    "truncation": SectionReport(truncation_document, truncation_passage, truncation_series),
    "attention": SectionReport(attention_document, attention_passage, attention_series),
    "findings": SectionReport(findings_document, findings_passage, findings_series),
}


def explanation(result: ExplainResult) -> Document:
    """Return the document of an explanation."""
    models = [each.result for each in result.models]
    resolved = asdict(result.request) | {
        "only": list(result.request.only),
        "lags": list(result.request.lags),
        "layers": list(result.request.layers),
        "stack": list(result.request.stack),
        "steps": max(each.steps for each in models),
        "trials": models[0].trials,
        "band": band_name(models[0].trials),
    }
    found = [_model(each) for each in result.models]
    return {**header("explain"), "request": resolved, "models": found, "refused": list(result.refused)}


def _model(explained: ExplainedModel) -> Document:
    found = model(explained.result)
    for name, section in explained.sections.items():
        found[name] = None if section is None else SECTION_REPORTS[name].document(section, found)
    return found


def why(model: Document) -> list[str]:
    """Return the sentences that answer why, before any section."""
    stack = model["curves"].get("stack")
    through = [] if stack is None else [f"through all layers up to this one {reach(stack)}"]
    return [sentence(model), *through]


def shown_sections(model: Mapping[str, Any]) -> list[str]:
    """Return the sections that a model's document has something to say of."""
    return [name for name in SECTION_REPORTS if model.get(name) is not None]


def passages(model: Document) -> list[Passage]:
    """Return what each section of a model's document says."""
    return [SECTION_REPORTS[name].passage(model[name], model) for name in shown_sections(model)]
