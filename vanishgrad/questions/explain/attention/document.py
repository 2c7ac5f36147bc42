"""Attention and the additive skip in a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from vanishgrad.reports.documents.curve import CurveDocument
from vanishgrad.reports.documents.declaration import Document, Limits, Log10, Size


@dataclass(frozen=True, eq=False, kw_only=True)
class AttentionDocument(Document):
    """What paths of length one would send back."""

    attention: Annotated[CurveDocument, "‖∂c_T/∂h_s‖₂ of a random head, by lag"]
    skip: Annotated[CurveDocument, "‖I + ∂h_T/∂h_s‖₂ by lag"]
    largest_score: Annotated[float, Limits(minimum=0)]
    log10_floor: Annotated[Log10 | None, "log₁₀ of e^(−2B)/T, which no weight is below; B the largest score"]
    lengths: Annotated[Sequence[Size], "numbers of states t"]
    log10_typical: Annotated[Sequence[Log10 | None], "log₁₀ of the median of ‖∂c_t/∂h_s‖₂ over s and trials"]
    exponent: Annotated[float | None, "slope of ln of that against ln t; −1 is dilution among all states"]
