"""`check`: a report, or weights measured over twice the horizon, judged; with the best remedy of what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vanishgrad.models.options import option_names
from vanishgrad.questions.analyze import AnalyzeRequest, alone, reports
from vanishgrad.questions.check.judge import CheckDocument, CheckRequest, judgement
from vanishgrad.questions.documents import read_models
from vanishgrad.questions.explain.findings.report import RemedyDocument, remedy_document
from vanishgrad.reports.documents.model import FileSource, ModelDocument
from vanishgrad.reports.documents.reading import is_report


def check(request: AnalyzeRequest, asked: CheckRequest, is_partial: bool = False) -> CheckDocument:
    """Return the judgement of the only source of a request.

    Raises
    ------
    UsageError, VanishgradError
        As `reports` and `judgement`.
    """
    (source,) = request.weights
    baseline = None if asked.baseline is None else read_models(asked.baseline)
    longest = 0 if baseline is None else max((model.steps for model in baseline.models), default=0)
    over = 2 * (asked.furthest or longest) or None
    (report,) = reports(request, over=over, read=("threshold", "curves"))

    def remedies(failing: Sequence[ModelDocument]) -> Mapping[str, RemedyDocument]:
        if not failing or request.backend != "numpy" or (isinstance(source, str) and is_report(source)):
            return {}
        return best_remedies(alone(source, request, over), failing)

    return judgement(report, asked, is_partial, baseline, remedies)


def best_remedies(request: AnalyzeRequest, failing: Sequence[ModelDocument]) -> dict[str, RemedyDocument]:
    """Return the best change of the weights of each layer, as `explain` measures it along the same inputs.

    A layer has none where no finding names one, or where steps are masked.
    """
    from vanishgrad.questions.explain.explain import explain
    from vanishgrad.questions.explain.request import ExplainRequest

    shared = {name: getattr(request, name) for name in option_names(ExplainRequest) if hasattr(request, name)}
    layers = tuple(model.source.layer for model in failing if isinstance(model.source, FileSource))
    asked = ExplainRequest(source=request.weights[0], only=("findings",), **shared)
    labels, best = {model.label: model for model in failing}, {}
    for model in explain(replace(asked, layer=layers)).models:
        diagnosis, label = model.sections["findings"], model.result.label
        if label in labels and diagnosis is not None and diagnosis.best is not None:
            best[label] = remedy_document(diagnosis.best, labels[label].caution)
    return best
