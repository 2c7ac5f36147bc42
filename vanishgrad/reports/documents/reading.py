"""A JSON report read back: from a file, from stdin."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.file_bytes import LONGEST_BYTES, file_bytes
from vanishgrad.reports.documents.document import FORMAT_VERSION

NAME = "vanishgrad-"


def read_report(path: str) -> dict[str, Any]:
    """Read a JSON report from a file, or from stdin for -.

    Raises
    ------
    VanishgradError
        If there is no report there, or one of another format version.
    """
    try:
        document = json.loads(_text(path))
    except (ValueError, RecursionError):
        raise VanishgradError(f"expected a JSON report, got something else in {path!r}; try --json") from None
    if not isinstance(document, dict) or not str(document.get("format", "")).startswith(NAME):
        raise VanishgradError(
            f"expected a report of vanishgrad, got other JSON in {path!r}; try vanishgrad compare --json"
        )
    if document.get("format_version") != FORMAT_VERSION:
        raise VanishgradError(
            f"expected a report of format version {FORMAT_VERSION}, got {document.get('format_version')} in {path!r}; "
            f"try the vanishgrad that wrote it"
        )
    return document


def _text(path: str) -> str:
    if path != "-":
        return file_bytes(path, "a report").decode()
    try:
        text = sys.stdin.read(LONGEST_BYTES + 1)
    except OSError as error:
        raise VanishgradError(f"expected a report on stdin, got: {error.strerror or error}; try a file") from None
    if len(text) > LONGEST_BYTES:
        raise VanishgradError(f"expected a report of at most {LONGEST_BYTES} characters, got more on stdin; try a file")
    return text


def is_report(path: str) -> bool:
    """Whether a path is to be read as a report: stdin, a pipe, or a file that begins as JSON does."""
    try:
        if path == "-" or stat.S_ISFIFO(os.stat(path).st_mode):
            return True
        with open(path, "rb") as file:
            return file.read(64).lstrip()[:1] == b"{"
    except OSError:
        return False


def layer_curves(document: dict[str, Any], path: str, curve: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (label, curve) of every model of a report that has this curve.

    Raises
    ------
    VanishgradError
        If the report has no models, or none with this curve.
    """
    try:
        found = [(model["label"], model["curves"][curve]) for model in document["models"] if curve in model["curves"]]
    except (KeyError, TypeError):
        raise VanishgradError(
            f"expected a report with models and curves, got another one in {path!r}; try compare"
        ) from None
    if not found:
        raise VanishgradError(f"expected the curve {curve!r}, got none in {path!r}; try --curve state")
    return found
