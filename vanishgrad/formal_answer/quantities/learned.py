"""What random networks learned, recorded: the numbers and tables of the section on learning.

`tests/formal_answer/learning_study.py` trains them and writes the file, in some minutes of a processor; all else in the
answer is computed when it is made.
"""

from __future__ import annotations

import json
import math
import statistics
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


UPDATE_GAPS = (10, 20, 40)


def updates(label: str) -> dict[str, float]:
    """Return the median updates, where most seeds learned, that a MODEL of the study took for gaps of `recall`."""
    gaps = {
        gap: sorted(math.inf if each is None else float(each) for each in of_gap)
        for row in recorded()["rows"]
        if row["question"] == "claim" and row["task"] == "recall" and row["model"] == label
        for gap, of_gap in zip(row["gaps"], row["updates"], strict=True)
    }
    return {f"updates_{gap}": statistics.median(gaps[gap]) for gap in UPDATE_GAPS if gap in gaps}
