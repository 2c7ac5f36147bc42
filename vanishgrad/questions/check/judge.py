"""Judgement of a report: does the gradient of every layer reach as far as it has to?"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.languages import english
from vanishgrad.questions.explain.findings.report import RemedyDocument
from vanishgrad.reports.documents.curve import DIGITS, CurveDocument, VerdictName
from vanishgrad.reports.documents.declaration import Document, Limits, Size
from vanishgrad.reports.documents.model import FileSource, ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.weights.layers import is_under


class CheckRequest(Document):
    """What a curve is held against."""

    report: Annotated[str, "the file that was judged, - for stdin"]
    curve: str
    horizon: Annotated[Size | None, "steps that the gradient has to reach in every layer without one of its own"]
    horizons: Annotated[Mapping[str, Size], "the same of a layer, or of all under a path"]
    threshold: Annotated[float, Limits(exclusive_minimum=0, exclusive_maximum=1)]
    max_rate: Annotated[float | None, "the largest |rate|, nats per step"]
    baseline: Annotated[str | None, "a report whose horizons are the least, where no other is given"]

    def __post_init__(self) -> None:
        if self.max_rate is not None and not self.max_rate >= 0:
            raise UsageError(f"expected --max-rate from 0 on, got {self.max_rate:g}; try --max-rate 0.1")
        if self.horizon is None and not self.horizons and self.baseline is None:
            raise UsageError("expected --horizon or --baseline, got neither; try --horizon 50")

    @property
    def furthest(self) -> int:
        """The largest number of steps that is asked for, 0 if the baseline alone says."""
        return max([self.horizon or 0, *self.horizons.values()])


class JudgedLayer(Document):
    """One layer's verdict."""

    label: str
    horizon: Annotated[int, Limits(minimum=-1), "last lag up to which the median stays at the threshold; -1 if none"]
    censored: Annotated[bool, "whether that is the last lag of the report"]
    needs: Annotated[int, Limits(minimum=-1), "steps that the gradient has to reach here"]
    was: Annotated[int | None, Limits(minimum=-1), "the horizon in the baseline; null if it has no such layer"]
    verdict: VerdictName
    rate: float | None
    passed: bool
    reasons: Sequence[str]
    remedy: Annotated[RemedyDocument | None, "what would help best, computed; null of a report, or if it passes"]
    caution: Annotated[str | None, "what to know of its input; null if nothing"]

    @property
    def further_reasons(self) -> Sequence[str]:
        """The reasons beside its horizon, which comes first."""
        return self.reasons[self.horizon < self.needs :]


class CheckDocument(ReportDocument):
    """What `check` found."""

    command = "check"

    request: CheckRequest
    passed: bool
    layers: Sequence[JudgedLayer]
    refused: Annotated[Sequence[str], "a sentence for each layer that could not be read"]
    missing: Annotated[Sequence[str], "layers of the baseline's files that are not here"] = ()
    baseline_notes: Annotated[Sequence[str], "how the baseline was measured otherwise than what is judged"] = ()


Remedies = Callable[[Sequence[ModelDocument]], Mapping[str, RemedyDocument]]
"""From the layers that fail to what would help best, by label."""


def judgement(
    report: ModelsDocument,
    request: CheckRequest,
    is_partial: bool = False,
    baseline: ModelsDocument | None = None,
    remedies: Remedies = lambda layers: {},
) -> CheckDocument:
    """Return the document of a check: every layer of a report against a horizon.

    A layer passes if the median norm is at `threshold` or above at every lag up to its horizon, if it does not explode
    and if |rate| is at most `max_rate`. Where a recurrent layer of the file could not be read,
    or the baseline has a file's layer that is not here, the check fails unless it `is_partial`.

    Raises
    ------
    UsageError
        If the report is shorter than a horizon, has not the curve or the layer of a horizon.
    VanishgradError
        If a layer has no horizon to be held against, or one that the report cannot tell.
    """
    models = [model for model in report.models if request.curve in model.curves]
    if not models:
        raise UsageError(f"expected the curve {request.curve!r}, got none in {request.report!r}; try --curve state")
    earlier = {} if baseline is None else _baseline_layers(baseline, models, request.curve)
    before = {
        label: _horizon(label, layer.curves[request.curve], request.threshold, str(request.baseline))
        for label, layer in earlier.items()
        if any(model.label == label for model in models)
    }
    needs = _needs(models, request, before)
    layers = [_layer_judgement(model, request, needs[model.label], before.get(model.label)) for model in models]
    best = remedies([model for model, layer in zip(models, layers, strict=True) if not layer.passed])
    layers = [JudgedLayer.of(layer, remedy=best.get(layer.label)) for layer in layers]
    refused = tuple(getattr(report, "refused", ()))
    missing = _missing(earlier, report)
    return CheckDocument(
        request=request,
        passed=all(layer.passed for layer in layers) and (is_partial or not (refused or missing)),
        layers=layers,
        refused=refused,
        missing=missing,
        baseline_notes=list(_differences(earlier, models)),
    )


def _needs(models: Sequence[ModelDocument], request: CheckRequest, before: Mapping[str, int]) -> dict[str, int]:
    """Return how far each layer has to reach: its own horizon, that of the longest path above it, or of all."""
    labels = [model.label for model in models]
    for name in request.horizons:
        if not any(is_under(label, name) for label in labels):
            raise UsageError(f"expected --horizon of a layer of {request.report!r}, got {name!r}; "
                                  f"try {', '.join(get_close_matches(name, labels, 3, 0.3) or labels)}")  # fmt: skip
    needs = {}
    for label in labels:
        above = [name for name in request.horizons if is_under(label, name)]
        own = request.horizons[max(above, key=len)] if above else request.horizon
        if own is None and label not in before:
            source = "the baseline" if request.baseline else "a --horizon of its own"
            raise VanishgradError(f"expected {label} in {source}, got none; try --horizon 50 for all others")
        needs[label] = before[label] if own is None else own
    return needs


def _baseline_layers(baseline: ModelsDocument, models: Sequence[ModelDocument], curve: str) -> dict[str, ModelDocument]:
    """Return label → layer of the baseline; the only one under the label of the only one that is judged."""
    earlier = {model.label: model for model in baseline.models if curve in model.curves}
    if len(earlier) == len(models) == 1:
        return {models[0].label: next(iter(earlier.values()))}
    return earlier


def _missing(earlier: Mapping[str, ModelDocument], report: ModelsDocument) -> list[str]:
    """Return the baseline's layers of files that a report has not, among those that it was asked for."""
    here = {model.label for model in report.models}
    asked = getattr(report.request, "layers", ())
    return [
        label
        for label, layer in earlier.items()
        if label not in here
        and isinstance(layer.source, FileSource)
        and (not asked or any(is_under(layer.source.layer, path) for path in asked))
    ]


def _differences(earlier: Mapping[str, ModelDocument], models: Sequence[ModelDocument]) -> Iterator[str]:
    """Yield, once for all layers alike, where the baseline's run was another one."""
    by_run: dict[tuple[str, int, str, int], list[str]] = {}
    for model in models:
        before = earlier.get(model.label, model)
        if (before.input, before.steps) != (model.input, model.steps):
            by_run.setdefault((before.input, before.steps, model.input, model.steps), []).append(model.label)
    for (input_, steps, input_here, steps_here), labels in by_run.items():
        yield english(
            "{labels}: the baseline was measured along {input} over {steps} steps, this along {input_here} over "
            "{steps_here} steps",
            labels=", ".join(labels), input=input_, steps=steps, input_here=input_here, steps_here=steps_here,
        )  # fmt: skip


def _layer_judgement(model: ModelDocument, request: CheckRequest, needs: int, was: int | None) -> JudgedLayer:
    label, curve = model.label, model.curves[request.curve]
    if curve.last < needs:
        raise UsageError(
            f"expected a report of at least {needs} lags for --horizon {needs}, got {curve.last} "
            f"of {label} in {request.report!r}; try a longer run or a smaller --horizon"
        )
    reached = _horizon(label, curve, request.threshold, request.report)
    reasons = list(_reasons(curve, reached, needs, request))
    return JudgedLayer(
        label=label,
        horizon=reached,
        censored=reached == curve.last,
        needs=needs,
        was=was,
        verdict=curve.verdict,
        rate=curve.rate.value if curve.rate else None,
        passed=not reasons,
        reasons=reasons,
        remedy=None,
        caution=model.caution,
    )


def _log10_medians(curve: CurveDocument) -> dict[int, float]:
    """Return log10 of the median norm at each lag that was measured, -inf for an exact zero."""
    by_lag = enumerate(zip(curve.log10_norm.median, curve.count, strict=True))
    return {lag: -math.inf if value is None else value for lag, (value, count) in by_lag if count}


def _horizon(label: str, curve: CurveDocument, threshold: float, report: str) -> int:
    """Return the last lag up to which the norm stays at the threshold, -1 if none."""
    measured, last = _log10_medians(curve), curve.last
    gone = _first_lag_below(measured, curve, threshold)
    reached = max((lag for lag in measured if lag < gone), default=-1)
    unknown = [lag for lag in (0, reached + 1 if gone <= last else last, last) if lag not in measured]
    if unknown:
        raise VanishgradError(
            f"expected lag {unknown[0]} of {label} in {report!r} to be measured, got lags {_some(measured)}; "
            f"try a report by compare --json --engine dense, or the same --threshold"
        )
    return reached


def _first_lag_below(measured: Mapping[int, float], curve: CurveDocument, threshold: float) -> int:
    """Return the first lag below the threshold, one beyond the last if there is none.

    With the report's own threshold it is what the report says, which was decided before its logarithms were rounded;
    where that stopped at the end of the shortest sequence, the lags behind are looked at.
    """
    horizon = curve.horizon if threshold == curve.threshold and curve.horizon is not None else -1
    if horizon >= 0 and not curve.horizon_censored:
        return horizon + 1
    level = _rounded_log10(threshold)
    return next((lag for lag, value in measured.items() if lag > horizon and value < level), curve.last + 1)


def _reasons(curve: CurveDocument, reached: int, needs: int, request: CheckRequest) -> Iterator[str]:
    """Yield why a layer does not pass."""
    if reached < needs:
        yield english("reaches {reached} of {needs} steps", reached=reached, needs=needs)
        if curve.common_lag <= reached:
            yield english("the verdict is of lag {lag}, the last that every sequence has", lag=curve.common_lag)
    end = _log10_medians(curve)[curve.last]
    if end > -_rounded_log10(request.threshold):
        yield english("explodes to 10^{log10}", log10=f"{end:.1f}")
    if request.max_rate is None:
        return
    if curve.rate is None:
        yield english("has no rate")
    elif abs(curve.rate.value) > request.max_rate:
        yield english("|rate| {rate} > {limit}", rate=f"{abs(curve.rate.value):.3g}", limit=f"{request.max_rate:g}")


def _rounded_log10(threshold: float) -> float:
    """Return log10 of a threshold with as many decimals as a report has."""
    return round(math.log10(threshold), DIGITS)


def _some(lags: Collection[int]) -> str:
    first = [str(lag) for lag in list(lags)[:4]]
    return ", ".join(first) + (", …" if len(lags) > len(first) else "")
