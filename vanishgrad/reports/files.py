"""Atomic writing: files, and several of them together, are written beside their targets and then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vanishgrad.errors import VanishgradError
from vanishgrad.interrupts import defer_interrupts


def write(path: str, content: bytes) -> None:
    """Write a file, complete or not at all, on Ctrl-C and full disk too.

    A target that is no regular file (a terminal, a pipe, /dev/null) is written through.

    Raises
    ------
    VanishgradError
        If the target cannot be written.
    """
    write_together([(path, content)])


def write_together(files: Iterable[tuple[str, bytes]], folders: Sequence[str] = ()) -> None:
    """Write files of (path, content), all of them or none, and make folders for them where there are none.

    The files are asked for one by one, so that only one content is held at a time. A second file that cannot be put in
    place brings back what stood in the place of the first.

    Raises
    ------
    VanishgradError
        If a file cannot be written, or a folder cannot be made.
    """
    with contextlib.ExitStack() as undone:
        for path in folders:
            _make_folder(Path(path), undone)
        replacements = [_Replacement(path, content, undone) for path, content in files]
        with defer_interrupts():
            for replacement in replacements:
                replacement.put_in_place(undone, alone=len(replacements) == 1)
        undone.pop_all()
        for replacement in replacements:
            replacement.forget_old()


def demand_target(path: str) -> None:
    """Refuse a path that cannot become a file: a folder, or a link to itself."""
    with _told(path):
        if not path or os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "a folder")
        _mode(path)


def demand_folder(path: str) -> None:
    """Refuse a path that is something else than a folder."""
    if os.path.lexists(path) and not os.path.isdir(path):
        raise VanishgradError(f"expected to make the folder {path!r}, got a file; try another name")


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise VanishgradError(
            f"expected to write {path!r}, got: {error.strerror or error}; try another --output"
        ) from None


def _mode(path: str) -> int | None:
    """Return the mode of what a path leads to, None if that is nothing yet."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None
    except ValueError as error:  # a NUL in the name
        raise OSError(str(error)) from None


class _Replacement:
    """A file written beside its target, or through a target that cannot be replaced; undone unless all succeed."""

    def __init__(self, path: str, content: bytes, undone: contextlib.ExitStack) -> None:
        self._path, self._target = path, Path(os.path.realpath(path))
        self._beside, self._old = "", ""
        with _told(self._path):
            mode = _mode(path)
            if mode is not None and not stat.S_ISREG(mode):
                _write_through(self._path, content)
                return
            handle, self._beside = tempfile.mkstemp(prefix=f".{self._target.name[:100]}.", dir=self._target.parent)
            undone.callback(_unlink, self._beside)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(self._beside, mode & 0o777 if mode is not None else 0o666 & ~_umask())

    def put_in_place(self, undone: contextlib.ExitStack, alone: bool) -> None:
        """Rename the file to its target; unless it is alone, keep what stood there."""
        if not self._beside:
            return
        with _told(self._path):
            if not alone and self._target.exists():
                self._old = f"{self._beside}.old"
                undone.callback(_unlink, self._old)
                _keep(self._target, self._old)
            os.replace(self._beside, self._target)
            if self._old:
                undone.callback(os.replace, self._old, self._target)
            elif not alone:
                undone.callback(_unlink, str(self._target))

    def forget_old(self) -> None:
        """Remove what was kept of the target."""
        if self._old:
            _unlink(self._old)


def _write_through(path: str, content: bytes) -> None:
    """Write to a device or a pipe; one that nobody reads from is refused, where writing would wait for ever."""
    flags = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "a pipe that nobody reads from") from None
        raise
    os.set_blocking(handle, True)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _keep(target: Path, name: str) -> None:
    """Give a file a second name; a copy where the file system knows no links."""
    try:
        os.link(target, name)
    except OSError:
        shutil.copy2(target, name)


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _make_folder(path: Path, undone: contextlib.ExitStack) -> None:
    try:
        for folder in reversed([each for each in (path, *path.parents) if not each.is_dir()]):
            folder.mkdir()
            undone.callback(_remove_folder, folder)
    except OSError as error:
        raise VanishgradError(f"expected to make the folder {str(path)!r}, got: {error.strerror or error}") from None


def _remove_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
