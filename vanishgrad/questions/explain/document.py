"""An explanation as the JSON document that every other report of it is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vanishgrad.questions.explain.section import Passage
from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.reports.documents.document import Document, band_name, header, model
from vanishgrad.reports.sentences import reach, sentence

if TYPE_CHECKING:
    from vanishgrad.questions.explain.explain import ExplainedModel, ExplainResult


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
        found[name] = None if section is None else SECTIONS[name].document(section, found)
    return found


def why(model: Document) -> list[str]:
    """Return the sentences that answer why, before any section."""
    stack = model["curves"].get("stack")
    through = [] if stack is None else [f"through all layers up to this one {reach(stack)}"]
    return [sentence(model), *through]


def shown_sections(model: Mapping[str, Any]) -> list[str]:
    """Return the sections that a model's document has something to say of."""
    return [name for name in SECTIONS if model.get(name) is not None]


def passages(model: Document) -> list[Passage]:
    """Return what each section of a model's document says."""
    return [SECTIONS[name].passage(model[name], model) for name in shown_sections(model)]
