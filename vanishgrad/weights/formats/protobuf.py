"""Protocol buffers on the wire: numbered fields, each a number or a stretch of bytes, none of them copied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Field: TypeAlias = tuple[int, "int | memoryview"]

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
WIDTHS = {FIXED_64: 8, FIXED_32: 4}


def fields(message: memoryview) -> Iterator[Field]:
    """Yield (field number, value): an integer, or the bytes of a string, a nested message or a fixed-width number.

    Raises
    ------
    ValueError
        If the message is cut short or is none.
    """
    place = 0
    while place < len(message):
        tag, place = varint(message, place)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, place = varint(message, place)
            yield number, value
            continue
        if kind == BYTES:
            size, place = varint(message, place)
        elif kind in WIDTHS:
            size = WIDTHS[kind]
        else:
            raise ValueError(f"wire type {kind}")
        if size > len(message) - place:
            raise ValueError("a field that is longer than its message")
        yield number, message[place : place + size]
        place += size


def delimited(number: int, content: bytes) -> bytes:
    """Return a field of a message that holds a stretch of bytes."""
    return _varint_bytes(number << 3 | BYTES) + _varint_bytes(len(content)) + content


def _varint_bytes(value: int) -> bytes:
    rest = bytearray()
    while value > 0x7F:
        rest.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*rest, value))


def varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return the base-128 number at a place, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("a number that is cut short")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, place
    raise ValueError("a number of more than ten bytes")


def varints(value: int | memoryview) -> Iterator[int]:
    """Yield the numbers of a repeated field, packed or one by one."""
    if isinstance(value, int):
        yield value
        return
    place = 0
    while place < len(value):
        number, place = varint(value, place)
        yield number


def signed(value: int) -> int:
    """Return a 64-bit number read as two's complement."""
    return value - (1 << 64) if value >= 1 << 63 else value


def text(value: int | memoryview) -> str:
    """Return a field's bytes as a string."""
    if isinstance(value, int):
        raise ValueError("a number for a string")
    return bytes(value).decode("utf-8", "replace")


def message(value: int | memoryview) -> memoryview:
    """Return a field's bytes as a nested message."""
    if isinstance(value, int):
        raise ValueError("a number for a message")
    return value
