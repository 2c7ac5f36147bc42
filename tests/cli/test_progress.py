"""Progress: rows on a terminal after a second, and not a byte anywhere else."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from vanishgrad.cli import progress
from vanishgrad.steps_done import counted, watched_by, working_on


def test_loops_tell_a_watcher_what_is_done_and_that_none_is_left():
    told: list[tuple[str, int, int]] = []
    with watched_by(lambda *report: told.append(report)), working_on("encoder.1"):
        assert list(counted("Jacobian products", "ab", 2)) == ["a", "b"]
    name = "encoder.1: Jacobian products"
    assert told == [(name, 0, 2), (name, 1, 2), (name, 2, 2)]


def test_a_loop_that_is_left_early_is_over():
    told: list[tuple[str, int, int]] = []
    with watched_by(lambda *report: told.append(report)):
        loop = counted("products", iter(int, 1), 9)
        next(loop)
        del loop
    assert told == [("products", 0, 9), ("products", 9, 9)]


def test_nothing_is_counted_where_nobody_watches():
    items = iter("ab")
    assert counted("products", items, 2) is items


def _read(descriptor):
    try:
        return os.read(descriptor, 2**20).decode()
    except BlockingIOError:
        return ""


@pytest.fixture
def terminal(monkeypatch):
    """A terminal for stderr, and what has been written to it."""
    pty = pytest.importorskip("pty", reason="needs a Unix terminal")
    ours, theirs = pty.openpty()
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as stream:
        monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))
        os.set_blocking(ours, False)
        yield lambda: _read(ours)
    os.close(ours)


def written_until(terminal, text):
    """Return what the terminal has shown once a text is there, or after half a minute."""
    shown, deadline = "", time.monotonic() + 30
    while text not in shown and time.monotonic() < deadline:
        time.sleep(0.01)
        shown += terminal()
    return shown


def test_a_row_for_the_pieces_and_one_for_a_loop_and_both_are_cleared(terminal, monkeypatch):
    shown = []
    draw = progress._Picture.draw
    monkeypatch.setattr(progress._Picture, "draw", lambda self, rows: (draw(self, rows), shown.append(dict(rows))))
    with progress.progress(3, quiet=False) as done:
        done("rnn")
        loop = counted("Jacobian products", range(10), 10)
        next(loop)
        deadline = time.monotonic() + 30
        while not any(len(rows) == 2 for rows in shown) and time.monotonic() < deadline:
            time.sleep(0.01)
        loop.close()
    text = terminal()
    assert "rnn" in text and "Jacobian products" in text and "left" in text
    assert text.endswith("\x1b[1A\x1b[2K" * 2), "both rows are erased"


def test_processes_that_are_forked_report_too(terminal):
    with progress.progress(None, quiet=False):
        process = os.fork()
        if process == 0:
            for _ in counted("in a process of its own", range(10), 10):
                os._exit(0)
        os.waitpid(process, 0)
        assert "in a process of its own" in written_until(terminal, "in a process of its own")


def test_nothing_is_written_where_stderr_is_no_terminal_or_quiet_is_asked_for(monkeypatch, terminal):
    with progress.progress(3, quiet=True) as done:
        done("rnn")
    assert terminal() == ""
    stream = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))
    with progress.progress(3, quiet=False) as done:
        done("rnn")
    assert stream.getvalue() == ""


def test_a_pipe_costs_no_import():
    code = (
        "import sys; from vanishgrad.cli import _status; "
        "_status(['compare', 'rnn', '--hidden', '4', '--steps', '8', '--json']); "
        "print('rich.progress' in sys.modules, file=sys.stderr)"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outcome.stderr == "False\n"
