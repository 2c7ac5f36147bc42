"""HTML of a page: Jinja's template with everything escaped, its style and its script inside."""

from __future__ import annotations

import base64
import hashlib
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from vanishgrad import __version__
from vanishgrad.languages import LANGUAGES, language, translate
from vanishgrad.reports.documents.embedded import OPENING, packed
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.page.bilingual import in_every_language
from vanishgrad.reports.page.content import PageContent

PACKAGES = ("numpy", "scipy")
"""The packages whose versions decide digits."""


def to_page(report: ReportDocument, content: Callable[[], PageContent], command: str = "") -> str:
    """Return a page about a report.

    Parameters
    ----------
    report : ReportDocument
        What the page holds, to be read back.
    content : callable
        What the page shows, in the language spoken when it is called.
    command : str
        The command line that makes the page again; none is shown if it is empty.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    script = _resource("page.js")
    page, words = in_every_language(content), in_every_language(_words)
    return environment.from_string(_resource("page.html")).render(
        page=page,
        words=words,
        charts=[
            chart["data"] for section in page["sections"] for block in section["blocks"] for chart in block["charts"]
        ],
        language=language(),
        languages=dict(LANGUAGES),
        request=_request(report),
        versions=_versions(report),
        command=in_every_language(lambda: command),
        opening=OPENING,
        packed=packed(report.to_dict()),
        name=f"{report.command}.json",
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=_resource("page.css"),
    )


def _resource(name: str) -> str:
    """Return a file of this package without its indents, which are a tenth of a page's script."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return "\n".join(line.strip() for line in text.splitlines())


def _request(report: ReportDocument) -> list[tuple[str, Any]]:
    """Return what was asked, as names and values, without what was left open."""
    request: Mapping[str, Any] = report.to_dict()["request"]
    return in_every_language(lambda: [
        (name, _value(value)) for name, value in request.items() if value not in (None, "", [], (), False)
    ])  # fmt: skip


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if not isinstance(value, bool) else "yes"


def _versions(report: ReportDocument) -> list[tuple[str, str]]:
    header = report.header()
    return [
        ("vanishgrad", __version__),
        (header["format"], str(header["format_version"])),
        ("Python", platform.python_version()),
        *((package, version(package)) for package in PACKAGES),
    ]


def _words() -> dict[str, str]:
    """Return the texts of the page itself, in the language spoken."""
    return {
        "contents": translate("Contents"),
        "skip": translate("To the verdicts"),
        "language": translate("Language"),
        "verdicts": translate("Verdicts"),
        "details": translate("more about it"),
        "as_table": translate("The same as a table"),
        "request": translate("What was asked"),
        "option": translate("option"),
        "value": translate("value"),
        "notes": translate("What belongs to these numbers"),
        "origin": translate("Where this comes from"),
        "versions": translate("Versions"),
        "version": translate("version"),
        "package": translate("package"),
        "file": translate("file"),
        "again": translate("Make this again"),
        "copy_command": translate("Copy"),
        "copied": translate("copied"),
        "download": translate("Save the report as JSON"),
        "inside": translate(
            "The report itself is inside this page, its lists of numbers with five digits: vanishgrad plot, check, "
            "diff and track read the page as they read a JSON report."
        ),
        "too_long": translate("The report is too long to be inside this page; --output report.json keeps it."),
        "log": translate("logarithmic axis"),
        "band": translate("bands"),
        "all": translate("all"),
        "none": translate("none"),
        "nothing": translate("nothing is shown; switch something on"),
        "zero": translate("exactly 0"),
        "chart_keys": translate("arrow keys move along it, Escape leaves"),
        "more": translate("and {count} more", count="#"),
        "from_to": translate("from step {k} to step {t}", k="#k", t="#t"),
    }
