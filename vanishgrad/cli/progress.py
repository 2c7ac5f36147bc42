"""Progress bar on a terminal, for work over a second, and the command that goes on with what was interrupted."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 1.0
WIDTH = 30


@contextmanager
def progress(total: int | None, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function to call with each piece of work that is done; what is shown appears after a second.

    A bar where the total is known beforehand, else a count.
    """
    bar = _Bar(total, visible=not quiet and sys.stderr.isatty())
    try:
        yield bar.advance
    finally:
        bar.clear()


def resuming_command(resume: str | None, path: str) -> str:
    """Return this command line with --resume of a file, in the place of the one that it had."""
    import shlex

    arguments = [each for each in sys.argv[1:] if each not in ("--resume", resume, f"--resume={resume}")]
    return shlex.join(["vanishgrad", *arguments, "--resume", path])


class _Bar:
    def __init__(self, total: int | None, visible: bool) -> None:
        self._total, self._shown = total, visible
        self._done, self._drawn, self._start = 0, False, time.monotonic()

    def advance(self, label: str) -> None:
        self._done += 1
        if self._shown and self._done != self._total and time.monotonic() - self._start > PATIENCE_SECONDS:
            sys.stderr.write(f"\r\x1b[2K{self._text()} {label[:40]}")
            sys.stderr.flush()
            self._drawn = True

    def _text(self) -> str:
        if self._total is None:
            return f"{self._done} done"
        filled = WIDTH * self._done // self._total
        return f"{'━' * filled}{'─' * (WIDTH - filled)} {self._done}/{self._total}"

    def clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
