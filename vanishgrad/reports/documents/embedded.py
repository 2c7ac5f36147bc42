"""A JSON report inside a page: packed for HTML, and found there again."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

LONGEST_JSON = 2**26
"""Bytes of JSON that a page holds at most: a browser takes long over more."""
DIGITS = 5
"""Significant digits of the numbers in lists: logarithms to 10⁻³, in a quarter of the bytes of all digits."""
DOCTYPE = "<!doctype html"
OPENING = '<script type="application/zlib;base64" id="report">'
_PACKED = re.compile(re.escape(OPENING) + r"([A-Za-z0-9+/=\s]*)</script>")


def packed(document: dict[str, Any]) -> str:
    """Return a report as characters that HTML leaves alone, JSON by zlib as base64; nothing where it is too long."""
    text = json.dumps(_rounded(document), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    content = text.encode(errors="backslashreplace")
    return base64.b64encode(zlib.compress(content, 9)).decode() if len(content) <= LONGEST_JSON else ""


def listed(value: float) -> float:
    """Return a number as a page's lists hold it."""
    return float(f"{value:.{DIGITS}g}")


def _rounded(value: Any, is_listed: bool = False) -> Any:
    if isinstance(value, float) and is_listed:
        return listed(value)
    if isinstance(value, list | tuple):
        return [_rounded(each, True) for each in value]
    return {name: _rounded(each) for name, each in value.items()} if isinstance(value, dict) else value


def is_page(text: str) -> bool:
    """Whether a text begins as a page does."""
    return text.lstrip()[: len(DOCTYPE)].lower() == DOCTYPE


def report_in_page(page: str) -> str:
    """Return the JSON text inside a page.

    Raises
    ------
    ValueError
        If there is none, or a damaged one.
    """
    match = _PACKED.search(page)
    if match is None:
        raise ValueError("no report")
    try:
        unpacked = zlib.decompressobj()
        text = unpacked.decompress(base64.b64decode(match[1]), LONGEST_JSON)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not unpacked.eof:
        raise ValueError("a report that is cut off, or too long")
    return text.decode()
