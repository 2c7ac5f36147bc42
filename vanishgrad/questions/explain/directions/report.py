"""The directions of the state: how many are preserved, how alike, and which units carry the best of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from vanishgrad.languages import in_english, translatable, translate, translated
from vanishgrad.questions.explain.section import Passage, Series
from vanishgrad.reports.documents.curve import log10s
from vanishgrad.reports.documents.declaration import Count, Document, Log10, Size, finite, one_length
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.sentences import log10_text, number, power

if TYPE_CHECKING:
    from vanishgrad.questions.explain.directions.measure import Carriers, Directions, DirectionsAtLag, Unit

Sigmas = Annotated[Sequence[Log10 | None], "index = rank of the singular value, descending; null = zero to rounding"]


class UnitDocument(Document):
    """A unit and its share of a direction."""

    part: str
    unit: Count
    share: Annotated[float, "v_i²"]
    time_constant: Annotated[float | None, "-1/ln of the mean of the gate that keeps it, steps"]


class CarriersDocument(Document):
    """The units that carry a direction."""

    number: Annotated[float, "1/Σ v_i⁴ of the unit vector v"]
    units: Annotated[Sequence[UnitDocument], "largest first"]


class SigmasDocument(Document):
    """Singular values over trials, base-10 logarithms."""

    median: Sigmas
    low: Sigmas
    high: Sigmas

    def flaw(self) -> str | None:
        """Lists have one length."""
        return one_length(vars(self))


class DirectionsAtLagDocument(Document):
    """One block at one lag."""

    lag: Count
    log10_sigma: SigmasDocument
    effective_rank: Annotated[float, "exp of the entropy of σ/Σσ; 0 for a product that is zero"]
    spread_log10: Annotated[float | None, "standard deviation of log₁₀ σ; 0 for an isometry"]
    zeros: Annotated[Count, "singular values that are zero to rounding"]
    error_log10: Annotated[Sequence[float], "estimated error of each log₁₀ σ"]
    source: CarriersDocument | None
    target: CarriersDocument | None


class DirectionsDocument(Document):
    """All singular values of a product."""

    blocks: Annotated[
        Mapping[str, Annotated[Sequence[DirectionsAtLagDocument], "by ascending lag"]], "state, and for an LSTM cell"
    ]
    trials: Size
    pooled: bool
    sentence: str

    def flaw(self) -> str | None:
        """The whole state is there, and each block has a lag."""
        return None if "state" in self.blocks and all(self.blocks.values()) else "blocks with lags, the state's too,"


LN_10 = math.log(10)


def directions_document(directions: Directions, model: ModelDocument) -> DirectionsDocument:
    """Return the section's part of the JSON document."""
    blocks = {name: [_at_lag(each) for each in lags] for name, lags in directions.blocks.items()}
    document = DirectionsDocument.of(directions, blocks=blocks, sentence="")
    return document.with_members(sentence=in_english(sentence, document))


def _at_lag(at_lag: DirectionsAtLag) -> DirectionsAtLagDocument:
    return DirectionsAtLagDocument.of(
        at_lag,
        log10_sigma=SigmasDocument(median=log10s(at_lag.log_sigma), low=log10s(at_lag.low), high=log10s(at_lag.high)),
        spread_log10=None if at_lag.spread is None else at_lag.spread / LN_10,
        error_log10=(at_lag.error / LN_10).tolist(),
        source=_carriers(at_lag.source),
        target=_carriers(at_lag.target),
    )


def _carriers(carriers: Carriers | None) -> CarriersDocument | None:
    if carriers is None:
        return None
    return CarriersDocument(number=carriers.number, units=[_unit(unit) for unit in carriers.units])


def _unit(unit: Unit) -> UnitDocument:
    time = unit.time_constant
    return UnitDocument.of(unit, unit=unit.index, time_constant=None if time is None else finite(time))


def sentence(directions: DirectionsDocument) -> str:
    """Return how many directions reach the last lag, and how far they lie apart."""
    name, last = _told(directions)
    values = last.log10_sigma.median
    if values[0] is None:
        return translate(
            "at lag {lag} every direction of the {block} is lost exactly", lag=last.lag, block=translated(name)
        )
    middle = values[len(values) // 2]
    median = (
        translate("lost to rounding") if middle is None else translate("multiplied by {power}", power=power(middle))
    )
    return translate(
        "at lag {lag} the best direction of the {block} is multiplied by {power}, the median one is {median}: of {all} "
        "directions {count} count",
        lag=last.lag, block=translated(name), power=power(values[0]), median=median, all=len(values),
        count=number(last.effective_rank),
    )  # fmt: skip


def _told(directions: DirectionsDocument) -> tuple[str, DirectionsAtLagDocument]:
    """Return the block to speak of, the narrowest, at its last lag."""
    name, lags = list(directions.blocks.items())[-1]
    return name, lags[-1]


def directions_passage(directions: DirectionsDocument, model: ModelDocument) -> Passage:
    """Return the singular values in short, and the units that carry the best direction."""
    rows = [_row(name, each) for name, lags in directions.blocks.items() for each in lags]
    return Passage(
        title=_title(directions, model),
        sentences=(sentence(directions), *_carried(directions, model), *_errors(directions)),
        headings=(
            translatable("block"),
            "lag",
            translatable("best"),
            "10 %",
            "median",
            "90 %",
            translatable("last"),
            translatable("eff. rank"),
            translatable("spread"),
            translatable("zero"),
        ),
        rows=tuple(rows),
        legend=translate(
            "best … last: log₁₀ σ by rank; eff. rank: exp of the entropy of σ/Σσ; spread: standard deviation of "
            "log₁₀ σ, 0 for an isometry; zero: singular values that are 0 to rounding"
        ),
    )


def _title(directions: DirectionsDocument, model: ModelDocument) -> str:
    if directions.trials == model.trials:
        return translate("Directions: the singular values of ∂s_T/∂s_k")
    return translate(
        "Directions: the singular values of ∂s_T/∂s_k, {count} of {trials} trials",
        count=directions.trials, trials=model.trials,
    )  # fmt: skip


def _row(name: str, at_lag: DirectionsAtLagDocument) -> tuple[str, ...]:
    values = at_lag.log10_sigma.median
    picked = [values[round(share * (len(values) - 1))] for share in (0, 0.1, 0.5, 0.9, 1)]
    spread = at_lag.spread_log10
    return (
        translated(name),
        str(at_lag.lag),
        *map(log10_text, picked),
        number(at_lag.effective_rank),
        "–" if spread is None else number(spread),
        str(at_lag.zeros),
    )


def _carried(directions: DirectionsDocument, model: ModelDocument) -> Iterator[str]:
    name, last = _told(directions)
    if last.source is None or last.target is None or last.log10_sigma.median[0] is None:
        return
    whose = "" if directions.pooled or directions.trials == 1 else translate(" (first trial)")
    yield translate(
        "the best direction over {lag} steps of the {block}{whose} starts in {source}, and ends in {target}",
        lag=last.lag, block=translated(name), whose=whose, source=_units(last.source), target=_units(last.target),
    )  # fmt: skip


def _units(carriers: CarriersDocument) -> str:
    units = translate(", ").join(_named(unit) for unit in carriers.units[:3])
    return translate("{units}: {count} units in all", units=units, count=number(carriers.number))


def _named(unit: UnitDocument) -> str:
    time = "" if unit.time_constant is None else f", τ {number(unit.time_constant)}"
    return f"{unit.part}{unit.unit} ({100 * unit.share:.0f} %{time})"


def _errors(directions: DirectionsDocument) -> Iterator[str]:
    _, last = _told(directions)
    values = last.log10_sigma.median
    errors = [error for error, value in zip(last.error_log10, values, strict=True) if value is not None]
    if errors:
        first, worst = f"{errors[0]:.0e}", f"{max(errors):.0e}"
        yield translate(
            "estimated error of log₁₀ σ: {first} for the best, at most {worst} for all (u Σ κ(J_t))",
            first=first, worst=worst,
        )  # fmt: skip


def directions_series(directions: DirectionsDocument) -> Series:
    """Yield every singular value, counted from 0, and the numbers of each lag."""
    for name, lags in directions.blocks.items():
        for at_lag in lags:
            for statistic, values in vars(at_lag.log10_sigma).items():
                for i, value in enumerate(values):
                    yield f"{name}.lag_{at_lag.lag}.log10_sigma_{statistic}", i, value
            for i, value in enumerate(at_lag.error_log10):
                yield f"{name}.lag_{at_lag.lag}.error_log10", i, value
            for quantity in ("effective_rank", "spread_log10", "zeros"):
                yield f"{name}.{quantity}", at_lag.lag, getattr(at_lag, quantity)
