"""The directions of the state in a report: all singular values at a few lags, and the units that carry the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from vanishgrad.reports.documents.declaration import Count, Document, Log10, Size
from vanishgrad.reports.documents.kinds import one_length

Sigmas = Annotated[Sequence[Log10 | None], "index = rank of the singular value, descending; null = exactly zero"]


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitDocument(Document):
    """A unit and its share of a direction."""

    part: str
    unit: Count
    share: Annotated[float, "v_i²"]
    time_constant: Annotated[float | None, "-1/ln of the mean of the gate that keeps it, steps"]


@dataclass(frozen=True, eq=False, kw_only=True)
class CarriersDocument(Document):
    """The units that carry a direction."""

    number: Annotated[float, "1/Σ v_i⁴ of the unit vector v"]
    units: Annotated[Sequence[UnitDocument], "largest first"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SigmasDocument(Document):
    """Singular values over trials, base-10 logarithms."""

    median: Sigmas
    low: Sigmas
    high: Sigmas

    def flaw(self) -> str | None:
        """Lists have one length."""
        return one_length(vars(self))


@dataclass(frozen=True, eq=False, kw_only=True)
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


@dataclass(frozen=True, eq=False, kw_only=True)
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
