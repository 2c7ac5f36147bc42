"""A model or the layers of a file explained, section by section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vanishgrad.curves.model_result import ModelResult
from vanishgrad.curves.processes import blas_threads
from vanishgrad.errors import UsageError
from vanishgrad.models.open import input_of_all, open_models
from vanishgrad.questions.explain.curves import further_curves
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.run import Run, runs
from vanishgrad.questions.explain.section import Absent
from vanishgrad.questions.explain.sections import SECTIONS


@dataclass(frozen=True, eq=False)
class ExplainedModel:
    """One model.

    Attributes
    ----------
    result : ModelResult
        As `compare` has it, with the curves of `further_curves`.
    sections : mapping
        Name → the section's result, None where it does not apply; the result's notes then say why.
    """

    result: ModelResult
    sections: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ExplainResult:
    """An explanation: its request, what was found of each model, a sentence for each layer that could not be read."""

    request: ExplainRequest
    models: tuple[ExplainedModel, ...]
    refused: tuple[str, ...] = ()


def explain(request: ExplainRequest, done: Callable[[str], None] = lambda label: None) -> ExplainResult:
    """Explain the model of a request, or every layer of its file that it names; `done` is called with each label.

    Raises
    ------
    UsageError
        For a model, a section or an option that cannot be.
    VanishgradError
        For what depends on files, or on the numbers.
    """
    for name in request.only:
        if name not in SECTIONS:
            raise UsageError(f"expected --only {', '.join(SECTIONS)}, got {name!r}; try --only {next(iter(SECTIONS))}")
    found = []
    (models,) = open_models([request.source], request)
    for run in runs(request, models):
        with blas_threads(run.cell.state_size, jobs=1):
            found.append(_explained(run))
        done(run.subject.label)
    request = replace(request, input=input_of_all([models], request))
    return ExplainResult(request, tuple(found), models.refused)


def _explained(run: Run) -> ExplainedModel:
    results = {name: SECTIONS[name].measure(run) for name in SECTIONS if name in (run.request.only or SECTIONS)}
    absent = {name: result.reason for name, result in results.items() if isinstance(result, Absent)}
    notes = (*run.measured.notes, *(f"no {name}: {reason}" for name, reason in absent.items()))
    curves = {**run.measured.curves, **further_curves(run)}
    return ExplainedModel(
        replace(run.measured, curves=curves, notes=notes),
        {name: None if name in absent else result for name, result in results.items()},
    )
