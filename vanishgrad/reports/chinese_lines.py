"""Line breaks of Chinese (kinsoku): no line ends with an opening bracket, and none begins with a closing one or a stop.

Rich breaks at blanks alone, of which Chinese has none, and anywhere in what is longer than a line.
"""

from __future__ import annotations

import re

OPENING, CLOSING = "（“《", "，。；：、！？）”》"
BOLD_FROM, BOLD_TO, ITALIC_FROM, ITALIC_TO = "\ue000\ue001\ue002\ue003"
"""What stands for ** and *, which do not tell where they begin and end."""
_FROM, _TO = BOLD_FROM + ITALIC_FROM, BOLD_TO + ITALIC_TO
_WIDE = "\u2e80-\uffef"
_PIECE = re.compile(
    rf"\s+|[{OPENING}{_FROM}]*(?:[^\s{OPENING}{CLOSING}{_WIDE}]+|[^\s{OPENING}{_FROM}{_TO}])[{CLOSING}{_TO}]*"
)
_ITEM = re.compile(r"\d+\. ")
_BLANK_OF_HOSTS = re.compile(rf"(?<=[{CLOSING}]) +| +(?=[{OPENING}])")


def broken(markdown: str, width: int, number_width: int = 4) -> str:
    """Return Markdown whose paragraphs and numbered items have hard line breaks at so many columns.

    Parameters
    ----------
    markdown : str
        Each paragraph is one line; quotations are left as they are.
    width : int
    number_width : int
        Columns that the number of an item takes.
    """
    return "\n".join(
        line if line.startswith(">") else _broken_line(line, width, number_width) for line in markdown.splitlines()
    )


def _broken_line(line: str, width: int, number_width: int) -> str:
    item = _ITEM.match(line)
    number = item[0] if item else ""
    lines = chinese_lines(line.removeprefix(number), width - number_width * bool(number))
    return number + ("\\\n" + " " * len(number)).join(lines)


def chinese_lines(text: str, width: int) -> list[str]:
    """Return a paragraph of Markdown in lines of at most so many columns."""
    from rich.cells import cell_len

    text = re.sub(r"\*\*(.+?)\*\*", rf"{BOLD_FROM}\1{BOLD_TO}", _BLANK_OF_HOSTS.sub("", text))
    text = re.sub(r"\*(.+?)\*", rf"{ITALIC_FROM}\1{ITALIC_TO}", text)
    lines, columns = [""], 0
    for piece in _PIECE.findall(text):
        needed = cell_len(re.sub(f"[{_FROM}{_TO}]", "", piece))
        if columns + needed > width and columns:
            lines, columns = [*lines[:-1], lines[-1].rstrip(), ""], 0
        if columns or not piece.isspace():
            lines[-1] += piece
            columns += needed
    return [re.sub(f"[{BOLD_FROM}{BOLD_TO}]", "**", re.sub(f"[{ITALIC_FROM}{ITALIC_TO}]", "*", each)) for each in lines]
