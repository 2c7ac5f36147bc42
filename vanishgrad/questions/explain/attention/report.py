"""Attention and the additive skip beside the recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from vanishgrad.languages import translatable, translate
from vanishgrad.questions.explain.paths.report import few_lags
from vanishgrad.questions.explain.section import Passage, Series
from vanishgrad.reports.csv_rows import columns
from vanishgrad.reports.documents.curve import CurveDocument, curve_document, log10, log10s
from vanishgrad.reports.documents.declaration import Document, Limits, Log10, Size
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.sentences import log10_text, number, power

if TYPE_CHECKING:
    from vanishgrad.questions.explain.attention.measure import Shortcuts


class AttentionDocument(Document):
    """What paths of length one would send back."""

    attention: Annotated[CurveDocument, "‖∂c_T/∂h_s‖₂ of a random head, by lag"]
    skip: Annotated[CurveDocument, "‖I + ∂h_T/∂h_s‖₂ by lag"]
    largest_score: Annotated[float, Limits(minimum=0)]
    log10_floor: Annotated[Log10 | None, "log₁₀ of e^(−2B)/T, which no weight is below; B the largest score"]
    lengths: Annotated[Sequence[Size], "numbers of states t"]
    log10_typical: Annotated[Sequence[Log10 | None], "log₁₀ of the median of ‖∂c_t/∂h_s‖₂ over s and trials"]
    exponent: Annotated[float | None, "slope of ln of that against ln t; −1 is dilution among all states"]


def attention_document(shortcuts: Shortcuts, model: ModelDocument) -> AttentionDocument:
    """Return the section's part of the JSON document."""
    return AttentionDocument.of(
        shortcuts,
        attention=curve_document(shortcuts.attention),
        skip=curve_document(shortcuts.skip),
        log10_floor=log10(shortcuts.log_floor),
        log10_typical=log10s(shortcuts.log_typical),
    )


def attention_passage(section: AttentionDocument, model: ModelDocument) -> Passage:
    """Return the three norms at a few lags."""
    attention, skip = (curve.log10_norm.median for curve in (section.attention, section.skip))
    recurrent = model.curves["hidden"].log10_norm.median
    rows = tuple(
        (str(lag), *(log10_text(norms[lag]) for norms in (recurrent, attention, skip)))
        for lag in few_lags(len(attention) - 1)
    )
    return Passage(
        title=translate("Attention and skips: what a path of length one would send back"),
        sentences=tuple(each for each in (_oldest(section, recurrent), _diluted(section)) if each),
        headings=(translatable("lag"), translatable("recurrent"), translatable("attention"), translatable("skip")),
        rows=rows,
        legend=translate(
            "log₁₀ of ‖∂h_T/∂h_s‖₂, of ‖∂c/∂h_s‖₂ for a random head c = Σ α_s W_v h_s with the query of the last "
            "state, and of ‖I + ∂h_T/∂h_s‖₂, where the loss sees h_s itself; medians"
        ),
    )


def _oldest(section: AttentionDocument, recurrent: Sequence[float | None]) -> str:
    """Compare what reaches the oldest state."""
    attended = section.attention.log10_norm.median
    lag, values = len(attended) - 1, (attended[-1], recurrent[len(attended) - 1])
    by_attention, by_recurrence = (translate("nothing") if each is None else power(each) for each in values)
    return translate(
        "at lag {lag} attention sends back {attention}, the recurrence {recurrence}",
        lag=lag, attention=by_attention, recurrence=by_recurrence,
    )  # fmt: skip


def _diluted(section: AttentionDocument) -> str:
    exponent, rate = section.exponent, section.attention.rate
    if exponent is None or rate is None or rate.factor is None:
        return ""
    return translate(
        "attention does not fall with the lag ({factor} a step), but with the number T of states that share it: "
        "measured T^{exponent}, polynomial, neither exponential nor O(1)",
        factor=number(rate.factor), exponent=f"{exponent:.2f}",
    )  # fmt: skip


def attention_series(section: AttentionDocument) -> Series:
    """Yield every number of the section; the index of `log10_typical` is the number of states."""
    for name, curve in (("attention", section.attention), ("skip", section.skip)):
        for column, values in columns(curve).items():
            yield from ((f"{name}.{column}", lag, value) for lag, value in enumerate(values))
    yield from (
        ("log10_typical", length, value) for length, value in zip(section.lengths, section.log10_typical, strict=True)
    )
    yield "exponent", 0, section.exponent
