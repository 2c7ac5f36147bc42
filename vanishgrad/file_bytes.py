"""File reading: the bytes of a file that a user names, of bounded length; devices and silent pipes are refused."""

from __future__ import annotations

import errno
import os
import stat
import time
from io import BufferedReader

from vanishgrad.errors import VanishgradError

LONGEST_BYTES = 2**30
"""What is read of any file at most: a report of six curves at 100 000 lags has some 10⁸ bytes."""
PATIENCE_SECONDS = 1.0
"""How long a pipe is waited for until somebody writes to it."""
CHUNK_BYTES = 2**16
"""What a pipe holds."""


def file_bytes(path: str, what: str, longest: int = LONGEST_BYTES) -> bytes:
    """Return the bytes of a file, or of a pipe that somebody writes to.

    Raises
    ------
    VanishgradError
        If there is no such file, if it is a folder, a device or a pipe that nobody writes to, or if it is longer than
        `longest`; `what` is what was expected.
    """
    try:
        with open(path, "rb", opener=_opened_at_once) as file:
            size = _size(os.fstat(file.fileno()))
            start = _first_of_pipe(file) if size is None else b""
            content = start if size and size > longest else start + file.read(max(0, longest + 1 - len(start)))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VanishgradError(f"expected {what} in a readable file, got {path!r}: {reason}; try another file") from None
    if max(size or 0, len(content)) > longest:
        raise VanishgradError(
            f"expected {what} of at most {longest} bytes, got {size or 'more'} in {path!r}; try another file"
        )
    return content


def demand_regular(path: str) -> None:
    """Refuse what is no regular file.

    Raises
    ------
    OSError
        Whose `strerror` says what it is.
    """
    if _size(os.stat(path)) is None:
        raise OSError(errno.EINVAL, "a pipe")


def _opened_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for the writer of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _size(status: os.stat_result) -> int | None:
    """Return the size of a regular file, None of a pipe; refuse a folder and a device, which have no end."""
    if stat.S_ISREG(status.st_mode):
        return status.st_size
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISFIFO(status.st_mode):
        raise OSError(errno.EINVAL, "a device")
    return None


def _first_of_pipe(file: BufferedReader) -> bytes:
    """Return the first bytes of a pipe, or nothing yet if it has a writer, for whom reading then waits."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (start := file.raw.read(CHUNK_BYTES)) == b"":
        if time.monotonic() > until:
            raise OSError(errno.EPIPE, "a pipe that nobody writes to")
        time.sleep(0.01)
    os.set_blocking(file.fileno(), True)
    return start or b""
