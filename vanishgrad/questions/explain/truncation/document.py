"""What truncated backpropagation loses, in a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from vanishgrad.reports.documents.curve import BandDocument
from vanishgrad.reports.documents.declaration import Count, Document, Limits, Log10, Size


@dataclass(frozen=True, eq=False, kw_only=True)
class CutDocument(Document):
    """What a truncation to one length leaves."""

    length: Annotated[Size, "N: every output's gradient goes back through the N steps that end with it"]
    kept: Annotated[float, "‖G_<N‖/‖G‖, median over trials"]
    lost: Annotated[float, "‖G − G_<N‖/‖G‖, median over trials"]
    segments_lost: Annotated[float, "the same in segments of N steps, the state carried over and detached"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ShortestDocument(Document):
    """The shortest length that is long enough, over trials."""

    median: Size
    low: Size
    high: Size


@dataclass(frozen=True, eq=False, kw_only=True)
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
