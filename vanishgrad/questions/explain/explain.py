"""`explain`: a model or the layers of a file, section by section."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vanishgrad.curves.model_result import ModelResult
from vanishgrad.curves.processes import blas_threads, map_in_processes
from vanishgrad.errors import UsageError
from vanishgrad.languages import english
from vanishgrad.models.open import input_of_all, open_models
from vanishgrad.questions.explain.curves import further_curves
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.run import Run, runs
from vanishgrad.questions.explain.section import Absent
from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.steps_done import working_on

MEASURED, FURTHER_CURVES = "measured", "further curves"
PARTS: Mapping[str, Callable[[Run], Any]] = {MEASURED: lambda run: run.measured, FURTHER_CURVES: further_curves}
"""What every explanation has beside its sections."""
SHARING = ((MEASURED, "findings"), ("directions", "lyapunov"))
"""What rests on the same quantity of a run: its curves, and its singular values."""


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


def explain(request: ExplainRequest, done: Callable[[str], None] = lambda label: None, jobs: int = 1) -> ExplainResult:
    """Explain the model of a request, or every layer of its file that it names.

    Parameters
    ----------
    request : ExplainRequest
    done : callable
        Called with the label of each model that is done.
    jobs : int
        Processes among which a model's sections are divided; the result does not depend on it.

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
    explained = []
    (models,) = open_models([request.source], request)
    for run in runs(request, models):
        with blas_threads(run.cell.state_size, jobs):
            explained.append(_explained(run, jobs))
        done(run.subject.label)
    request = replace(request, input=input_of_all([models], request))
    return ExplainResult(request, tuple(explained), models.refused)


def _explained(run: Run, jobs: int) -> ExplainedModel:
    sections = [name for name in SECTIONS if name in (run.request.only or SECTIONS)]
    measured = _measured(run, [MEASURED, FURTHER_CURVES, *sections], jobs)
    result, further = measured[MEASURED], measured[FURTHER_CURVES]
    absent = {name: measured[name].reason for name in sections if isinstance(measured[name], Absent)}
    notes = (
        *result.notes,
        *(english("no {section}: {reason}", section=name, reason=reason) for name, reason in absent.items()),
    )
    return ExplainedModel(
        replace(result, curves={**result.curves, **further}, notes=notes),
        {name: None if name in absent else measured[name] for name in sections},
    )


def _part(run: Run, name: str) -> Any:
    with working_on(run.subject.label if name in PARTS else f"{run.subject.label}, {name}"):
        return PARTS[name](run) if name in PARTS else SECTIONS[name].measure(run)


def _measured(run: Run, names: Sequence[str], jobs: int) -> dict[str, Any]:
    """Return what is found under each name, those that share a quantity by one process, which works it out once."""
    _ = run.trajectory  # which all share
    sharing = [tuple(name for name in group if name in names) for group in SHARING]
    alone = [(name,) for name in names if not any(name in group for group in SHARING)]
    groups = [group for group in (*sharing, *alone) if group]

    def work(group: tuple[str, ...]) -> dict[str, Any]:
        return {name: _part(run, name) for name in group}

    return {name: part for parts in map_in_processes(work, groups, jobs, len) for name, part in parts.items()}
