"""Keyword arguments of Python's functions: a command's options by the same names, and a live module with its batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from vanishgrad.curves.request import CurvesRequest
from vanishgrad.errors import UsageError
from vanishgrad.models.options import ModelOptions, option_names
from vanishgrad.questions.capture import live_run

Request = TypeVar("Request", bound=ModelOptions)


def request_of(kind: type[Request], options: Mapping[str, Any], **sources: Any) -> Request:
    """Return a command's request.

    Raises
    ------
    UsageError
        For an option that it has not, with the nearest that it has.
    """
    command = kind.__name__.removesuffix("Request").lower()
    demand_known(command, options, [name for name in option_names(kind) if name not in sources])
    return kind(**sources, **options)


def demand_known(command: str, options: Mapping[str, Any], accepted: Sequence[str]) -> None:
    """Refuse an option that a command has not, with the nearest that it has."""
    for name in options:
        if name not in accepted and name in option_names(CurvesRequest) and command not in ("compare", "analyze"):
            raise UsageError(f"expected an option of {command}, got {name!r}, which is one of compare and analyze; "
                             "try one of them with it")  # fmt: skip
        if name not in accepted:
            nearest = get_close_matches(name, accepted, n=1)
            raise UsageError(f"expected an option of {command}, got {name!r}; try {', '.join(nearest or accepted)}")


def model_strings(models: Any) -> tuple[str, ...]:
    """Return one MODEL string or several as a tuple.

    Raises
    ------
    UsageError
        For anything else.
    """
    several = (models,) if isinstance(models, str) else tuple(models) if isinstance(models, Iterable) else None
    if several is None or not all(isinstance(each, str) for each in several):
        raise UsageError(f"expected MODEL strings, got {models!r}; try ['rnn', 'lstm:forget_bias=1']")
    return several


def along_batch(source: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a live module as the run that its batch gives, and the other options; all else as it is."""
    trials, steps = (each if isinstance(each := options.get(name), int) and each > 0 else None
                     for name in ("trials", "steps"))  # fmt: skip
    run = live_run(source, options.get("input"), trials=trials, steps=steps)
    if run is None:
        return source, options
    return run, {name: each for name, each in options.items() if name != "input"}


def name_of(source: Any) -> str:
    """Return how a report calls a source: its path or MODEL, or that it was in memory."""
    return str(getattr(source, "path", "the mapping")) if isinstance(source, Mapping) else str(source)
