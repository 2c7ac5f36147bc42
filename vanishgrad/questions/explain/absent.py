"""What a section returns that does not apply."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Absent:
    """Why a section does not apply to a run, as a clause."""

    reason: str
