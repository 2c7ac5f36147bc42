"""`check`: does the gradient reach far enough? A report, judged for CI."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.reports.documents.curve import DIGITS, CurveDocument, VerdictName
from vanishgrad.reports.documents.declaration import Document, Limits, Size
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.sentences import opening


@dataclass(frozen=True, eq=False, kw_only=True)
class CheckRequest(Document):
    """What a curve is held against."""

    report: Annotated[str, "the file that was judged, - for stdin"]
    curve: str
    horizon: Annotated[Size, "steps that the gradient has to reach"]
    threshold: Annotated[float, Limits(exclusive_minimum=0, exclusive_maximum=1)]
    max_rate: Annotated[float | None, "the largest |rate|, nats per step"]

    def __post_init__(self) -> None:
        if self.max_rate is not None and not self.max_rate >= 0:
            raise UsageError(f"expected --max-rate from 0 on, got {self.max_rate:g}; try --max-rate 0.1")


@dataclass(frozen=True, eq=False, kw_only=True)
class JudgedLayer(Document):
    """One layer's verdict."""

    label: str
    horizon: Annotated[int, Limits(minimum=-1), "last lag up to which the median stays at the threshold; -1 if none"]
    censored: Annotated[bool, "whether that is the last lag of the report"]
    verdict: VerdictName
    rate: float | None
    passed: bool
    reasons: Sequence[str]
    caution: Annotated[str | None, "what to know of its input; null if nothing"]


@dataclass(frozen=True, eq=False, kw_only=True)
class CheckDocument(ReportDocument):
    """What `check` found."""

    command = "check"

    request: CheckRequest
    passed: bool
    layers: Sequence[JudgedLayer]
    refused: Annotated[Sequence[str], "a sentence for each layer that could not be read"]


def judgement(report: ModelsDocument, request: CheckRequest, is_partial: bool = False) -> CheckDocument:
    """Return the document of a check: every layer of a report against a horizon.

    A layer passes if the median norm is at `threshold` or above at every lag up to `horizon`, if it does not explode
    and if |rate| is at most `max_rate`. Where a recurrent layer of the file could not be read, the check fails unless
    it `is_partial`: of the layers that could.

    Raises
    ------
    VanishgradError
        If the report is shorter than the horizon, or has not the curve.
    """
    models = [model for model in report.models if request.curve in model.curves]
    if not models:
        raise VanishgradError(
            f"expected the curve {request.curve!r}, got none in {request.report!r}; try --curve state"
        )
    layers = [_layer_judgement(model, request) for model in models]
    refused = tuple(getattr(report, "refused", ()))
    passed = all(layer.passed for layer in layers) and (is_partial or not refused)
    return CheckDocument(request=request, passed=passed, layers=layers, refused=refused)


def _layer_judgement(model: ModelDocument, request: CheckRequest) -> JudgedLayer:
    label, curve = model.label, model.curves[request.curve]
    if curve.last < request.horizon:
        raise VanishgradError(
            f"expected a report of at least {request.horizon} lags for --horizon {request.horizon}, got {curve.last} "
            f"of {label} in {request.report!r}; try a longer run or a smaller --horizon"
        )
    measured = _log10_medians(curve)
    reached = _horizon(label, measured, curve, request)
    reasons = list(_reasons(curve, measured[curve.last], reached, request))
    return JudgedLayer(
        label=label,
        horizon=reached,
        censored=reached == curve.last,
        verdict=curve.verdict,
        rate=curve.rate.value if curve.rate else None,
        passed=not reasons,
        reasons=reasons,
        caution=model.caution,
    )


def _log10_medians(curve: CurveDocument) -> dict[int, float]:
    """Return log10 of the median norm at each lag that was measured, -inf for an exact zero."""
    by_lag = enumerate(zip(curve.log10_norm.median, curve.count, strict=True))
    return {lag: -math.inf if value is None else value for lag, (value, count) in by_lag if count}


def _horizon(label: str, measured: Mapping[int, float], curve: CurveDocument, request: CheckRequest) -> int:
    """Return the last lag up to which the norm stays at the threshold, -1 if none."""
    last = curve.last
    gone = _first_lag_below(measured, curve, request.threshold)
    reached = max((lag for lag in measured if lag < gone), default=-1)
    unknown = [lag for lag in (0, reached + 1 if gone <= last else last, last) if lag not in measured]
    if unknown:
        raise VanishgradError(
            f"expected lag {unknown[0]} of {label} in {request.report!r} to be measured, got lags {_some(measured)}; "
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


def _reasons(curve: CurveDocument, end: float, reached: int, request: CheckRequest) -> Iterator[str]:
    """Yield why a layer does not pass; `end` is log10 of its norm at the last lag."""
    if reached < request.horizon:
        yield f"reaches {reached} of {request.horizon} steps"
    if end > -_rounded_log10(request.threshold):
        yield f"explodes to 10^{end:.1f}"
    if request.max_rate is None:
        return
    if curve.rate is None:
        yield "has no rate"
    elif abs(curve.rate.value) > request.max_rate:
        yield f"|rate| {abs(curve.rate.value):.3g} > {request.max_rate:g}"


def _rounded_log10(threshold: float) -> float:
    """Return log10 of a threshold with as many decimals as a report has."""
    return round(math.log10(threshold), DIGITS)


def _some(lags: Collection[int]) -> str:
    first = [str(lag) for lag in list(lags)[:4]]
    return ", ".join(first) + (", …" if len(lags) > len(first) else "")


def to_text(document: CheckDocument) -> str:
    """Return one line for each layer, after what to know of their input."""
    lines = [first] if (first := opening(document.layers)) else []
    for layer in document.layers:
        mark = "ok  " if layer.passed else "FAIL"
        horizon = f"{'> ' if layer.censored else ''}{layer.horizon}"
        why = f": {'; '.join(layer.reasons)}" if layer.reasons else ""
        lines.append(f"{mark} {layer.label}  horizon {horizon}, {layer.verdict}{why}")
    lines += [f"not read: {sentence}" for sentence in document.refused]
    if document.refused and not document.passed:
        lines.append("FAIL a recurrent layer could not be read; --partial checks the others alone")
    return "\n".join(lines) + "\n"
