"""mkdocs hook: pages that the program itself makes, so that they cannot say anything else than it does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from vanishgrad.reports.documents.format_version import HISTORY

ROOT = Path(__file__).parent.parent
REPORTS = ("compare", "analyze", "explain", "check", "diff", "inspect", "verify")


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
    for command in REPORTS:
        schema = json.loads(_output("schema", command))
        yield f"\n## `{schema.get('title', command)}`\n\n| field | type | meaning |\n|---|---|---|"
        yield from _fields(schema, schema, "")


def _fields(schema: dict[str, Any], root: dict[str, Any], path: str, depth: int = 0) -> Iterator[str]:
    """Yield a table row for each field, what is inside it below it, four levels deep."""
    for name, field in _resolved(schema, root).get("properties", {}).items():
        here, inner = f"{path}{name}", _resolved(field, root)
        yield f"| `{here}` | {_type(inner, root)} | {_cell(field.get('description') or inner.get('description', ''))} |"
        for below, mark in _below(inner, root):
            if depth < 4:
                yield from _fields(below, root, f"{here}{mark}.", depth + 1)


def _below(field: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for each in field.get("anyOf", [field]):
        found = _resolved(each, root)
        if "properties" in found:
            yield found, ""
        if isinstance(found.get("items"), dict):
            yield _resolved(found["items"], root), "[]"
        if isinstance(found.get("additionalProperties"), dict):
            yield _resolved(found["additionalProperties"], root), ".NAME"


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _type(field: dict[str, Any], root: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(_resolved(each, root), root) for each in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = field.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
