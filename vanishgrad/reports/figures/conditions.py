"""Conditions of a picture, in words: sequences, steps, inputs and what else it was measured under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.style import wrapped
from vanishgrad.reports.sentences import opening, span


def frame(report: ModelsDocument, models: Sequence[ModelDocument]) -> str:
    """Return the line under a title: what to know of the input, then steps, hidden size, trials, input."""
    inputs = dict.fromkeys(driven_by(model.input) for model in models)
    caution = opening(models)
    parts = (
        count_text((model.steps for model in models), "step"),
        f"hidden size {span(model.hidden_size for model in models)}",
        count_text((model.trials for model in models), "trial"),
        *inputs,
    )
    return f"{caution} {', '.join(parts)}".lstrip()


def driven_by(source: str) -> str:
    """Return an --input in words."""
    name, _, deviation = source.partition(":")
    if name == "white":
        return f"white-noise input of standard deviation {deviation}" if deviation else "white-noise input"
    if name == "text":
        return f"input “{wrapped(deviation, 60, 1)}”"
    if source == "captured":
        return "the inputs of a captured run"
    return "zero input" if source == "zeros" else f"input from {wrapped(PurePath(source).name, 60, 1)}"


def count_text(numbers: Iterable[int], noun: str) -> str:
    """Return how many of something there are, or from how many to how many."""
    text = span(numbers)
    return f"{text} {noun}" if text == "1" else f"{text} {noun}s"
