"""The Lyapunov spectrum: the factor per step of every direction in the long run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from vanishgrad.languages import in_english, translatable, translate, translate_count
from vanishgrad.questions.explain.section import Passage, Series
from vanishgrad.reports.documents.declaration import Count, Document, Size, one_length
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.sentences import exponential, number

if TYPE_CHECKING:
    from vanishgrad.arrays import Array
    from vanishgrad.questions.explain.lyapunov.measure import Lyapunov

Exponents = Annotated[Sequence[float | None], "nats per step, descending; null = minus infinity, or no error known"]


class ExponentsDocument(Document):
    """Exponents over trials, with their standard errors."""

    mean: Exponents
    error: Exponents
    low: Exponents
    high: Exponents

    def flaw(self) -> str | None:
        """Lists have one length."""
        return one_length(vars(self))


class SumRuleDocument(Document):
    """The sum of all exponents beside the mean of ln|det J_t|."""

    sum: float
    log_det: float
    difference: float


class HistoryDocument(Document):
    """The first exponents after so many steps."""

    steps: Size
    exponents: Exponents


class LyapunovDocument(Document):
    """The factor per step of every direction in the long run."""

    exponents: ExponentsDocument
    finite_time: Annotated[Exponents, "of this run alone"]
    mean_field: Annotated[Exponents | None, "of infinitely wide random networks"]
    unit: Literal["nats/step"]
    complete: Annotated[bool, "whether there is one for each direction of the state"]
    steps: Size
    burn_in: Count
    finite_steps: Size
    input_continued: bool
    kaplan_yorke_dimension: float | None
    entropy: Annotated[float | None, "nats per step"]
    sum_rule: SumRuleDocument | None
    history: Sequence[HistoryDocument]
    sentence: str


DIGITS = 12
SIGMAS = 2
"""Standard errors within which an exponent cannot be told from 0."""
MAX_ROWS = 6
"""Exponents that the table shows; JSON has them all."""


def lyapunov_document(lyapunov: Lyapunov, model: ModelDocument) -> LyapunovDocument:
    """Return the section's part of the JSON document."""
    rule = lyapunov.sum_rule
    document = LyapunovDocument.of(
        lyapunov,
        exponents=ExponentsDocument(
            mean=_numbers(lyapunov.lam),
            error=_numbers(lyapunov.error),
            low=_numbers(lyapunov.low),
            high=_numbers(lyapunov.high),
        ),
        finite_time=_numbers(lyapunov.finite),
        mean_field=None if lyapunov.mean_field is None else _numbers(lyapunov.mean_field),
        unit="nats/step",
        input_continued=lyapunov.generated,
        kaplan_yorke_dimension=lyapunov.dimension,
        sum_rule=None if rule is None else SumRuleDocument.of(rule),
        history=[
            HistoryDocument(steps=steps, exponents=[_number(value) for value in lam]) for steps, lam in lyapunov.history
        ],
        sentence="",
    )
    return document.with_members(sentence=in_english(sentence, document))


def _numbers(values: Array) -> list[float | None]:
    return [_number(value) for value in values.tolist()]


def _number(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def sentence(lyapunov: LyapunovDocument) -> str:
    """Return what the first exponent and the number of positive ones say."""
    exponents = lyapunov.exponents.mean
    first, error = exponents[0], lyapunov.exponents.error[0]
    if first is None:
        return translate("every direction is lost exactly")
    margin = f" ± {_rounded(error, error)}" if error else ""
    rate = translate(
        "λ₁ = {exponent} nats a step (× {factor})",
        exponent=_rounded(first, error) + margin, factor=exponential(first),
    )  # fmt: skip
    if error and abs(first) < SIGMAS * error:
        return translate(
            "{rate}: neither shrinking nor growing, as far as {steps} steps can tell", rate=rate, steps=lyapunov.steps
        )
    if first < 0:
        return translate(
            "{rate}: in the long run every direction shrinks, and so does the difference of two runs", rate=rate
        )
    positive = sum(value is not None and value > 0 for value in exponents)
    if lyapunov.entropy is None:
        return translate_count(
            "{rate}: at least {count} direction grow: chaos, gradients explode",
            "{rate}: at least {count} directions grow: chaos, gradients explode",
            positive, rate=rate,
        )  # fmt: skip
    return translate_count(
        "{rate}: {count} direction grow: chaos, gradients explode",
        "{rate}: {count} directions grow: chaos, gradients explode",
        positive, rate=rate,
    )  # fmt: skip


def _rounded(value: float, error: float | None) -> str:
    """Return a number with two figures of its error."""
    decimals = 4 if not error else min(max(1 - math.floor(math.log10(error)), 0), 12)
    return f"{value:.{decimals}f}"


def lyapunov_passage(lyapunov: LyapunovDocument, model: ModelDocument) -> Passage:
    """Return the exponents in short, with their errors."""
    exponents = lyapunov.exponents
    rows = tuple(
        (
            str(i + 1),
            *_with_error(exponents.mean[i], exponents.error[i]),
            _text(exponents.low[i]),
            _text(exponents.high[i]),
            _text(lyapunov.finite_time[i]),
        )
        for i in _picked(len(exponents.mean))
    )
    over = translate("over {steps} steps", steps=lyapunov.finite_steps)
    return Passage(
        title=_title(lyapunov),
        sentences=(
            sentence(lyapunov),
            *_dimension(lyapunov),
            *_mean_field(lyapunov, model.hidden_size),
            *_sum_rule(lyapunov),
        ),
        headings=("i", "λ_i", "±", translatable("low"), translatable("high"), over),
        rows=rows,
        legend=translate(
            "nats per step, mean over trials; ±: standard error by block means; low, high: over trials; {over}: ln "
            "σ_i(∂s_T/∂s_0)/T of this run",
            over=over,
        ),
    )


def _title(lyapunov: LyapunovDocument) -> str:
    steps, before = lyapunov.steps, lyapunov.burn_in
    if lyapunov.input_continued:
        return translate(
            "Lyapunov exponents: {steps} steps of continued input after {before}", steps=steps, before=before
        )
    return translate(
        "Lyapunov exponents: {steps} steps of the run's own input after {before}", steps=steps, before=before
    )


def _picked(count: int) -> list[int]:
    if count <= MAX_ROWS:
        return list(range(count))
    return sorted({0, 1, 2, *(round(share * (count - 1)) for share in (0.25, 0.5, 1))})


def _with_error(value: float | None, error: float | None) -> tuple[str, str]:
    if value is None:
        return "-inf", "–"
    return _rounded(value, error), "–" if not error else _rounded(error, error)


def _text(value: float | None) -> str:
    return "-inf" if value is None else f"{value:.4f}"


def _dimension(lyapunov: LyapunovDocument) -> Iterator[str]:
    dimension, entropy = lyapunov.kaplan_yorke_dimension, lyapunov.entropy
    if dimension and entropy is not None:
        yield translate(
            "Kaplan–Yorke dimension {dimension}; entropy, the sum of positive exponents, {entropy}",
            dimension=number(dimension), entropy=number(entropy),
        )  # fmt: skip
    elif dimension is None:
        yield translate("the Kaplan–Yorke dimension needs more exponents: try a larger --exponents")


def _mean_field(lyapunov: LyapunovDocument, units: int) -> Iterator[str]:
    if lyapunov.mean_field is not None and lyapunov.mean_field[0] is not None:
        yield translate(
            "mean-field theory of wide random networks has λ₁ ≈ {exponent} for {units} units",
            exponent=f"{lyapunov.mean_field[0]:.4f}", units=units,
        )  # fmt: skip


def _sum_rule(lyapunov: LyapunovDocument) -> Iterator[str]:
    rule = lyapunov.sum_rule
    if rule is not None:
        mean, difference = f"{rule.log_det:.6g}", f"{rule.difference:.0e}"
        yield translate(
            "check: the exponents sum to the mean of ln|det J_t|, {mean}, within {difference}",
            mean=mean, difference=difference,
        )  # fmt: skip


def _others(lyapunov: LyapunovDocument) -> Iterator[tuple[str, Sequence[float | None]]]:
    yield "finite_time", lyapunov.finite_time
    if lyapunov.mean_field is not None:
        yield "mean_field", lyapunov.mean_field


def lyapunov_series(lyapunov: LyapunovDocument) -> Series:
    """Yield every exponent, counted from 0, and the first ones' convergence by steps."""
    for name, values in (*vars(lyapunov.exponents).items(), *_others(lyapunov)):
        for i, value in enumerate(values):
            yield name, i, value
    for exponents in lyapunov.history:
        for i, value in enumerate(exponents.exponents):
            yield f"history.{i}", exponents.steps, value
