"""A whole report: its header, and its way to JSON and back. What is within it is declared beside each command."""

from __future__ import annotations

import json
from typing import Any, ClassVar, TypeVar

from vanishgrad import __version__
from vanishgrad.reports.documents.declaration import Document, Schema
from vanishgrad.reports.documents.format_version import FORMAT_VERSION

R = TypeVar("R", bound="ReportDocument")


class ReportDocument(Document):
    """A whole report; its first members are its format, the format's version and the version of vanishgrad."""

    command: ClassVar[str]

    @classmethod
    def read(cls: type[R], value: Any, path: str = "") -> R:
        """Return the report in a JSON value whose header is this report's."""
        if isinstance(value, dict):
            value = {name: inner for name, inner in value.items() if name not in cls.header()}
        return super().read(value, path)

    @classmethod
    def header(cls) -> dict[str, Any]:
        """Return what the report begins with."""
        return {"format": f"vanishgrad-{cls.command}", "format_version": FORMAT_VERSION, "vanishgrad": __version__}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {**self.header(), **super().to_dict()}

    def to_json(self) -> str:
        """Return strict JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"

    @classmethod
    def schema(cls) -> Schema:
        """Return the JSON Schema of the report."""
        head = {
            "format": {"enum": [f"vanishgrad-{cls.command}"]},
            "format_version": {"enum": [FORMAT_VERSION]},
            "vanishgrad": {"type": "string"},
        }
        body = super().schema()
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"vanishgrad {cls.command}",
            **body,
            "properties": {**head, **body["properties"]},
            "required": [*head, *body["required"]],
        }
