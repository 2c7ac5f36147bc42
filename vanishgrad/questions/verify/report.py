"""A verification, one line for each comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from vanishgrad.languages import translate, translated
from vanishgrad.questions.verify.measure import VerifyResult
from vanishgrad.reports.documents.declaration import Count, Document, Size
from vanishgrad.reports.documents.report import FileRequestDocument
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.terminal import padded


class VerifyRequestDocument(FileRequestDocument):
    """What was verified."""

    models: Sequence[str]
    hidden: Size
    steps: Size
    seed: Count
    input_size: Size | None = None
    input: str = "white"
    initial: str = "zeros"
    burn_in: Count = 0
    mask: Annotated[str | None, "the file that says which steps are masked"] = None


class VerifiedLineDocument(Document):
    """One result beside another way to it."""

    label: str
    claim: str
    error: Annotated[float, "largest difference, relative to the largest entry"]
    tolerance: float
    passed: bool
    place: Annotated[str, "where it is largest, with both numbers"] = ""


class VerifyDocument(ReportDocument):
    """What `verify` found."""

    command = "verify"

    request: VerifyRequestDocument
    passed: bool
    lines: Sequence[VerifiedLineDocument]


def verification(result: VerifyResult) -> VerifyDocument:
    """Return the document of a verification."""
    return VerifyDocument.of(
        result,
        request=VerifyRequestDocument.of(
            result.request,
            steps=result.steps,
            models=[str(model) for model in result.request.models if not isinstance(model, Mapping)],
        ),
        lines=[VerifiedLineDocument.of(line) for line in result.lines],
    )


def to_text(document: VerifyDocument) -> str:
    """Return the lines under the label of each model, and the verdict."""
    out, label = [], None
    for line in document.lines:
        if line.label != label:
            label = line.label
            out.append(label)
        mark = "ok  " if line.passed else "FAIL"
        out.append(f"  {mark} {padded(translated(line.claim), 52)} {line.error:.1e} ≤ {line.tolerance:.1e}")
        if not line.passed and line.place:
            out.append(f"       {line.place}")
    failed = sum(not line.passed for line in document.lines)
    out.append(translate("{passed} passed, {failed} failed", passed=len(document.lines) - failed, failed=failed))
    return "\n".join(out) + "\n"
