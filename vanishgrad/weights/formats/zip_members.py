"""The members of a zip archive, read in place and in part; nothing is ever unpacked to disk."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.limits import require_plausible_expansion
from vanishgrad.weights.formats.raw import cut_short, stretch
from vanishgrad.weights.tensors import shown

LOCAL_HEADER = 30


@dataclass(frozen=True)
class Member:
    """A file in a zip archive: `size` bytes, of which any stretch can be read.

    The archive itself may be a stretch of a larger file, `extent` bytes from `origin` on.
    """

    archive: str
    info: zipfile.ZipInfo
    origin: int = 0
    extent: int | None = None

    @property
    def size(self) -> int:
        """The number of bytes after decompression."""
        return self.info.file_size

    @property
    def is_stored(self) -> bool:
        """Whether its bytes stand in the archive as they are."""
        return self.info.compress_type == zipfile.ZIP_STORED

    @property
    def start(self) -> int:
        """Where the member's data begin in the archive."""
        header = stretch(self.archive, self.origin + self.info.header_offset, LOCAL_HEADER, self.described)
        magic, name, extra = header[:4], *struct.unpack("<HH", header[26:30])
        if magic != b"PK\x03\x04":
            raise VanishgradError(
                f"expected a zip member at the start of {self.described}, got other bytes; "
                "the file is damaged, try copying it again"
            )
        return int(self.origin + self.info.header_offset + LOCAL_HEADER + name + extra)

    @property
    def described(self) -> str:
        """The member as messages name it."""
        return f"{shown(self.info.filename)} in {self.archive}"

    def read(self, start: int = 0, count: int | None = None) -> bytes:
        """Return `count` bytes from `start` on; of a stored member nothing else is read.

        Raises
        ------
        VanishgradError
            If the member is shorter, damaged, encrypted, or expands beyond all proportion.
        """
        count = self.size - start if count is None else count
        if start + count > self.size:
            raise cut_short(self.archive, shown(self.info.filename))
        self.require_readable()
        if self.is_stored:
            return stretch(self.archive, self.start + start, count, self.described)
        with opened_zip(self.archive, self.origin, self.extent) as archive, archive.open(self.info) as member:
            data = _skipped_to(member, start).read(count)
        if len(data) != count:
            raise cut_short(self.archive, shown(self.info.filename))
        return data

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the member as a file that can be sought in; a stored one is not read before it is asked for."""
        self.require_readable()
        if not self.is_stored:
            yield io.BytesIO(self.read())
            return
        with open(self.archive, "rb") as file:
            yield io.BufferedReader(_Window(file, self.start, self.size))

    def require_readable(self) -> None:
        """Refuse an encrypted member, one that lies about its size and one that is a bomb."""
        if self.info.flag_bits & 1:
            raise VanishgradError(
                f"expected plain members, got {self.described} encrypted; try saving it without a password"
            )
        if self.is_stored and self.info.compress_size != self.size:
            raise VanishgradError(
                f"expected {self.size} stored bytes for {self.described}, got {self.info.compress_size}; "
                "the file is damaged, try copying it again"
            )
        require_plausible_expansion(self.archive, self.info.filename, self.info.compress_size, self.size)


class _Window(io.RawIOBase):
    """A stretch of a file as a file of its own."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size, self._place = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._place = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence])
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        count = max(0, min(len(buffer), self._size - self._place))
        self._file.seek(self._start + self._place)
        data = self._file.read(count)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def _skipped_to(member: IO[bytes], start: int) -> IO[bytes]:
    while start > 0 and (skipped := len(member.read(min(start, 1 << 20)))):
        start -= skipped
    return member


def _archive(file: IO[bytes], origin: int, extent: int | None) -> IO[bytes]:
    return file if extent is None else io.BufferedReader(_Window(file, origin, extent))


@contextmanager
def opened_zip(path: str, origin: int = 0, extent: int | None = None) -> Iterator[zipfile.ZipFile]:
    """Open an archive, a file or a stretch of one."""
    with _failures_said(path), open(path, "rb") as file, zipfile.ZipFile(_archive(file, origin, extent)) as archive:
        yield archive


@contextmanager
def zip_of(file: IO[bytes], described: str) -> Iterator[zipfile.ZipFile]:
    """Open an archive that is open as a file already."""
    with _failures_said(described), zipfile.ZipFile(file) as archive:
        yield archive


@contextmanager
def _failures_said(path: str) -> Iterator[None]:
    """Make one sentence of what zipfile and its decompressors raise."""
    try:
        yield
    except VanishgradError:
        raise
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        ValueError,
        EOFError,
        OSError,
        struct.error,
    ) as error:
        raise _damaged(path, error) from None
    except Exception as error:
        if type(error).__module__ in ("zlib", "_lzma", "lzma", "_bz2"):
            raise _damaged(path, error) from None
        raise


def _damaged(path: str, error: Exception) -> VanishgradError:
    reason = shown(str(error) or type(error).__name__)
    return VanishgradError(
        f"expected a whole zip archive, got {path}, which fails with: {reason}; try copying the file again"
    )


def members(path: str, origin: int = 0, extent: int | None = None) -> dict[str, Member]:
    """Return the members of an archive by name, folders left out; it may be a stretch of a file.

    Raises
    ------
    VanishgradError
        If the archive is damaged, or two members share a name or their bytes.
    """
    with opened_zip(path, origin, extent) as archive:
        infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    _require_apart(path, infos)
    return {info.filename: Member(path, info, origin, extent) for info in infos}


def _require_apart(path: str, infos: list[zipfile.ZipInfo]) -> None:
    names = {info.filename for info in infos}
    if len(names) != len(infos):
        raise VanishgradError(f"expected each member of {path} once, got one name twice; try saving the file again")
    end = 0
    for info in sorted(infos, key=lambda each: each.header_offset):
        if info.header_offset < end:
            raise VanishgradError(
                f"expected members of {path} side by side, got {shown(info.filename)} inside another; "
                "the file is damaged or a zip bomb, try another copy"
            )
        end = info.header_offset + LOCAL_HEADER + info.compress_size
