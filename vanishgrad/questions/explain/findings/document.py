"""Findings and remedies in a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from vanishgrad.reports.documents.curve import VerdictName
from vanishgrad.reports.documents.declaration import Count, Document, Log10


@dataclass(frozen=True, eq=False, kw_only=True)
class ReachDocument(Document):
    """How far a gradient reaches."""

    horizon: Count | None
    horizon_censored: bool
    factor: float | None
    log10_norm: Annotated[Log10 | None, "of the state at the last lag, median"]
    log10_input: Annotated[Log10 | None, "of the input at the last lag, median"]
    verdict: VerdictName


@dataclass(frozen=True, eq=False, kw_only=True)
class RemedyDocument(Document):
    """A change to the weights with its effect."""

    name: str
    change: str
    before: ReachDocument
    after: Annotated[ReachDocument | None, "null where a state overflows"]


@dataclass(frozen=True, eq=False, kw_only=True)
class FindingDocument(Document):
    """What one rule has found."""

    rule: str
    title: str
    severity: Annotated[float, "nats per step that it costs or adds; what is paid once is divided by T"]
    evidence: Mapping[str, float]
    remedies: Annotated[Sequence[RemedyDocument], "changes to the weights with their effect, measured; best first"]
    advice: Annotated[Sequence[str], "what helps without changing the weights, without a number"]


FindingsDocument = Annotated[Sequence[FindingDocument], "costliest first; empty if no rule finds anything"]
