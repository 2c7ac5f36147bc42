"""`compare`: models side by side, on the same input sequences."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from vanishgrad.cells.registry import CELLS
from vanishgrad.curves.measure import group_size
from vanishgrad.curves.model_result import ModelResult, requested_result
from vanishgrad.curves.processes import blas_threads, map_in_processes
from vanishgrad.curves.recorder import MATRIX_FREE
from vanishgrad.curves.request import CurvesRequest
from vanishgrad.errors import UsageError
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.models.open import Argument, Source, arguments, demand_distinct, file_prefixes, open_argument
from vanishgrad.models.random_models import shared_sequences
from vanishgrad.propagation.backends import backend
from vanishgrad.reports.documents.declaration import Size
from vanishgrad.reports.documents.model import model_document
from vanishgrad.reports.documents.report import CurvesRunDocument, FileRequestDocument, ModelsDocument, band_name
from vanishgrad.weights.model_string import ModelSpec

DEFAULT_MODELS = ("rnn", "rnn@orthogonal", "lstm", "lstm:forget_bias=1", "lstm@chrono", "gru", "gru@chrono")

LONG_MEMORY = ("chrono", "orthogonal", "identity")
"""The laws whose memory is long: the singular values of their products lie close, and take longer."""


@dataclass(frozen=True)
class CompareRequest(CurvesRequest):
    """Every option of a comparison.

    Attributes
    ----------
    models : tuple
        MODEL strings, files of weights and mappings of arrays.
    """

    models: tuple[Source, ...] = DEFAULT_MODELS

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.models:
            raise UsageError("expected at least one MODEL, got none; try vanishgrad compare lstm gru")
        demand_distinct(self.models)


@dataclass(frozen=True, eq=False)
class CompareResult:
    """A comparison: its request with every default resolved, and one result for each model."""

    request: CompareRequest
    sequences: InputSequences
    models: tuple[ModelResult, ...]


def compare(request: CompareRequest, done: Callable[[str], None] = lambda label: None, jobs: int = 1) -> CompareResult:
    """Measure every model of a request on the same input sequences.

    Parameters
    ----------
    request : CompareRequest
    done : callable
        Called with the label of each model that is done.
    jobs : int
        Processes that work side by side; the result does not depend on it.

    Raises
    ------
    UsageError
        For a model or option that cannot be.
    VanishgradError
        For what depends on files, or on the numbers.
    """
    subjects = arguments(request.models, request)
    backend(request.backend, request.device).demand()
    sequences = shared_sequences(request)
    results = list[ModelResult]()
    models, trials = _side_by_side(subjects, request, sequences.trials, jobs)
    work = partial(_measured, request=request, sequences=sequences, jobs=trials)
    prefixed = list(zip(subjects, file_prefixes(subjects), strict=True))
    with blas_threads(2 * request.hidden, max(models, trials)):
        for measured in map_in_processes(work, prefixed, models, _cost):
            results.extend(measured)
            done(measured[-1].label)
    return CompareResult(request, sequences, tuple(results))


def _side_by_side(subjects: Sequence[Argument], request: CompareRequest, trials: int, jobs: int) -> tuple[int, int]:
    """Return how many models are measured side by side, or else how many groups of each one's trials."""
    undivided = (
        (request.lengths or request.mask) is not None or request.backend != "numpy" or request.engine == MATRIX_FREE
    )
    groups = 1 if undivided else max(_groups(subject, request, trials) for subject in subjects)
    return (1, min(jobs, groups)) if groups > len(subjects) else (min(jobs, len(subjects)), 1)


def _groups(subject: Argument, request: CompareRequest, trials: int) -> int:
    if not isinstance(subject, ModelSpec):
        return 1
    state_size = len(CELLS[subject.cell].parts) * int(subject.keys.get("hidden", request.hidden))
    return -(-trials // group_size(state_size, np.dtype(request.dtype).itemsize * 8))


def _cost(prefixed: tuple[Argument, str]) -> float:
    """Return what a model costs beside others: its products, and more for a long memory."""
    subject, _ = prefixed
    if not isinstance(subject, ModelSpec):
        return math.inf
    return CELLS[subject.cell].cost * (2 if subject.law in LONG_MEMORY else 1)


def _measured(
    prefixed: tuple[Argument, str], request: CompareRequest, sequences: InputSequences, jobs: int
) -> list[ModelResult]:
    """Return a MODEL along the shared input, or the layers of a file, each along its own as `analyze` has it."""
    models = open_argument(prefixed[0], request, sequences, prefixed[1])
    if models.file is None:
        return [requested_result(each, request, jobs) for each in models.prepared_subjects()]
    with blas_threads(models.largest, jobs=1):
        return [requested_result(each, request) for each in models.prepared_subjects()]


class CompareRequestDocument(FileRequestDocument, CurvesRunDocument):
    """What was compared."""

    models: Sequence[str]
    hidden: Size
    input_size: Size


class CompareDocument(ModelsDocument):
    """What `compare` found."""

    command = "compare"

    request: CompareRequestDocument


def comparison(result: CompareResult) -> CompareDocument:
    """Return the document of a comparison."""
    request, sequences = result.request, result.sequences
    return CompareDocument(
        request=CompareRequestDocument.of(
            request,
            models=[str(model) for model in request.models if not isinstance(model, Mapping)],
            input_size=sequences.input_size,
            steps=sequences.steps,
            trials=sequences.trials,
            lengths=sequences.lengths.tolist() if request.lengths else None,
            band=band_name(sequences.trials),
        ),
        models=[model_document(model) for model in result.models],
    )
