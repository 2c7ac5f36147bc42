"""The recurrent layers of files of weights, each measured along its own input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vanishgrad.curves.model_result import ModelResult, model_result
from vanishgrad.curves.processes import blas_threads
from vanishgrad.curves.request import CurvesRequest
from vanishgrad.models.file_layers import LayerRuns
from vanishgrad.models.subject import Prepared
from vanishgrad.propagation.backends import backend
from vanishgrad.reports.documents.document import (
    FILE_NAMES,
    RUN_NAMES,
    Document,
    band_name,
    header,
    model,
    request_document,
)
from vanishgrad.weights.layers import LayerFile
from vanishgrad.weights.recognition import recurrent_layers

REQUEST_NAMES = (*RUN_NAMES, "weights", *FILE_NAMES)
"""The options that the report of an analysis repeats, in its order."""


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


def analysis(result: AnalyzeResult) -> Document:
    """Return the document of an analysis."""
    trials = result.models[0].trials
    resolved = {
        "steps": max(each.steps for each in result.models), "trials": trials, "band": band_name(trials),
    }  # fmt: skip
    return {
        **header("analyze"),
        "request": request_document(result.request, REQUEST_NAMES, resolved),
        "models": [model(each) for each in result.models],
        "refused": list(result.refused),
    }
