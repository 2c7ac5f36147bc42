"""FlatBuffers: tables whose fields lie where a table of offsets says, read in place and within bounds.

A file may let many vectors share one stretch, so that little of it stands for very much: what is read of one file, in
tables and numbers, is bounded by its size.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

TABLES_OFFSET = struct.Struct("<i")
OFFSET = struct.Struct("<I")
FIELD = struct.Struct("<H")


@dataclass(eq=False)
class Content:
    """The bytes of a file, and how many more tables and numbers may be read of them."""

    data: memoryview
    left: int

    def spend(self, count: int) -> None:
        """Count what is read; ValueError once it is more than the file has bytes."""
        self.left -= count
        if self.left < 0:
            raise ValueError("tables that stand for more than the file holds")

    def number(self, form: struct.Struct, place: int) -> int:
        """Return the number at a place."""
        if place < 0:
            raise ValueError("an offset before the file's beginning")
        value: int = form.unpack_from(self.data, place)[0]
        return value


def root(data: memoryview) -> FlatTable:
    """Return the table that a file begins with.

    Raises
    ------
    ValueError, struct.error
        If an offset leads out of the file; so do all methods of a table.
    """
    content = Content(data, len(data))
    return FlatTable(content, content.number(OFFSET, 0))


class FlatTable:
    """A table of a file; a field that it lacks has its default."""

    def __init__(self, content: Content, place: int) -> None:
        content.spend(1)
        self._content, self._place = content, place
        self._fields = place - content.number(TABLES_OFFSET, place)
        self._size = content.number(FIELD, self._fields)

    def _field(self, index: int) -> int | None:
        entry = 4 + 2 * index
        if entry + 2 > self._size:
            return None
        offset = self._content.number(FIELD, self._fields + entry)
        return self._place + offset if offset else None

    def number(self, index: int, form: str, default: float = 0) -> float:
        """Return a number; `form` is struct's letter."""
        place = self._field(index)
        return default if place is None else self._content.number(struct.Struct("<" + form), place)

    def integer(self, index: int, form: str = "i", default: int = 0) -> int:
        """Return an integer; `form` is struct's letter."""
        return int(self.number(index, form, default))

    def table(self, index: int) -> FlatTable | None:
        """Return a table, None if there is none."""
        place = self._field(index)
        return None if place is None else FlatTable(self._content, self._behind(place))

    def tables(self, index: int) -> list[FlatTable]:
        """Return the tables of a vector."""
        start, count = self._vector(index, 4)
        self._content.spend(count)
        return [FlatTable(self._content, self._behind(place)) for place in range(start, start + 4 * count, 4)]

    def integers(self, index: int) -> Sequence[int]:
        """Return a vector of 32-bit integers."""
        start, count = self._vector(index, 4)
        self._content.spend(count)
        return struct.unpack_from(f"<{count}i", self._content.data, start)

    def bytes(self, index: int) -> memoryview | None:
        """Return a vector of bytes, or a string's; not copied. None if there is none."""
        start, count = self._vector(index, 1)
        return self._content.data[start : start + count] if start else None

    def _behind(self, place: int) -> int:
        return place + self._content.number(OFFSET, place)

    def _vector(self, index: int, width: int) -> tuple[int, int]:
        """Return where the elements of a vector begin, 0 if there is none, and how many they are."""
        place = self._field(index)
        if place is None:
            return 0, 0
        start = self._behind(place)
        count = self._content.number(OFFSET, start)
        if count * width > len(self._content.data) - start - 4:
            raise ValueError("a vector that is longer than the file")
        return start + 4, count
