"""The words that say under which conditions a picture was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.style import wrapped


def frame(report: ModelsDocument, models: Sequence[ModelDocument]) -> str:
    """Return the line under a title: steps, hidden size, trials, input."""
    parts = (
        counted((model.steps for model in models), "step"),
        f"hidden size {_range(model.hidden_size for model in models)}",
        counted((model.trials for model in models), "trial"),
        driven_by(report.request.input),
    )
    return ", ".join(parts)


def driven_by(source: str) -> str:
    """Return an --input in words."""
    name, _, deviation = source.partition(":")
    if name == "white":
        return f"white-noise input of standard deviation {deviation}" if deviation else "white-noise input"
    if name == "text":
        return f"input “{wrapped(deviation, 60, 1)}”"
    return "zero input" if source == "zeros" else f"input from {wrapped(PurePath(source).name, 60, 1)}"


def counted(numbers: Iterable[int], noun: str) -> str:
    """Return how many of something there are, or from how many to how many."""
    found = _range(numbers)
    return f"{found} {noun}" if found == "1" else f"{found} {noun}s"


def _range(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"
