"""The catalogue of messages: ``python -m tests.catalogue`` takes them from the source and compiles what is translated.

New messages come into ``vanishgrad/languages/zh/LC_MESSAGES/vanishgrad.po`` without a translation, those that no
source has any more leave it. Needs Babel, of the extra ``test``.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests import house
from vanishgrad.languages import REPORT

PACKAGE = Path(__file__).parent.parent / "vanishgrad"
LANGUAGE = "zh"
SOURCE = PACKAGE / "languages" / LANGUAGE / "LC_MESSAGES" / "vanishgrad.po"
COMPILED = SOURCE.with_suffix(".mo")
MESSAGES = {"translate": 1, "translatable": 1, "english": 1, "translate_count": 2}
"""Functions of `vanishgrad.languages` → how many of their arguments are messages."""
NO_DATE = datetime(2026, 1, 1, tzinfo=timezone.utc)
"""So that a change of the catalogue changes no other line."""


def extracted() -> Catalog:
    """Return the messages in the source, each with the files that it stands in."""
    catalogue = Catalog(LANGUAGE, creation_date=NO_DATE, revision_date=NO_DATE, header_comment="", fuzzy=False)
    for path, tree in house.trees().items():
        for function, texts in sorted(_messages(tree)):
            context = REPORT if function == "english" else None
            catalogue.add(
                texts[0] if len(texts) == 1 else texts, locations=[(f"vanishgrad/{path}", 0)], context=context
            )
    return catalogue


def _messages(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each function with the literal messages that those of `vanishgrad.languages` are called with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MESSAGES:
            literals = [each.value for each in node.args if isinstance(each, ast.Constant)]
            texts = tuple(each for each in literals if isinstance(each, str))[: MESSAGES[node.func.id]]
            if texts and all(texts):
                yield node.func.id, texts


def catalogue() -> Catalog:
    """Return the messages and translations that stand in the catalogue."""
    with SOURCE.open("rb") as file:
        return read_po(file, LANGUAGE)


def updated(old: Catalog, messages: Catalog) -> Catalog:
    """Return the messages of the source with the translations of a catalogue."""
    for message in messages:
        if message.id and (known := old.get(message.id, message.context)):
            message.string = known.string
    return messages


def compiled(translations: Catalog) -> bytes:
    """Return the binary form that gettext reads."""
    out = io.BytesIO()
    write_mo(out, translations)
    return out.getvalue()


def untranslated(translations: Catalog) -> list[str]:
    """Return the messages without a translation."""
    return [str(each.id) for each in translations if each.id and not (each.string and all(each.string))]


def main() -> None:
    """Bring both files up to date, and list what is still to be translated."""
    translations = updated(catalogue(), extracted())
    with SOURCE.open("wb") as file:
        write_po(file, translations, width=0, sort_by_file=True, include_lineno=False)
    COMPILED.write_bytes(compiled(translations))
    for text in untranslated(translations):
        print(text)


if __name__ == "__main__":
    main()
