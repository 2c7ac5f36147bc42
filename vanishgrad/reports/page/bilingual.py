"""Text in every language at once: a page is built once in each, and what differs is kept side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from vanishgrad.languages import LANGUAGES, in_language

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, those that turn the direction of what follows among them, and bytes that are no text."""


def in_every_language(build: Callable[[], Any]) -> Any:
    """Return what a function builds, a text that differs between languages as {language: text}, and all of them inert.

    Dataclasses become dictionaries of their fields.
    """
    variants = []
    for language in LANGUAGES:
        with in_language(language):
            variants.append(build())
    return _merged(variants)


def _merged(variants: Sequence[Any]) -> Any:
    first = variants[0]
    if isinstance(first, str):
        texts = [inert(text) for text in variants]
        return texts[0] if len(set(texts)) == 1 else dict(zip(LANGUAGES, texts, strict=True))
    if is_dataclass(first):
        return {each.name: _merged([getattr(variant, each.name) for variant in variants]) for each in fields(first)}
    if isinstance(first, Mapping):
        return {name: _merged([variant[name] for variant in variants]) for name in first}
    if isinstance(first, list | tuple):
        return [_merged(items) for items in zip(*variants, strict=True)]
    return first


def inert(text: str) -> str:
    r"""Return a text with what cannot be seen written out: ``\u202e``."""
    return _INVISIBLE.sub(lambda match: rf"\u{ord(match[0]):04x}", text)
