"""The register of reports: what each command writes with --json, looked up when one is read or described."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.documents.declaration import Schema
from vanishgrad.reports.documents.format_version import FORMAT_VERSION, HISTORY
from vanishgrad.reports.documents.reading import read_json
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.documents.report_document import ReportDocument

DOCUMENTS: Mapping[str, str] = {
    "compare": "vanishgrad.questions.compare:CompareDocument",
    "analyze": "vanishgrad.questions.analyze:AnalyzeDocument",
    "explain": "vanishgrad.questions.explain.document:ExplainDocument",
    "learn": "vanishgrad.questions.learn.document:LearnDocument",
    "sweep": "vanishgrad.questions.sweep.document:SweepDocument",
    "inspect": "vanishgrad.questions.inspect.report:InspectDocument",
    "check": "vanishgrad.questions.check.judge:CheckDocument",
    "track": "vanishgrad.questions.track.track:TrackDocument",
    "diff": "vanishgrad.questions.diff:DiffDocument",
    "answer": "vanishgrad.formal_answer.renderers.claims_json:AnswerDocument",
    "certify": "vanishgrad.certificates.report:CertifyDocument",
    "verify": "vanishgrad.questions.verify.report:VerifyDocument",
}
"""Command → module and class of its report; strings, so that a command imports no other's."""

SCHEMAS: Mapping[str, str] = {**DOCUMENTS, "certificate": "vanishgrad.certificates.report:CertificateDocument"}
"""The same with the files that are no reports."""


def schema_of(name: str) -> Schema:
    """Return the JSON Schema of a command's report, or of a certificate's file."""
    schema: Schema = _declared(SCHEMAS[name]).schema()
    return schema


def document_of(command: str) -> type[ReportDocument]:
    """Return the class of a command's report."""
    document: type[ReportDocument] = _declared(DOCUMENTS[command])
    return document


def _declared(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def read_report(path: str) -> ReportDocument:
    """Return the report in a file, in a zarr store, CSV, Parquet or netCDF file of `sweep`, or in stdin for -.

    Raises
    ------
    VanishgradError
        If there is none, one of another format version, or one that is not as its declaration says.
    """
    ending = Path(path).suffix.lower()
    if ending == ".zarr":
        from vanishgrad.questions.sweep.report import stored_report

        return stored_report(path)
    if ending in (".csv", ".parquet", ".nc"):
        from vanishgrad.questions.sweep.tables import read_file

        return read_file(path)
    return report_in(read_json(path), path)


def report_in(value: Any, path: str = "the document") -> ReportDocument:
    """Return the report in a JSON value; messages name where it comes from.

    Raises
    ------
    VanishgradError
        As `read_report`.
    """
    name = str(value.get("format")) if isinstance(value, dict) else ""
    command = name.removeprefix("vanishgrad-")
    if command not in DOCUMENTS or name == command:
        raise VanishgradError(
            f"expected a report of vanishgrad, got other JSON in {path!r}; try vanishgrad compare --json"
        )
    version = value.get("format_version")
    if isinstance(version, bool) or version != FORMAT_VERSION:
        since = f", since which {HISTORY[FORMAT_VERSION]}" if isinstance(version, int) and version in HISTORY else ""
        raise VanishgradError(
            f"expected a report of format version {FORMAT_VERSION}{since}, got {version!r} in {path!r}; "
            f"try to make it anew with --json, or the vanishgrad that wrote it"
        )
    return document_of(command).read(value)


def read_models(path: str) -> ModelsDocument:
    """Return the report of models in a file, or in stdin for -.

    Raises
    ------
    VanishgradError
        As `read_report`, or if it is a report of something else.
    """
    return demand_models(read_report(path), path)


def demand_models(report: ReportDocument, path: str = "the document") -> ModelsDocument:
    """Return a report if it is one of models that were run.

    Raises
    ------
    VanishgradError
        If it is not.
    """
    if not isinstance(report, ModelsDocument):
        raise VanishgradError(
            f"expected a report with models and curves, got one of {report.command} in {path!r}; try compare"
        )
    return report
