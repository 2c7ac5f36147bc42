"""Progress of long loops, told to whoever watches: how many steps of what are done; else nothing is counted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
Watcher = Callable[[str, int, int], None]
"""Takes what is done, how much of it, and how much there is; it should return at once."""

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
_subject: ContextVar[str] = ContextVar("subject", default="")


@contextlib.contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Tell a watcher of every loop that runs while the context lasts, in processes forked in it too."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


@contextlib.contextmanager
def working_on(label: str) -> Iterator[None]:
    """Name the model that loops are about while the context lasts."""
    token = _subject.set(label)
    try:
        yield
    finally:
        _subject.reset(token)


def counted(what: str, items: Iterable[Item], total: int) -> Iterator[Item]:
    """Return an iterator over items; a watcher learns of each that is done, and that none is left when it ends."""
    watcher = _watcher.get()
    return iter(items) if watcher is None else _told(watcher, what, items, total)


def _told(watcher: Watcher, what: str, items: Iterable[Item], total: int) -> Iterator[Item]:
    label = _subject.get()
    text = f"{label}: {what}" if label else what
    try:
        for done, item in enumerate(items):
            watcher(text, done, total)
            yield item
    finally:
        watcher(text, total, total)
