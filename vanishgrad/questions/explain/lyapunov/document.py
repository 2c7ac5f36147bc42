"""The Lyapunov exponents in a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from vanishgrad.reports.documents.declaration import Count, Document, Size
from vanishgrad.reports.documents.kinds import one_length

Exponents = Annotated[Sequence[float | None], "nats per step, descending; null = minus infinity, or no error known"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ExponentsDocument(Document):
    """Exponents over trials, with their standard errors."""

    mean: Exponents
    error: Exponents
    low: Exponents
    high: Exponents

    def flaw(self) -> str | None:
        """Lists have one length."""
        return one_length(vars(self))


@dataclass(frozen=True, eq=False, kw_only=True)
class SumRuleDocument(Document):
    """The sum of all exponents beside the mean of ln|det J_t|."""

    sum: float
    log_det: float
    difference: float


@dataclass(frozen=True, eq=False, kw_only=True)
class HistoryDocument(Document):
    """The first exponents after so many steps."""

    steps: Size
    exponents: Exponents


@dataclass(frozen=True, eq=False, kw_only=True)
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
