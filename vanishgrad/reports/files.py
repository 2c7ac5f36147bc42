"""Files are complete or absent: written beside their target and renamed."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from vanishgrad.errors import VanishgradError


def write(path: str, content: bytes) -> None:
    """Write a file, complete or not at all, on Ctrl-C and full disk too.

    A target that is no regular file (a terminal, a pipe, /dev/null) is written through.

    Raises
    ------
    VanishgradError
        If the target cannot be written.
    """
    target = Path(path)
    try:
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            target.write_bytes(content)
        else:
            _replace(target, content)
    except OSError as error:
        raise VanishgradError(
            f"expected to write {path!r}, got: {error.strerror or error}; try another --output"
        ) from None


def _replace(target: Path, content: bytes) -> None:
    handle, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(beside, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        os.replace(beside, target.resolve())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def folder(path: str) -> Path:
    """Return a folder, made where it does not exist."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VanishgradError(f"expected to make the folder {path!r}, got: {error.strerror or error}") from None
    return Path(path)
