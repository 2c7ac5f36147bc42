"""The paths of the gradient: what the conveyor carries, and what goes through which gate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from vanishgrad.cells.registry import keep_words
from vanishgrad.languages import in_english, translatable, translate, translated
from vanishgrad.questions.explain.section import Passage, Series
from vanishgrad.reports.documents.curve import BandDocument, band_document
from vanishgrad.reports.documents.declaration import Document, one_length
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.sentences import log10_text, number, power

if TYPE_CHECKING:
    from vanishgrad.arrays import Array
    from vanishgrad.questions.explain.paths.measure import Carried, Paths

CONVEYOR = "0"
"""The paths that make no detour."""
SharesByLag = Annotated[Sequence[float | None], "index = lag; null where the whole is exactly zero"]


class SharesDocument(Document):
    """Shares of the whole along the direction that it keeps best, over trials."""

    mean: SharesByLag
    low: SharesByLag
    high: SharesByLag

    def flaw(self) -> str | None:
        """Lists have one length."""
        return one_length(vars(self))


class CarriedDocument(Document):
    """What one kind of path carries."""

    log10_norm: BandDocument
    share: SharesDocument


class PathsDocument(Document):
    """The whole, split by the number of detours and by the gate through which the last one returns."""

    curve: Annotated[str, "the curve that is split"]
    detours: Annotated[Mapping[str, CarriedDocument], "number of detours: 0 (the conveyor), 1, 2, more"]
    gates: Annotated[
        Mapping[str, CarriedDocument],
        "gate through which the last detour returns; with the conveyor they are the whole",
    ]
    sentence: str

    def flaw(self) -> str | None:
        """The conveyor is there."""
        return None if CONVEYOR in self.detours else f"detours that have {CONVEYOR!r}, the conveyor,"


DIGITS = 12
EQUAL = 1e-9
"""Decades that two norms may differ by and still pass for equal."""
MIN_FACTOR_DECADES = 0.3
"""Decades from which on a difference is told as a factor."""
MAX_SHARE = 1.5
"""A share from which on the conveyor is called cancelled, not carrying."""


def paths_document(paths: Paths, model: ModelDocument) -> PathsDocument:
    """Return the section's part of the JSON document."""
    document = PathsDocument(
        curve=paths.curve,
        detours={name: _carried(carried) for name, carried in paths.detours.items()},
        gates={name: _carried(carried) for name, carried in paths.gates.items()},
        sentence="",
    )
    return document.with_members(sentence=in_english(sentence, document, model))


def _carried(carried: Carried) -> CarriedDocument:
    share = carried.share
    return CarriedDocument(
        log10_norm=band_document(carried.log_norm),
        share=SharesDocument(mean=_numbers(share.mean), low=_numbers(share.low), high=_numbers(share.high)),
    )


def _numbers(values: Array) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values.tolist()]


def sentence(paths: PathsDocument, model: ModelDocument) -> str:
    """Return which way the gradient takes at its horizon, the last lag at which it is above the threshold."""
    whole, alone = model.curves[paths.curve], paths.detours[CONVEYOR]
    lag = whole.horizon or 0
    conveyor = alone.share.mean[lag]
    shares = {name: carried.share.mean[lag] for name, carried in paths.gates.items()}
    by_gate = {name: share for name, share in shares.items() if share is not None}
    if conveyor is None or len(by_gate) < len(shares) or abs(conveyor) > MAX_SHARE:
        return translate(
            "at lag {lag} the conveyor alone would be 10^{alone}, of which the detours leave 10^{whole}: the paths "
            "cancel",
            lag=lag, alone=log10_text(alone.log10_norm.median[lag]), whole=log10_text(whole.log10_norm.median[lag]),
        )  # fmt: skip
    first, *others = sorted(by_gate, key=lambda name: -abs(by_gate[name]))
    way = translate(
        "at lag {lag} the conveyor carries {share} of {matrix}", lag=lag, share=percent(conveyor), matrix=matrix(paths)
    )
    if all(abs(share) < 0.005 for share in by_gate.values()):
        return translate("{way}: there is hardly another path", way=way)
    rest = (translate("{share} through U_{gate}", share=percent(by_gate[name]), gate=name) for name in others)
    return translate(
        "{way}; the rest returns through U_{gate} ({share}; {others})",
        way=way, gate=first, share=percent(by_gate[first]), others=translate(", ").join(rest),
    )  # fmt: skip


def matrix(paths: PathsDocument) -> str:
    """Return the name of the matrix that is split."""
    return "∂c_T/∂c_k" if paths.curve == "cell" else "∂h_T/∂h_k"


def percent(share: float, sign: bool = False) -> str:
    """Return a share in per cent."""
    value, plus = round(100 * share, 2) + 0.0, "+" if sign else ""
    return "0 %" if abs(value) < 0.05 else f"{value:{plus}.0f} %" if abs(value) >= 10 else f"{value:{plus}.1f} %"


def paths_passage(paths: PathsDocument, model: ModelDocument) -> Passage:
    """Return the way that the gradient takes, at a few lags."""
    counts, gates = paths.detours, paths.gates
    norms = model.curves[paths.curve].log10_norm.median
    rows = tuple(
        (
            str(lag),
            log10_text(norms[lag]),
            log10_text(counts[CONVEYOR].log10_norm.median[lag]),
            *(_share(carried, lag) for carried in (*counts.values(), *gates.values())),
        )
        for lag in few_lags(len(norms) - 1)
    )
    return Passage(
        title=translate("Paths: {matrix} by the detours that leave the conveyor", matrix=matrix(paths)),
        sentences=tuple(each for each in (_conveyor(model), sentence(paths, model), _textbook(model)) if each),
        headings=(
            "lag",
            translatable("whole"),
            translatable("conv."),
            *(translate("more") if name == "more" else name for name in counts),
            *(f"U_{name}" for name in gates),
        ),
        rows=rows,
        legend=translate(
            "whole, conv.: log₁₀ of ‖·‖₂ of the whole and of the conveyor; then shares in % along the direction that "
            "the whole keeps best: by the number of detours (0: the conveyor), and by the gate through which the last "
            "one returns (with the conveyor they are 100)"
        ),
    )


def _share(carried: CarriedDocument, lag: int) -> str:
    share = carried.share.mean[lag]
    return "–" if share is None else f"{100 * share + 0.0:.1f}" if abs(share) < 10 else f"{100 * share:.0f}"


def _conveyor(model: ModelDocument) -> str:
    """Say what a step along the conveyor costs, and which bias that is."""
    rate = model.curves["conveyor"].rate if "conveyor" in model.curves else None
    gate = next((name for name in keep_words() if name in model.gates), None)
    if rate is None or rate.factor is None or gate is None:
        return ""
    mean = model.gates[gate].mean
    bias = f" = σ({round(math.log(mean / (1 - mean)), 2) + 0.0:.2f})" if 0 < mean < 1 else ""
    return translate(
        "the conveyor alone multiplies the gradient by {factor} a step, {power} in 20 steps: its {gate} gates "
        "average {mean}",
        factor=number(rate.factor), power=power(20 * math.log10(rate.factor)), gate=translated(gate),
        mean=number(mean) + bias,
    )  # fmt: skip


def _textbook(model: ModelDocument) -> str:
    """Say how far the four-term product is off what autograd prints."""
    total, product = (model.curves.get(name) for name in ("total", "four_term"))
    if total is None or product is None:
        return ""
    lag = total.horizon or 0
    true, textbook = (curve.log10_norm.median[lag] for curve in (total, product))
    if true is None or textbook is None or not lag:
        return ""
    return translate(
        "with h_k moving too (autograd's dc_T/dc_k) the norm is {power} at lag {lag}; the textbooks' product ∏(F + C "
        "E) "
        "is {difference}",
        power=power(true), lag=lag, difference=_off(textbook - true),
    )  # fmt: skip


def _off(decades: float) -> str:
    """Say by how much a norm is another, from the decades between them."""
    if abs(decades) < EQUAL:
        return translate("the same")
    if abs(decades) > MIN_FACTOR_DECADES:
        return translate("{power} times that", power=power(decades))
    off = 10.0**decades - 1
    if abs(off) < 1e-3:
        return translate("less than 0.1 % off")
    return translate("{share} off", share=percent(off, sign=True))


def few_lags(last: int) -> list[int]:
    """Return 1, 2, 5, 10, … below the last lag, and it."""
    return [*(digit * 10**decade for decade in range(8) for digit in (1, 2, 5) if digit * 10**decade < last), last]


def paths_series(paths: PathsDocument) -> Series:
    """Yield every number of the section."""
    for kind, by_name in (("detours", paths.detours), ("gates", paths.gates)):
        for name, carried in by_name.items():
            for quantity, columns in (("log10_norm", carried.log10_norm), ("share", carried.share)):
                for statistic, values in vars(columns).items():
                    yield from ((f"{kind}.{name}.{quantity}_{statistic}", i, value) for i, value in enumerate(values))
