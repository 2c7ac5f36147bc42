"""An explanation as the JSON document that every other report of it is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vanishgrad.questions.explain.section import Passage
from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.reports.documents.document import (
    FILE_NAMES,
    RUN_NAMES,
    Document,
    band_name,
    header,
    model,
    request_document,
)
from vanishgrad.reports.sentences import reach, sentence

if TYPE_CHECKING:
    from vanishgrad.questions.explain.explain import ExplainedModel, ExplainResult

REQUEST_NAMES = (
    *RUN_NAMES, "source", "only", "hidden", "input_size", "tokens", "lags", "exponents", "lyapunov_steps", "loss",
    "cotangent", "truncation", *FILE_NAMES,
)  # fmt: skip
"""The options that an explanation repeats, in its order."""


def explanation(result: ExplainResult) -> Document:
    """Return the document of an explanation."""
    models = [each.result for each in result.models]
    resolved = {
        "steps": max(each.steps for each in models), "trials": models[0].trials, "band": band_name(models[0].trials),
    }  # fmt: skip
    request = request_document(result.request, REQUEST_NAMES, resolved)
    found = [_model(each) for each in result.models]
    return {**header("explain"), "request": request, "models": found, "refused": list(result.refused)}


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
