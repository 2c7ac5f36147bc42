"""The recurrent layers of files of weights, each measured along its own input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from vanishgrad.curves.model_result import ModelResult, model_result
from vanishgrad.curves.processes import blas_threads
from vanishgrad.curves.request import CurvesRequest
from vanishgrad.inputs.sequences import lengths_of
from vanishgrad.models.file_layers import LayerRuns
from vanishgrad.models.subject import Prepared
from vanishgrad.propagation.backends import backend
from vanishgrad.reports.documents.model import model_document
from vanishgrad.reports.documents.report import CurvesRunDocument, LayersRunDocument, ModelsDocument, band_name
from vanishgrad.weights.layers import LayerFile
from vanishgrad.weights.recognition import recurrent_layers


@dataclass(frozen=True)
class AnalyzeRequest(CurvesRequest):
    """Every option of an analysis.

    Attributes
    ----------
    weights : tuple of str
        Files of weights.
    """

    weights: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class AnalyzeResult:
    """One result for each layer, and a sentence for each layer that could not be read."""

    request: AnalyzeRequest
    models: tuple[ModelResult, ...]
    refused: tuple[str, ...]


def analyze(
    request: AnalyzeRequest,
    source: Mapping[str, Any] | None = None,
    done: Callable[[str], None] = lambda label: None,
) -> AnalyzeResult:
    """Measure every layer that a request names; `source` is a mapping of arrays instead of files.

    Raises
    ------
    VanishgradError
        If a file or its input does not fit.
    """
    files = [recurrent_layers(each, **request.hints) for each in ([source] if source is not None else request.weights)]
    results = []
    backend(request.backend, request.device).demand()
    largest = max(layer.hidden_size for file in files for layer in file)
    with blas_threads(largest, jobs=1):
        for file, prefix in zip(files, _prefixes(files), strict=True):
            for each in LayerRuns(file, request, prefix).prepared():
                results.append(_result(each, request))
                done(each.subject.label)
    return AnalyzeResult(request, tuple(results), tuple(sentence for file in files for sentence in file.refused))


def _result(found: Prepared, request: AnalyzeRequest) -> ModelResult:
    on = backend(request.backend, request.device)
    return model_result(
        found.subject, found.sequences, found.s0, request.threshold, request.seed, request.scope, request.engine, on
    )


def _prefixes(files: list[LayerFile]) -> list[str]:
    """Return what tells the layers of several files apart: their names, or their paths where names repeat."""
    if len(files) == 1:
        return [""]
    names = [Path(file.path).name for file in files]
    return [f"{name if names.count(name) == 1 else file.path}:" for name, file in zip(names, files, strict=True)]


@dataclass(frozen=True, eq=False, kw_only=True)
class AnalyzeRequestDocument(CurvesRunDocument, LayersRunDocument):
    """What was analysed."""

    weights: Annotated[Sequence[str], "files; empty for a mapping of arrays"]


@dataclass(frozen=True, eq=False, kw_only=True)
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
            steps=max(model.steps for model in result.models),
            trials=trials,
            lengths=lengths_of(request.lengths),
            band=band_name(trials),
        ),
        models=[model_document(model) for model in result.models],
    )
