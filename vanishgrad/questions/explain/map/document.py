"""The map of a sequence in a report: norms between any two steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from vanishgrad.reports.documents.declaration import Count, Document, Log10


@dataclass(frozen=True, eq=False, kw_only=True)
class MapDocument(Document):
    """‖∂s_t/∂s_k‖ along one sequence."""

    trial: Count
    times: Annotated[Sequence[Count], "steps, ascending; 0 is the start"]
    log10_norm: Annotated[
        Sequence[Sequence[Log10 | None]], "[i][j]: log10 ‖∂s_t/∂s_k‖, t = times[i], k = times[j], j ≤ i"
    ]
    tokens: Annotated[Sequence[str] | None, "what drove steps 1, 2, …, T"]
    sentence: str

    def flaw(self) -> str | None:
        """Rows form a triangle, a row for each time."""
        lengths = [len(row) for row in self.log10_norm]
        if not self.times or lengths != list(range(1, len(self.times) + 1)):
            return "a triangle of norms with a row for each of its times"
        if any(later <= time for time, later in pairwise(self.times)):
            return "times that ascend"
        return None
