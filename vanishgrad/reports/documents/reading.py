"""A JSON report read back: from a file, from stdin."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import Any, NoReturn

from vanishgrad.errors import VanishgradError
from vanishgrad.file_bytes import LONGEST_BYTES, file_bytes
from vanishgrad.reports.documents.embedded import is_page, report_in_page


def read_json(path: str) -> Any:
    """Return what a file of strict JSON, or a page with a report inside, holds, or stdin for -.

    Raises
    ------
    VanishgradError
        If it cannot be read, or is no JSON; NaN and Infinity are none.
    """
    try:
        text = _text(path)
        return json.loads(report_in_page(text) if is_page(text) else text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        expected = "a JSON report, or a page with one inside"
        raise VanishgradError(f"expected {expected}, got something else in {path!r}; try --json") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


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
    """Whether a path is to be read as a report: stdin, a pipe, or a file that begins as JSON or a page does."""
    try:
        if path == "-" or stat.S_ISFIFO(os.stat(path).st_mode):
            return True
        with open(path, "rb") as file:
            start = file.read(64).lstrip()
            return start[:1] == b"{" or is_page(start.decode(errors="replace"))
    except (OSError, ValueError):  # a NUL in the name
        return False
