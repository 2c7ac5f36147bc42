"""Conditions of a picture, in words: sequences, steps, inputs and what else it was measured under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from vanishgrad.languages import translate, translate_count
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.style import wrapped
from vanishgrad.reports.sentences import opening, sentences, span, trials_text


def frame(report: ModelsDocument, models: Sequence[ModelDocument]) -> str:
    """Return the line under a title: what to know of the input, then steps, hidden size, trials, input."""
    inputs = dict.fromkeys(driven_by(model.input) for model in models)
    caution = opening(models)
    parts = (
        steps_text(models),
        translate("hidden size {size}", size=span(model.hidden_size for model in models)),
        trials_text(models),
        *inputs,
    )
    return sentences(caution, translate(", ").join(parts))


def driven_by(source: str) -> str:
    """Return an --input in words."""
    name, _, deviation = source.partition(":")
    if name == "white":
        if deviation:
            return translate("white-noise input of standard deviation {deviation}", deviation=deviation)
        return translate("white-noise input")
    if name == "text":
        return translate("input “{text}”", text=wrapped(deviation, 60, 1))
    if source == "captured":
        return translate("the inputs of a captured run")
    if source == "zeros":
        return translate("zero input")
    return translate("input from {file}", file=wrapped(PurePath(source).name, 60, 1))


def steps_text(models: Iterable[ModelDocument]) -> str:
    """Return how many steps models have."""
    text = span(model.steps for model in models)
    return translate_count("{count} step", "{count} steps", 1 if text == "1" else 2, count=text)
