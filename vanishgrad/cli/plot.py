"""``vanishgrad plot``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from vanishgrad.cli.emit import PICTURES
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.report.figure import KINDS, render
from vanishgrad.report.write import write


@click.command()
@click.argument("report", metavar="REPORT|-")
@click.option("--output", required=True, metavar="FILE", help="The picture: .png, .svg or .pdf.")
@click.option("--kind", type=click.Choice(list(KINDS)), default="curves", show_default=True)
def plot(report: str, output: str, kind: str) -> None:
    """Pictures from a JSON report."""
    ending = Path(output).suffix.lower()
    if ending not in PICTURES:
        raise UsageError(f"expected --output with the ending .png, .svg or .pdf, got {output!r}; try {output}.svg")
    write(output, render(read_report(report), kind, ending[1:]))


def read_report(path: str) -> dict[str, Any]:
    """Read a JSON report from a file, or from stdin for -."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as error:
        raise VanishgradError(f"expected a readable report, got {path!r}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise VanishgradError(f"expected a JSON report, got something else in {path!r}; try --json") from None
    if not isinstance(document, dict) or not str(document.get("format", "")).startswith("vanishgrad-"):
        raise VanishgradError(
            f"expected a report of vanishgrad, got other JSON in {path!r}; try vanishgrad compare --json"
        )
    return document
