"""The checker's verdict as a JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from vanishgrad.reports.documents.report import ReportDocument


@dataclass(frozen=True, eq=False, kw_only=True)
class CertifyDocument(ReportDocument):
    """What the checker of a certificate found."""

    command = "certify"

    certificate: Annotated[str, "the certificate's file"]
    verdict: Literal["valid", "invalid", "inconclusive"]
    reason: str
    shown: Annotated[Sequence[str], "what the checker has shown on the way"]
