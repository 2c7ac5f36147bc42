"""Axes of a sweep: ``a..b/n`` evenly spaced, ``a..b/n/log`` geometrically, or values between commas."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import TypeAlias

import numpy as np

from vanishgrad.errors import UsageError
from vanishgrad.option_ranges import COUNTS
from vanishgrad.weights.model_string import all_keys, parse

Values: TypeAlias = tuple[float, ...]
RANGE = re.compile(r"(?P<first>.+?)\.\.(?P<last>.+?)/(?P<number>\d+)(?P<log>/log)?")
DIGITS = 12
"""Significant decimal digits of a value: 0.6, where even spacing in binary gives 0.6000000000000001."""
MAX_VALUES = 10**6
"""Of an axis; a report holds every point."""


def option_axis(name: str, value: object) -> Values:
    """Return the values of an option that counts something: a number, several, or an axis as typed; None has none.

    Raises
    ------
    UsageError
        For values outside the option's range, not increasing, or no numbers.
    """
    if value is None:
        return ()
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, str):
        return axis(value, whole=True, where=flag)
    values = tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,)
    return axis(",".join(map(str, values)), whole=True, where=flag) if values else ()


def axis(text: str, whole: bool, where: str) -> Values:
    """Return the values of an axis as typed, increasing.

    Raises
    ------
    UsageError
        If there is none, or if it does not increase.
    """
    try:
        values = tuple(value for item in text.split(",") for value in _values(item, whole))
    except (ValueError, OverflowError):
        kind = "whole numbers" if whole else "finite numbers"
        raise UsageError(
            f"expected {kind} as a..b/n, a..b/n/log or a,b,c for {where}, got {text!r}; try {_example(where)}"
        ) from None
    if any(after <= before for before, after in pairwise(values)):
        raise UsageError(f"expected values that increase for {where}, got {text!r}; try {_example(where)}")
    return values


def _example(where: str) -> str:
    name = where.removeprefix("--").replace("-", "_")
    return f"{where} 64,256" if name in COUNTS else f"{where}=0.5..3/26"


def _values(item: str, whole: bool) -> Sequence[float]:
    bounds = RANGE.fullmatch(item)
    if not bounds:
        return [int(item) if whole else _finite(item)]
    first, last, number = _finite(bounds["first"]), _finite(bounds["last"]), int(bounds["number"])
    if not (first < last and 2 <= number <= MAX_VALUES) or (bounds["log"] and first <= 0):
        raise ValueError
    spaced = np.geomspace(first, last, number) if bounds["log"] else np.linspace(first, last, number)
    return [round(value) if whole else float(f"{value:.{DIGITS}g}") for value in spaced.tolist()]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def model_axes(model: str) -> tuple[str, dict[str, Values]]:
    """Return what stands before the axes of a MODEL, every other key included, and key → values of those with several.

    Raises
    ------
    UsageError
        For an axis of a key that takes no number; a key that does not apply is refused where a point is parsed.
    """
    head, _, tail = model.partition(":")
    constant, axes = list[str](), dict[str, Values]()
    for item in _items(tail):
        name, _, text = item.partition("=")
        if "," not in text and ".." not in text:
            constant.append(item)
            continue
        key = all_keys().get(name)
        if key is None or key.number is None or name in axes:
            numbers = ", ".join(each for each, row in all_keys().items() if row.number)
            raise UsageError(f"expected an axis once of {numbers}, got {item!r} in {model!r}; try several MODELs")
        axes[name] = axis(text, key.number is int, name)
    return head + (":" + ",".join(constant) if constant else ""), axes


def _items(tail: str) -> list[str]:
    """Return key=value items; what has no = goes on with the values of the key before."""
    items = list[str]()
    for piece in tail.split(",") if tail else ():
        if "=" in piece or not items:
            items.append(piece)
        else:
            items[-1] += f",{piece}"
    return items


def models_of(model: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield (MODEL, key → value) of every point of a MODEL's own axes, the last key running fastest.

    Raises
    ------
    UsageError
        As `model_axes` and `parse`.
    """
    head, axes = model_axes(model)
    for values in product(*axes.values()):
        keys = [f"{name}={number_text(value)}" for name, value in zip(axes, values, strict=True)]
        label = head + (":" if ":" not in head and keys else "," if keys else "") + ",".join(keys)
        parse(label)
        yield label, dict(zip(axes, values, strict=True))


def number_text(value: float) -> str:
    """Return a number as a MODEL has it."""
    return str(value).removesuffix(".0")
