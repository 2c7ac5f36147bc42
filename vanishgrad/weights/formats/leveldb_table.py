"""LevelDB's sorted table (SSTable), as far as an uncompressed one needs it: keys and values, in order.

A footer of 48 bytes tells where the index block lies, whose values tell where the data blocks lie. In a block each
entry is (bytes shared with the last key, bytes of the key that are new, bytes of the value), then key and value; the
block ends with the places at which nothing is shared, and their number.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vanishgrad.weights.formats.protobuf import varint

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5
"""A block's compression and checksum, behind it."""
LONGEST_KEY = 1 << 16
"""Bytes; a key is kept whole while it is read, and may grow by what is shared."""


def is_table(tail: bytes) -> bool:
    """Return whether a file's last eight bytes are those of a table."""
    return tail == MAGIC.to_bytes(8, "little")


def entries(table: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (key, value) of a table; no value is copied.

    Raises
    ------
    ValueError
        If it is damaged, cut short, or compressed.
    """
    if len(table) < FOOTER or not is_table(bytes(table[-8:])):
        raise ValueError("no footer of a table")
    footer = table[-FOOTER:]
    _, place = _handle(footer, 0)
    index, _ = _handle(footer, place)
    consumed = 0
    for _, handle in _block(table, index):
        where, _ = _handle(handle, 0)
        consumed += where[1]
        if consumed > len(table):
            raise ValueError("blocks that overlap")
        yield from _block(table, where)


def _handle(data: memoryview, place: int) -> tuple[tuple[int, int], int]:
    """Return a block's place and size, and what is behind the handle."""
    offset, place = varint(data, place)
    size, place = varint(data, place)
    return (offset, size), place


def _block(table: memoryview, handle: tuple[int, int]) -> Iterator[tuple[bytes, memoryview]]:
    offset, size = handle
    block = table[offset : offset + size]
    if len(block) != size or size < 4 or offset + size + TRAILER > len(table):
        raise ValueError("a block outside the table")
    if table[offset + size] != 0:
        raise ValueError("a compressed block")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = size - 4 - 4 * restarts
    if end < 0:
        raise ValueError("a block without entries")
    yield from _in_block(block[:end])


def _in_block(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    key, place = b"", 0
    while place < len(block):
        shared, place = varint(block, place)
        fresh, place = varint(block, place)
        size, place = varint(block, place)
        if shared > len(key) or shared + fresh > LONGEST_KEY or place + fresh + size > len(block):
            raise ValueError("an entry outside its block")
        key = key[:shared] + bytes(block[place : place + fresh])
        place += fresh + size
        yield key, block[place - size : place]
