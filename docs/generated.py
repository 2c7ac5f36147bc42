"""mkdocs hook: pages that the program itself makes, so that they cannot say anything else than it does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from vanishgrad.questions.documents import SCHEMAS
from vanishgrad.reports.documents.format_version import HISTORY

ROOT = Path(__file__).parent.parent


def on_files(files: Files, config: Any) -> Files:
    """Add the formal answer as pages of their own, and a page for the JSON reports."""
    for language in ("en", "zh"):
        page = _output("answer", "--lang", language, "--format", "html", "--quiet")
        files.append(File.generated(config, f"explanation/answer.{language}.html", content=page))
    files.append(File.generated(config, "reference/json.md", content="\n".join(_json_page())))
    return files


def _output(*arguments: str) -> str:
    command = [sys.executable, "-m", "vanishgrad", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def _json_page() -> Iterator[str]:
    yield (ROOT / "docs" / "reference" / "json.head.md").read_text(encoding="utf-8")
    yield "\n| `format_version` | what has changed |\n|---|---|"
    yield from (f"| {version} | {change} |" for version, change in HISTORY.items())
    for name in SCHEMAS:
        schema = json.loads(_output("schema", name))
        yield f"\n## `{schema['title']}`\n\n| field | type | meaning |\n|---|---|---|"
        yield from _fields(schema, "")


def _fields(schema: dict[str, Any], path: str) -> Iterator[str]:
    """Yield a table row for each field, what is inside it below it."""
    for name, field in schema.get("properties", {}).items():
        yield f"| `{path}{name}` | {_type(field)} | {_cell(field.get('description', ''))} |"
        for below, mark in _below(field):
            yield from _fields(below, f"{path}{name}{mark}.")


def _below(field: dict[str, Any], mark: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the objects within a field, through lists and objects whose names are data, and how paths go on to them."""
    for each in _either(field):
        if "properties" in each:
            yield each, mark
        if isinstance(each.get("items"), dict):
            yield from _below(each["items"], f"{mark}[]")
        if isinstance(each.get("additionalProperties"), dict):
            yield from _below(each["additionalProperties"], f"{mark}.NAME")


def _either(field: dict[str, Any]) -> list[dict[str, Any]]:
    return field.get("anyOf") or field.get("oneOf") or [field]


def _type(field: dict[str, Any]) -> str:
    if len(_either(field)) > 1:
        return " or ".join(dict.fromkeys(map(_type, _either(field))))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if isinstance(field.get("items"), dict):
        return f"array of {_type(field['items'])}"
    return str(field["type"])


def _cell(text: str) -> str:
    """Return a sentence as a table's cell: an index [i][j] is no link."""
    return text.replace("|", "\\|").replace("[", "\\[").replace("\n", " ")
