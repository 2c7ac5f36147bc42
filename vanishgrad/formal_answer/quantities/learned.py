"""What random networks learned, recorded: the numbers and tables of the section on learning.

`tests/formal_answer/learning_study.py` trains them and writes the file, in some minutes of a processor; all else in the
answer is computed when it is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def recorded() -> Mapping[str, Any]:
    """Return the file: settings, rows as they were trained, and the numbers and tables made of them."""
    source = files("vanishgrad.formal_answer") / "data" / "learning.json"
    study: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return study


def learning_numbers() -> Mapping[str, float]:
    """Return the numbers that the prose names."""
    numbers: dict[str, float] = recorded()["numbers"]
    return numbers


def learning_rows() -> Mapping[str, Mapping[str, Any]]:
    """Return table → its columns and rows."""
    tables: dict[str, dict[str, Any]] = recorded()["tables"]
    return tables
