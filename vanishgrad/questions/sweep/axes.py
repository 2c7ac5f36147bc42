"""Axes of a sweep: ``a..b/n`` evenly spaced, ``a..b/n/log`` geometrically, or values between commas; words, files."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from glob import glob, has_magic
from itertools import pairwise, product
from typing import Any, TypeAlias

import numpy as np

from vanishgrad.errors import UsageError
from vanishgrad.inputs.sequences import white_std
from vanishgrad.option_ranges import COUNTS
from vanishgrad.weights.model_string import all_keys, names_file, parse

Value: TypeAlias = float | str
Values: TypeAlias = tuple[Any, ...]
RANGE = re.compile(r"(?P<first>.+?)\.\.(?P<last>.+?)/(?P<number>\d+)(?P<log>/log)?")
DIGITS = 12
"""Significant decimal digits of a value: 0.6, where even spacing in binary gives 0.6000000000000001."""
MAX_VALUES = 10**6
"""Of an axis; a report holds every point."""
NOISE = "noise"
"""The axis of --input where all of it is generated: its standard deviation, 0 for zeros."""
GENERATED = {"input": ("white", "zeros"), "initial": ("normal", "zeros")}
"""Options that name what is drawn, with a standard deviation, or nothing."""


def option_axis(name: str, value: object) -> Values:
    """Return the values of an option: one, several, or an axis as typed; None has none.

    Raises
    ------
    UsageError
        For values outside the option's range, not increasing, or no numbers; for a word that stands twice.
    """
    if value is None:
        return ()
    flag = f"--{name.replace('_', '-')}"
    several = tuple(value) if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else (value,)
    if not several:
        return ()
    text = ",".join(map(str, several))
    if name in COUNTS or name == "threshold":
        return axis(text, whole=name in COUNTS, where=flag)
    return _drawn(name, text, flag) if name in GENERATED else words(text, flag)


def words(text: str, where: str) -> tuple[str, ...]:
    """Return the values of an axis that are no numbers, in the order in which they stand.

    Raises
    ------
    UsageError
        For one that is empty, or stands twice.
    """
    values = tuple(text.split(","))
    if not all(values) or len(set(values)) < len(values):
        raise UsageError(f"expected different values between commas for {where}, got {text!r}; try leaving one out")
    return values


def _drawn(name: str, text: str, flag: str) -> tuple[str, ...]:
    """Return the values of --input or --initial: ``white:0.1..2/20``, ``zeros,white:0.5``, or files."""
    kind = GENERATED[name][0]
    if text.startswith("text:"):
        return (text,)
    values = list[str]()
    for item in text.split(","):
        spread = item.startswith(f"{kind}:") and ".." in item
        stds = axis(item.removeprefix(f"{kind}:"), False, f"{flag} {kind}:") if spread else ()
        values += [f"{kind}:{number_text(std)}" for std in stds] if spread else [item]
    if all(each.partition(":")[0] in GENERATED[name] for each in values):
        stds = tuple(map(generated_std, values))
        if any(after <= before for before, after in pairwise(stds)):
            raise UsageError(f"expected values that increase for {flag}, got {text!r}; try {flag} {kind}:0.1..1/10")
        return tuple(values)
    return words(",".join(values), flag)


def generated_std(source: str) -> float:
    """Return the standard deviation of what is generated: 0 for zeros.

    Raises
    ------
    UsageError
        For zeros with a value, and for what is no number.
    """
    if source.startswith("zeros:"):
        raise UsageError(f"expected zeros without a value, got {source!r}; try zeros")
    return 0.0 if source == "zeros" else white_std(source)


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
    if name in COUNTS:
        return f"{where} 64,256"
    if name == "threshold":
        return f"{where} 1e-6..1e-2/5/log"
    return f"{where}0.1..2/20" if where.endswith(":") else f"{where}=0.5..3/26"


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
        For an axis of a key that is none; a key that does not apply is refused where a point is parsed.
    """
    head, _, tail = model.partition(":")
    constant, axes = list[str](), dict[str, Values]()
    for item in _items(tail):
        name, _, text = item.partition("=")
        if "," not in text and ".." not in text:
            constant.append(item)
            continue
        key = all_keys().get(name)
        if key is None or name in axes:
            raise UsageError(
                f"expected an axis once of {', '.join(all_keys())}, got {item!r} in {model!r}; try another"
            )
        axes[name] = axis(text, key.number is int, name) if key.number else words(text, name)
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


def models_of(model: str) -> Iterator[tuple[str, dict[str, Value]]]:
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


def number_text(value: Value) -> str:
    """Return a number, or a word, as a MODEL has it."""
    return value if isinstance(value, str) else str(value).removesuffix(".0")


def value_text(value: Value) -> str:
    """Return a value of an axis as people read it."""
    return value if isinstance(value, str) else f"{value:g}"


def files_of(model: str) -> list[str] | None:
    """Return the files that a MODEL means, ck2.pt before ck10.pt; None for a MODEL whose weights are drawn.

    Raises
    ------
    UsageError
        For a pattern that no file matches.
    """
    is_pattern = has_magic(model) and not os.path.exists(model)
    if not (names_file(model) or (is_pattern and "=" not in model)) or model.startswith("@"):
        return None
    paths = glob(model, recursive=True) if is_pattern else [model]
    if not paths:
        raise UsageError(f"expected files of weights that match {model!r}, got none; try ls {model}")
    return sorted(paths, key=lambda path: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)])


def axes_among(coordinates: Sequence[Mapping[str, Value]]) -> dict[str, list[Value]]:
    """Return axis → its values: numbers increasing, words in the order in which they come."""
    names = dict.fromkeys(name for each in coordinates for name in each)
    values = {name: list(dict.fromkeys(each[name] for each in coordinates if name in each)) for name in names}
    return {name: own if any(isinstance(value, str) for value in own) else sorted(own) for name, own in values.items()}
