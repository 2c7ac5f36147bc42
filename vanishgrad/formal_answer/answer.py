"""The answer as data: claims on models, worked examples, tables and figures, all computed when it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vanishgrad.curves.processes import blas_threads, map_in_processes
from vanishgrad.formal_answer.claims import Claim
from vanishgrad.formal_answer.figures import Figure, figures
from vanishgrad.formal_answer.quantities.measured import MAX_GRAM_SIZE, MeasuredRun
from vanishgrad.formal_answer.quantities.separation import example_claims
from vanishgrad.formal_answer.study import Studied, study
from vanishgrad.formal_answer.subjects import AnswerRequest, demand_some, runs
from vanishgrad.formal_answer.tables import Table, claim_tables, example_tables, learning_tables, model_tables
from vanishgrad.formal_answer.worked import worked_numbers
from vanishgrad.models.open import has_own_input, holds_weights

MIN_PARALLEL_NUMBERS = 2**22
"""Numbers in all Jacobians from which on a second process gains more than it costs."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Everything that the texts refer to."""

    request: AnswerRequest
    models: tuple[Studied, ...]
    claims: tuple[Claim, ...]
    numbers: Mapping[str, float]
    tables: Mapping[str, Table]
    figures: Mapping[str, Figure]

    @property
    def is_noise_for_weights(self) -> bool:
        """Whether layers of files are run on white noise: what they were trained on was something else."""
        files = [each for each in self.request.models if holds_weights(each) and not has_own_input(each)]
        return bool(files) and self.request.input.partition(":")[0] == "white"


def answer(request: AnswerRequest, done: Callable[[str], None] = lambda label: None, jobs: int = 1) -> Answer:
    """Study every model of a request, up to `jobs` side by side, and work every example.

    `done` is called with each label; the answer does not depend on `jobs`.

    Raises
    ------
    UsageError, VanishgradError
        As `subjects.runs`.
    """
    measured = list(runs(request))
    studied = list(_studied(measured, done, jobs))
    demand_some(studied)
    steps = request.steps or max(each.steps for each in measured)
    with blas_threads(MAX_GRAM_SIZE, jobs=1):
        numbers, built, examples = (
            worked_numbers(steps),
            example_claims(steps),
            example_tables(steps),
        )
    claims = (*(claim for model in studied for claim in model.claims), *built)
    tables = {**claim_tables(claims), **model_tables(studied), **examples, **learning_tables()}
    return Answer(request, tuple(studied), claims, numbers, tables, figures(studied))


def _studied(models: Sequence[MeasuredRun], done: Callable[[str], None], jobs: int) -> Iterator[Studied]:
    """Yield what is found for each model; several that take a while are studied side by side."""
    work = sum(run.steps * run.cell.state_size**2 for run in models)
    jobs = min(jobs, len(models)) if work > MIN_PARALLEL_NUMBERS else 1
    with blas_threads(max((run.cell.state_size for run in models), default=1), jobs):
        for studied in map_in_processes(study, models, jobs):
            done(studied.label)
            yield studied
