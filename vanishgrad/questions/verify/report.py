"""A verification, one line for each comparison."""

from __future__ import annotations

from dataclasses import asdict

from vanishgrad.questions.verify.measure import VerifyResult
from vanishgrad.reports.documents.document import Document, header


def verification(result: VerifyResult) -> Document:
    """Return the document of a verification."""
    return {
        **header("verify"),
        "request": {**asdict(result.request), "models": list(result.request.models)},
        "passed": result.passed,
        "lines": [{**asdict(line), "passed": line.passed} for line in result.lines],
    }


def to_text(document: Document) -> str:
    """Return the lines under the label of each model, and the verdict."""
    out, label = [], None
    for line in document["lines"]:
        if line["label"] != label:
            label = line["label"]
            out.append(label)
        mark = "ok  " if line["passed"] else "FAIL"
        out.append(f"  {mark} {line['claim']:<52} {line['error']:.1e} ≤ {line['tolerance']:.1e}")
    failed = sum(not line["passed"] for line in document["lines"])
    out.append(f"{len(document['lines']) - failed} passed, {failed} failed")
    return "\n".join(out) + "\n"
