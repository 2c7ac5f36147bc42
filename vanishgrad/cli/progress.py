"""A bar on a terminal, for work over a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 1.0


@contextmanager
def progress(total: int, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function to call with each piece of work that is done; the bar appears after a second."""
    bar = _Bar(total, shown=not quiet and sys.stderr.isatty())
    try:
        yield bar.advance
    finally:
        bar.clear()


class _Bar:
    def __init__(self, total: int, shown: bool) -> None:
        self._total, self._shown = total, shown
        self._done, self._drawn, self._start = 0, False, time.monotonic()

    def advance(self, label: str) -> None:
        self._done += 1
        if self._shown and self._done < self._total and time.monotonic() - self._start > PATIENCE_SECONDS:
            filled = 30 * self._done // self._total
            text = f"\r{'━' * filled}{'─' * (30 - filled)} {self._done}/{self._total} {label[:40]}"
            sys.stderr.write(f"\x1b[2K{text}")
            sys.stderr.flush()
            self._drawn = True

    def clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
