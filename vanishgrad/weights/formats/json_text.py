"""JSON that a file of weights holds or names: an object, or one sentence that says what is damaged."""

from __future__ import annotations

import json
from typing import Any

from vanishgrad.errors import VanishgradError


def json_object(text: bytes, where: str, remedy: str = "try saving it again") -> dict[str, Any]:
    """Return the object that JSON text holds.

    Raises
    ------
    VanishgradError
        If it is no JSON, nests too deep, or holds anything but an object.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise VanishgradError(f"expected JSON in {where}, got something else; {remedy}")
    return content


def json_file(path: str) -> dict[str, Any]:
    """Return the object in a JSON file, which is read whole.

    Raises
    ------
    VanishgradError
        If the file cannot be read, or holds no object.
    """
    try:
        with open(path, "rb") as file:
            return json_object(file.read(), path, "try copying it again")
    except OSError as error:
        raise VanishgradError(f"expected to read {path}, got {error.strerror or error}; try another path") from None
