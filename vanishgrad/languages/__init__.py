"""Languages of what people read: messages in English, translated by gettext as they are shown.

A message is written where it is used, in English, with its values by name: ``translate("{count} left", count=3)``.
Reports hold English; what is shown of one goes through `translated`, which knows the messages that `english` formats.
Chinese stands in ``zh/LC_MESSAGES/vanishgrad.po``; ``python -m tests.catalogue`` brings it up to date.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, ParamSpec

if TYPE_CHECKING:
    from gettext import NullTranslations

P = ParamSpec("P")

ENGLISH = "en"
"""What messages are written in."""
LANGUAGES = {ENGLISH: "English", "zh": "中文"}
"""Code → the language's name in itself."""
VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
REPORT = "report"
"""Context, in gettext's sense, of the messages that reports hold."""
_FIELD = re.compile(r"\{(\w+)\}")

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """Return the language that is spoken here: English unless `in_language` says another one."""
    return _language.get()


@contextlib.contextmanager
def in_language(name: str) -> Iterator[None]:
    """Speak one of `LANGUAGES` while the context lasts: what is shown of a report in it is in that language."""
    if name not in LANGUAGES:
        raise ValueError(f"expected one of {', '.join(LANGUAGES)}, got {name!r}")
    token = _language.set(name)
    try:
        yield
    finally:
        _language.reset(token)


def set_language(name: str) -> None:
    """Speak one of `LANGUAGES` from here on, until an `in_language` around this ends."""
    _language.set(name)


def locale_language() -> str:
    """Return the first of `LANGUAGES` that the environment asks for, by gettext's variables and their order."""
    chosen = next((text for name in VARIABLES if (text := os.environ.get(name))), "")
    return next((code for each in chosen.split(":") if (code := each[:2].lower()) in LANGUAGES), ENGLISH)


@cache
def characters(name: str) -> str:
    """Return the Chinese characters and stops that a language's messages have: none in English."""
    texts = "".join(text for text in _messages(name).values() if isinstance(text, str))
    return "".join(sorted(character for character in set(texts) if character >= "\u2e80"))


def translate(text: str, /, **values: object) -> str:
    """Return a message in the language spoken, with its values.

    >>> translate("{count} of {total} left", count=3, total=8)
    '3 of 8 left'
    """
    if text and _language.get() != ENGLISH:
        text = _catalogue(_language.get()).gettext(text)
    return text.format(**values) if values else text


def translate_count(one: str, several: str, number: int, /, **values: object) -> str:
    """Return the message for so many in the language spoken; ``{count}`` is the number, or a text of the caller's.

    >>> translate_count("{count} trial", "{count} trials", 1)
    '1 trial'
    """
    if _language.get() == ENGLISH:
        text = one if number == 1 else several
    else:
        text = _catalogue(_language.get()).ngettext(one, several, number)
    return text.format(**{"count": number} | values)


def english(text: str, /, **values: object) -> str:
    """Return a message in English for a report, whatever is spoken here; `translated` finds it again."""
    return text.format(**values) if values else text


def in_english(text: Callable[P, str], *arguments: P.args, **named: P.kwargs) -> str:
    """Return a text that a report holds, made by a function that speaks the language spoken otherwise."""
    with in_language(ENGLISH):
        return text(*arguments, **named)


def translatable(text: str) -> str:
    """Return a message unchanged: it is translated where it is used."""
    return text


def translated(sentence: str) -> str:
    """Return a sentence of a report in the language spoken, as it is where no message has its form.

    The message is the one with the most literal characters that the sentence can be made of; its values are translated
    in turn, where they are messages.
    """
    if not sentence or _language.get() == ENGLISH:
        return sentence
    catalogue = _catalogue(_language.get())
    for same in (catalogue.gettext(sentence), catalogue.pgettext(REPORT, sentence)):
        if same != sentence:
            return same
    for form in _forms(_language.get()):
        if values := form.values(sentence):
            text = catalogue.pgettext(REPORT, form.text)
            return text.format(**{name: translated(value) for name, value in values.items()})
    return sentence


class _Form(NamedTuple):
    """A message with values: its text, and what stands between them."""

    text: str
    literals: tuple[str, ...]

    def values(self, sentence: str) -> dict[str, str]:
        """Return the values that make the message a sentence; none where it is another one's."""
        if not (sentence.startswith(self.literals[0]) and sentence.endswith(self.literals[-1])):
            return {}
        if not all(literal in sentence for literal in self.literals):
            return {}
        match = re.fullmatch("(.+?)".join(map(re.escape, self.literals)), sentence, re.DOTALL)
        return dict(zip(_FIELD.findall(self.text), match.groups(), strict=True)) if match else {}


@cache
def _forms(name: str) -> list[_Form]:
    """Return the messages of reports that have values, those with the most literal characters first."""
    messages = _messages(name)
    texts = [
        text.partition("\x04")[2] for text in messages if isinstance(text, str) and text.startswith(REPORT + "\x04")
    ]
    forms = [_Form(text, tuple(_FIELD.split(text)[::2])) for text in texts if "{" in text]
    return sorted(forms, key=lambda form: -sum(map(len, form.literals)))


def _messages(name: str) -> Mapping[object, object]:
    """Return message, or (message, plural), → translation; gettext has no other list of them."""
    messages: Mapping[object, object] = getattr(_catalogue(name), "_catalog", {})
    return messages


@cache
def _catalogue(name: str) -> NullTranslations:
    import gettext

    return gettext.translation("vanishgrad", os.path.dirname(__file__), [name], fallback=name == ENGLISH)
