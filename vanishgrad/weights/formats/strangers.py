"""Files that are no weights this tool can read, called by their names, with what to try instead."""

from __future__ import annotations

import re

BEGINNINGS = (
    (rb"version https://git-lfs", "a Git LFS pointer", "git lfs pull"),
    (rb"<\?xml", "an XML document", "the file of weights that it describes"),
    (rb"<", "an HTML page", "downloading the file itself"),
    (rb"\{", "JSON without a map of weights", "the file of weights that it describes"),
    (rb"\x1f\x8b", "a gzip file", "unpacking it first"),
    (rb"BZh", "a bzip2 file", "unpacking it first"),
    (rb"7z\xbc\xaf", "a 7-Zip file", "unpacking it first"),
    (rb"GGUF", "a GGUF file", "the checkpoint that it was made from"),
    (rb"(?s).{4}ET12", "an ExecuTorch program", "the checkpoint that it was exported from"),
    (rb"7767517\s", "an ncnn model", "the file that it was converted from"),
    (rb"(?s)\x08.\x12..?\n", "a Core ML model", "exporting the model that it was made from to ONNX"),
)
"""What a file may begin with → what it is then, and what to try."""


def stranger(head: bytes, members: int, known: str) -> tuple[str, str]:
    """Return what a file is by its first bytes, and what to try.

    Parameters
    ----------
    head : bytes
        The file's beginning; white space and a byte order mark before text are passed over.
    members : int
        How many members a zip archive has.
    known : str
        What to try where nothing better is known.
    """
    if head.startswith(b"PK"):
        return f"a zip archive of {members} members, none of them weights", known
    text = head.lstrip(b" \r\n\t\xef\xbb\xbf")
    for beginning, kind, remedy in BEGINNINGS:
        if re.match(beginning, text):
            return kind, remedy
    return "bytes of no known format", known
