"""What truncated backpropagation leaves: the length that is long enough, and what a shorter one loses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

from vanishgrad.languages import translatable, translate, translated
from vanishgrad.questions.explain.paths.report import few_lags
from vanishgrad.questions.explain.section import Passage, Series
from vanishgrad.questions.explain.truncation.measure import MAX_LOST_SHARE
from vanishgrad.reports.documents.curve import BandDocument, band_document, log10s
from vanishgrad.reports.documents.declaration import Count, Document, Limits, Log10, Size
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.sentences import log10_text, number

if TYPE_CHECKING:
    from vanishgrad.questions.explain.truncation.measure import Truncation


class CutDocument(Document):
    """What a truncation to one length leaves."""

    length: Annotated[Size, "N: every output's gradient goes back through the N steps that end with it"]
    kept: Annotated[float, "‖G_<N‖/‖G‖, median over trials"]
    lost: Annotated[float, "‖G − G_<N‖/‖G‖, median over trials"]
    segments_lost: Annotated[float, "the same in segments of N steps, the state carried over and detached"]


class ShortestDocument(Document):
    """The shortest length that is long enough, over trials."""

    median: Size
    low: Size
    high: Size


class TruncationDocument(Document):
    """How much of ∂L/∂θ comes from each lag."""

    loss: str
    log10_share: Annotated[BandDocument, "‖G_l‖/‖G‖ by lag l"]
    log10_kept: Annotated[BandDocument, "‖G_<N‖/‖G‖ by length; index 0 is N = 1"]
    log10_lost: Annotated[BandDocument, "‖G − G_<N‖/‖G‖ by length; null = nothing is lost"]
    allowed: Annotated[
        float, Limits(exclusive_minimum=0, exclusive_maximum=1), "what a length may lose to be long enough"
    ]
    shortest: ShortestDocument
    advised: CutDocument
    asked: CutDocument | None
    contraction: Annotated[float | None, "γ‖W‖₂, the largest over trials; null for a gated cell"]
    log10_bound: Annotated[Sequence[Log10 | None] | None, "proved bound of what any trial loses, by length"]
    zero_trials: Annotated[Count, "trials whose gradient is exactly zero, left out"]

    def flaw(self) -> str | None:
        """A bound, if there is one, has a length."""
        return "a bound by length from 1 on" if self.log10_bound is not None and not self.log10_bound else None


QUANTITIES = ("log10_share", "log10_kept", "log10_lost")


def truncation_document(truncation: Truncation, model: ModelDocument) -> TruncationDocument:
    """Return the section's part of the JSON document."""
    bound, asked = truncation.log_bound, truncation.asked
    return TruncationDocument.of(
        truncation,
        log10_share=band_document(truncation.share),
        log10_kept=band_document(truncation.kept),
        log10_lost=band_document(truncation.lost),
        allowed=MAX_LOST_SHARE,
        shortest=ShortestDocument(
            median=truncation.shortest, low=truncation.shortest_low, high=truncation.shortest_high
        ),
        advised=CutDocument.of(truncation.advised),
        asked=None if asked is None else CutDocument.of(asked),
        log10_bound=None if bound is None else log10s(bound),
    )


def truncation_passage(section: TruncationDocument, model: ModelDocument) -> Passage:
    """Return the advice, and what is lost at a few lengths."""
    lost, bound = section.log10_lost.median, section.log10_bound
    sentences = (_long_enough(section, len(lost)), _in_segments(section), _asked(section), _bound(section))
    rows = tuple(
        (
            str(length),
            log10_text(section.log10_share.median[length - 1]),
            percent(section.log10_kept.median[length - 1]),
            percent(lost[length - 1]),
            *([] if bound is None else [log10_text(bound[length - 1])]),
        )
        for length in few_lags(len(lost))
    )
    return Passage(
        title=translate("Truncation: ∂L/∂θ for {loss}", loss=translated(section.loss)),
        sentences=tuple(each for each in sentences if each),
        headings=(
            translatable("steps N"),
            translatable("share"),
            translatable("kept"),
            translatable("lost"),
            *([] if bound is None else [translatable("bound")]),
        ),
        rows=rows,
        legend=translate("; ").join(_legend(bound is not None)),
    )


def _legend(is_bounded: bool) -> Iterator[str]:
    yield translate(
        "share: log₁₀ of ‖G_l‖/‖G‖ at lag l = N − 1; kept ‖G_<N‖/‖G‖, lost ‖G − G_<N‖/‖G‖ where every output's "
        "gradient "
        "goes back through N steps; medians"
    )
    if is_bounded:
        yield translate("bound: log₁₀, of what is lost")


def _long_enough(section: TruncationDocument, steps: int) -> str:
    shortest = section.shortest
    low, high = shortest.low, shortest.high
    trials = translate(" ({low} to {high} over trials)", low=low, high=high) if low < high else ""
    share = f"{100 * (1 - section.allowed):.0f} %"
    if shortest.median == steps:
        return translate(
            "no truncation keeps {share} of the gradient: it takes all {steps} steps{trials}",
            share=share, steps=steps, trials=trials,
        )  # fmt: skip
    return translate(
        "{steps} steps keep {share} of the gradient{trials}: no more than a hundredth of it is lost",
        steps=shortest.median, share=share, trials=trials,
    )  # fmt: skip


def _in_segments(section: TruncationDocument) -> str:
    """Say what a training loop loses that detaches its state, where that is more."""
    cut = section.advised
    if cut.segments_lost <= 2 * section.allowed:
        return ""
    return translate(
        "detaching the state every {steps} steps loses {share}, since outputs soon after a cut see few steps: let "
        "segments overlap, or make them several times as long",
        steps=cut.length, share=_share(cut.segments_lost),
    )  # fmt: skip


def _asked(section: TruncationDocument) -> str:
    cut = section.asked
    if cut is None:
        return ""
    return translate(
        "--truncation {steps} loses {share} of the gradient, {in_segments} in segments",
        steps=cut.length, share=_share(cut.lost), in_segments=_share(cut.segments_lost),
    )  # fmt: skip


def _bound(section: TruncationDocument) -> str:
    contraction, bound = section.contraction, section.log10_bound
    if contraction is None:
        return ""
    if bound is None:
        return translate("no bound: γ‖W‖₂ is {norm}, not below 1", norm=number(contraction))
    enough = next((i + 1 for i, each in enumerate(bound) if each is None or 10**each <= section.allowed), None)
    if enough:
        return translate(
            "γ‖W‖₂ is {norm} < 1, so {steps} steps are proved to be enough", norm=number(contraction), steps=enough
        )
    return translate(
        "γ‖W‖₂ is {norm} < 1, so no length within the run is proved to be enough", norm=number(contraction)
    )


def percent(log10: float | None) -> str:
    """Return a share in per cent from its base-10 logarithm."""
    return "0 %" if log10 is None else _share(10.0**log10)


def _share(value: float) -> str:
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"


def truncation_series(section: TruncationDocument) -> Series:
    """Yield every number of the section; the index of what is kept and lost is N − 1."""
    for name in QUANTITIES:
        for statistic, values in vars(getattr(section, name)).items():
            yield from ((f"{name}_{statistic}", i, value) for i, value in enumerate(values))
    yield from (("log10_bound", i, value) for i, value in enumerate(section.log10_bound or []))
    yield from ((f"shortest_{statistic}", 0, value) for statistic, value in vars(section.shortest).items())
    for name, cut in (("advised", section.advised), ("asked", section.asked)):
        yield from ((f"{name}.{quantity}", 0, value) for quantity, value in (vars(cut) if cut else {}).items())
