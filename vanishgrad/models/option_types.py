"""Type checks of options that come from Python, where nothing has parsed them."""

from __future__ import annotations

import os
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from typing import Any, Union, get_args, get_origin, get_type_hints

from vanishgrad.errors import UsageError
from vanishgrad.inputs.held_array import named_source, named_tokens

ARRAYS = ("input", "initial", "lengths", "mask", "cotangent", "repeat")
"""The options that take an array in the place of a file."""
BETWEEN_COMMAS = ("stack",)
"""The options that take several names in one text."""
NUMBERS: dict[Any, type] = {int: Integral, float: Real}
NAMES = {int: "a whole number", float: "a number", str: "a string", bool: "True or False", type(None): "None"}


def settle(options: Any) -> None:
    """Hold one name or number as a tuple where several may be, a path as text, and an array in the place of a file.

    Raises
    ------
    UsageError
        For an array that cannot be.
    """
    hints = _hints(options.__class__)
    for option in fields(options):
        value, hint = getattr(options, option.name), hints[option.name]
        if value is None:
            value = option.default if option.default == () else None
        elif tuple in (get_origin(hint), *map(get_origin, get_args(hint))):
            value = _several(option.name, value)
        elif option.name in ARRAYS:
            value = named_source(value, option.name)
        elif option.name == "tokens":
            value = named_tokens(value)
        elif isinstance(value, os.PathLike) and _fits("", hint):
            value = os.fspath(value)
        object.__setattr__(options, option.name, value)


@cache
def _hints(request: type) -> dict[str, Any]:
    return get_type_hints(request)


def _several(name: str, value: Any) -> tuple[Any, ...]:
    """Return one value or several as a tuple; a mapping of arrays is one."""
    if isinstance(value, str) and name in BETWEEN_COMMAS:
        return tuple(value.split(","))
    if isinstance(value, str | os.PathLike | Mapping) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


def demand_types(options: Any) -> None:
    """Refuse a field of a dataclass that is no number, string, flag, or sequence of them as its annotation says.

    NumPy's numbers become Python's, which JSON knows.

    Raises
    ------
    UsageError
        Which names the option, what it is and what it should be.
    """
    hints = _hints(options.__class__)
    for option in fields(options):
        value, hint = getattr(options, option.name), hints[option.name]
        if not _fits(value, hint):
            raise UsageError(f"expected {_words(hint)} for {option.name}, got {value!r}")
        if not isinstance(value, bool | str) and isinstance(value, Real):
            object.__setattr__(options, option.name, int(value) if isinstance(value, Integral) else float(value))


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        listed = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        return listed and all(_fits(each, get_args(hint)[0]) for each in value)  # type: ignore[attr-defined]
    if hint in NUMBERS:
        return isinstance(value, NUMBERS[hint]) and not isinstance(value, bool)
    return hint not in NAMES or isinstance(value, hint)


def _words(hint: Any) -> str:
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_words(each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        return f"a tuple, each {_words(get_args(hint)[0])}"
    return NAMES.get(hint, str(hint))
