"""Progress on a terminal, for work over a second, and the command that goes on with what was interrupted.

A row for each process at work: what it is at, a bar, the time elapsed and the time left. Processes write what they are
at into a pipe; a thread reads it and draws with rich, which is imported only once there is something to show.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from vanishgrad.steps_done import watched_by

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_SECONDS = 1.0
"""Work that takes less shows nothing."""
INTERVAL_SECONDS = 0.1
"""Between two reports of one process, and between two pictures."""
MAX_LABEL = 48
"""Characters of what a process is at."""


@contextmanager
def progress(total: int | None, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function to call with each piece of work that is done; what is shown appears after a second.

    A row for the pieces where their number is known beforehand and more than one, and one for each process's loops.
    """
    if quiet or not sys.stderr.isatty() or not hasattr(os, "fork"):
        yield lambda label: None
        return
    with _Display(total) as display, watched_by(display.steps):
        yield display.piece


def resuming_command(resume: str | None, path: str) -> str:
    """Return this command line with --resume of a file, in the place of the one that it had."""
    import shlex

    arguments = [each for each in sys.argv[1:] if each not in ("--resume", resume, f"--resume={resume}")]
    return shlex.join(["vanishgrad", *arguments, "--resume", path])


class _Row(NamedTuple):
    """How far a process, or the whole for the name ``all``, is with what."""

    process: str
    done: int
    total: int
    what: str


class _Display:
    """Rows of progress below the cursor, while the context lasts."""

    def __init__(self, total: int | None) -> None:
        self._total, self._pieces = total, 0
        self._reported, self._is_unfinished = 0.0, False
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)  # a report that nobody has read yet must not hold up the work
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> _Display:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.set_blocking(self._writing, True)
        os.write(self._writing, b"end\n")
        self._thread.join()
        os.close(self._writing)
        os.close(self._reading)

    def piece(self, label: str) -> None:
        """Count a piece of work that is done."""
        self._pieces += 1
        if self._total is not None and self._total > 1:
            self._report(_Row("all", self._pieces, self._total, label))

    def steps(self, what: str, done: int, total: int) -> None:
        """Report, now and then, how far this process is."""
        now = time.monotonic()
        if self._is_unfinished if done == total else now - self._reported > INTERVAL_SECONDS:
            self._reported, self._is_unfinished = now, done < total
            self._report(_Row(str(os.getpid()), done, total, what))

    def _report(self, row: _Row) -> None:
        line = "\t".join(map(str, row)).replace("\n", " ").encode(errors="replace")
        with contextlib.suppress(BlockingIOError):
            os.write(self._writing, line[: select.PIPE_BUF - 1] + b"\n")

    def _show(self) -> None:
        """Read reports until the end; draw from a second on."""
        start, unread, picture, rows = time.monotonic(), b"", None, dict[str, _Row]()
        while True:
            if select.select([self._reading], [], [], INTERVAL_SECONDS)[0]:
                *lines, unread = (unread + os.read(self._reading, 2**16)).split(b"\n")
                if b"end" in lines:
                    break
                rows.update((row.process, row) for row in map(_row, lines))
            if rows and time.monotonic() - start > PATIENCE_SECONDS:
                picture = picture or _Picture()
                picture.draw(rows)
        if picture:
            picture.clear()


def _row(line: bytes) -> _Row:
    process, done, total, what = line.decode(errors="replace").split("\t", 3)
    return _Row(process, int(done), int(total), what)


class _Picture:
    """Rows as rich draws them, on stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._tasks: dict[str, tuple[str, TaskID]] = {}
        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr, emoji=False),
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._progress.start()

    def draw(self, rows: dict[str, _Row]) -> None:
        """Draw how far each process is, and none that has nothing left to do."""
        for process, row in rows.items():
            name, task = self._tasks.get(process, (None, None))
            if task is not None and (row.done >= row.total or (process != "all" and name != row.what)):
                self._progress.remove_task(task)
                del self._tasks[process]
            if row.done >= row.total:
                continue
            if process not in self._tasks:
                self._tasks[process] = row.what, self._progress.add_task("", start=True, visible=False)
            text = row.what if len(row.what) <= MAX_LABEL else f"{row.what[: MAX_LABEL - 1]}…"
            self._progress.update(
                self._tasks[process][1], total=row.total, completed=row.done, description=text, visible=True
            )
        self._progress.refresh()

    def clear(self) -> None:
        """Take the rows off the terminal."""
        self._progress.stop()
