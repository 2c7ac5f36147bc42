"""The paths of the gradient in a report: norms and shares by detours and by gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from vanishgrad.reports.documents.curve import BandDocument
from vanishgrad.reports.documents.declaration import Document
from vanishgrad.reports.documents.kinds import one_length

CONVEYOR = "0"
"""The paths that make no detour."""
SharesByLag = Annotated[Sequence[float | None], "index = lag; null where the whole is exactly zero"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SharesDocument(Document):
    """Shares of the whole along the direction that it keeps best, over trials."""

    mean: SharesByLag
    low: SharesByLag
    high: SharesByLag

    def flaw(self) -> str | None:
        """Lists have one length."""
        return one_length(vars(self))


@dataclass(frozen=True, eq=False, kw_only=True)
class CarriedDocument(Document):
    """What one kind of path carries."""

    log10_norm: BandDocument
    share: SharesDocument


@dataclass(frozen=True, eq=False, kw_only=True)
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
