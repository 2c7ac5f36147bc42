"""`analyze`: the recurrent layers of files of weights, each measured along its own input."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated

from vanishgrad.curves.model_result import ModelResult, requested_result
from vanishgrad.curves.processes import blas_threads
from vanishgrad.curves.request import CurvesRequest
from vanishgrad.errors import UsageError
from vanishgrad.inputs.lengths import lengths_of
from vanishgrad.models.open import Source, arguments, has_own_input, input_of_all, open_models, options_for
from vanishgrad.models.options import ModelOptions, option_names
from vanishgrad.propagation.backends import backend
from vanishgrad.questions.documents import read_models
from vanishgrad.reports.documents.declaration import Size
from vanishgrad.reports.documents.model import model_document
from vanishgrad.reports.documents.reading import is_report
from vanishgrad.reports.documents.report import CurvesRunDocument, FileRequestDocument, ModelsDocument, band_name
from vanishgrad.weights.hints import flag


@dataclass(frozen=True)
class AnalyzeRequest(CurvesRequest):
    """Every option of an analysis.

    Attributes
    ----------
    weights : tuple
        Files of weights, mappings of arrays, and MODELs, each along its own input.
    """

    weights: tuple[Source, ...]


@dataclass(frozen=True, eq=False)
class AnalyzeResult:
    """One result for each layer, and a sentence for each layer that could not be read."""

    request: AnalyzeRequest
    models: tuple[ModelResult, ...]
    refused: tuple[str, ...]


def analyze(request: AnalyzeRequest, done: Callable[[str], None] = lambda label: None) -> AnalyzeResult:
    """Measure every layer that a request names; `done` is called with the label of each.

    Raises
    ------
    UsageError, VanishgradError
        If a file, an option or its input does not fit.
    """
    models = open_models(request.weights, request)
    results = []
    backend(request.backend, request.device).demand()
    with blas_threads(max(prepared.largest for prepared in models), jobs=1):
        for prepared in chain.from_iterable(model.prepared_subjects() for model in models):
            results.append(requested_result(prepared, request))
            done(prepared.subject.label)
    request = replace(request, input=input_of_all(models, request))
    return AnalyzeResult(
        request, tuple(results), tuple(sentence for prepared in models for sentence in prepared.refused)
    )


class AnalyzeRequestDocument(FileRequestDocument, CurvesRunDocument):
    """What was analysed."""

    weights: Annotated[Sequence[str], "files and MODELs; empty for a mapping of arrays"]
    hidden: Annotated[Size, "of a MODEL"] = ModelOptions.hidden
    input_size: Annotated[Size | None, "of a MODEL"] = None


class AnalyzeDocument(ModelsDocument):
    """What `analyze` found."""

    command = "analyze"

    request: AnalyzeRequestDocument
    refused: Annotated[Sequence[str], "a sentence for each layer that could not be read"]


def analysis(result: AnalyzeResult) -> AnalyzeDocument:
    """Return the document of an analysis."""
    request, trials = result.request, result.models[0].trials
    return AnalyzeDocument.of(
        result,
        request=AnalyzeRequestDocument.of(
            request,
            weights=[str(source) for source in request.weights if not isinstance(source, Mapping)],
            steps=max(model.steps for model in result.models),
            trials=trials,
            lengths=lengths_of(request.lengths),
            band=band_name(trials),
        ),
        models=[model_document(model) for model in result.models],
    )


def reports(request: AnalyzeRequest, over: int | None = None, read: Collection[str] = ()) -> list[ModelsDocument]:
    """Return a report for each source of a request: read where it is one, else worked out.

    Parameters
    ----------
    over : int or None
        The length of a run whose length nothing else says.
    read : collection of str
        The options that are used of a report, too.

    Raises
    ------
    UsageError
        For options of a run where there is nothing to run.
    """
    ready = [isinstance(source, str) and is_report(source) for source in request.weights]
    if all(ready):
        demand_no_run(request, "a report", read)
    arguments([source for source, is_read in zip(request.weights, ready, strict=True) if not is_read], request)
    return [
        read_models(str(source)) if is_read else analysis(analyze(alone(source, options_for(source, request), over)))
        for source, is_read in zip(request.weights, ready, strict=True)
    ]


def demand_no_run(request: AnalyzeRequest, got: str, read: Collection[str] = ()) -> None:
    """Refuse options of a run where there is nothing to run, but for those that are `read` there."""
    for name in option_names(AnalyzeRequest):
        if name not in (*read, "weights") and getattr(request, name) != getattr(AnalyzeRequest, name):
            raise UsageError(f"expected {flag(name)} with weights or a MODEL, got {got}; try leaving it out")


def alone(source: Source, request: AnalyzeRequest, over: int | None) -> AnalyzeRequest:
    """Return the request of one source alone, `over` so many steps where nothing else says how many."""
    is_open = request.steps is None and request.lengths is None and request.is_noise and not has_own_input(source)
    return replace(request, weights=(source,), steps=over if is_open else request.steps)
