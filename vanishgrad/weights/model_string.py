"""MODEL strings: CELL[@LAW][:key=value,...]."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from vanishgrad.cells import ACTIVATIONS
from vanishgrad.cells.cell_row import ANY_NUMBER, PUBLISHED, STANDARD_LAWS, CellRow
from vanishgrad.cells.registry import CELLS
from vanishgrad.errors import UsageError

LAWS = (*STANDARD_LAWS, PUBLISHED)
SCALED = ("gaussian", "orthogonal", "identity")


@dataclass(frozen=True)
class ModelSpec:
    """A cell with the law of its random weights.

    Attributes
    ----------
    label : str
        The argument as typed.
    cell, law : str
    keys : mapping
        Key → value; only what was typed until `resolved`, then every key that applies.
    """

    label: str
    cell: str
    law: str
    keys: Mapping[str, Any]

    def resolved(self, hidden: int, steps: int) -> ModelSpec:
        """Return the same model with every key that applies to it, defaults included."""
        row = CELLS[self.cell]
        defaults: dict[str, Any] = {"hidden": hidden, **row.numbers}
        if row.activation:
            defaults["activation"] = row.activation
        defaults |= {key: values[0] for key, values in row.variants.items()}
        if row.untied:
            defaults["untied"] = False
        if self.law in SCALED:
            defaults["gain"] = 1.0
        if self.law == "chrono":
            defaults["chrono_max"] = max(steps, 3)
        return ModelSpec(self.label, self.cell, self.law, MappingProxyType({**defaults, **self.keys}))

    def __str__(self) -> str:
        keys = ",".join(f"{key}={_text(value)}" for key, value in sorted(self.keys.items()))
        return f"{self.cell}@{self.law}" + (f":{keys}" if keys else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.label, self.cell, self.law, dict(self.keys))


def _restored(label: str, cell: str, law: str, keys: dict[str, Any]) -> ModelSpec:
    return ModelSpec(label, cell, law, MappingProxyType(keys))


def parse(label: str) -> ModelSpec:
    """Return the model that an argument names.

    Raises
    ------
    UsageError
        For an unknown cell, law or key, with the nearest known name; for a value that a key does not take; for a key
        that does not apply to the cell or law.
    """
    if names_own_cell(label):
        raise UsageError(
            f"expected a MODEL whose weights are drawn, got the cell of one's own {label!r}; "
            "try compare, analyze, explain or verify"
        )
    head, colon, tail = label.partition(":")
    cell, at, law = head.partition("@")
    known(cell, CELLS, "cell", label)
    law = known(law, LAWS, "law", label) if at else CELLS[cell].laws[0]
    keys: dict[str, Any] = {}
    for item in tail.split(",") if colon else []:
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"expected key=value after ':', got {item!r} in {label!r}; try {cell}:hidden=64")
        known(name, all_keys(), "key", label)
        if name in keys:
            raise UsageError(f"expected each key once, got {name} twice in {label!r}; try one of the two")
        _demand_applicable(name, cell, law, label)
        keys[name] = _value(name, value, cell, label)
    _demand_law(cell, law, keys, label)
    if law == "chrono" and "forget_bias" in keys:
        raise UsageError(f"expected forget_bias or the law chrono, got both in {label!r}; try {cell}:forget_bias=…")
    return ModelSpec(label, cell, law, MappingProxyType(keys))


def _demand_law(cell: str, law: str, keys: Mapping[str, Any], label: str) -> None:
    """Refuse a law that the cell, or the form that the keys choose, has not, and two forms at once."""
    forms = [key for key in CELLS[cell].forms if key in keys]
    if len(forms) > 1:
        raise UsageError(f"expected one of {' and '.join(forms)}, got both in {label!r}; try leaving one out")
    row = CELLS[cell].form(keys)
    if law == "chrono" and row.keep is None:
        hint = " or ".join(f"{each.name}@chrono" for each in CELLS.values() if each.keep and law in each.laws)
        raise UsageError(f"expected a gated cell for the law chrono, got {label!r}; try {hint}")
    if law not in row.laws:
        what = f"{cell}:{forms[0]}=…" if forms else cell
        raise UsageError(
            f"expected the law {' or '.join(row.laws)} for {what}, got {label!r}; try {cell}@{row.laws[0]}"
        )


def names_own_cell(argument: object) -> bool:
    """Whether an argument is ``@FILE.py:NAME``, or ``@NAME`` of an installed package: a cell of the user's own."""
    return isinstance(argument, str) and argument.startswith("@")


def names_file(argument: str) -> bool:
    """Whether an argument is a file of weights: ./NAME always, else what is like a path and no MODEL."""
    begins_as_model = re.split("[@:]", argument, maxsplit=1)[0] in CELLS
    looks_like_path = "." in argument or os.sep in argument or os.path.exists(argument)
    return argument.startswith(("./", "../", "/", "@")) or (not begins_as_model and looks_like_path)


def known(name: str, names: Iterable[str], what: str, where: str) -> str:
    """Return `name` if it is among `names`, else raise with the nearest one."""
    names = tuple(names)
    if name in names:
        return name
    import difflib

    nearest = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    hint = f"try {nearest[0]}" if nearest else f"try one of {', '.join(names)}"
    raise UsageError(f"expected a {what} that exists, got {name!r} in {where!r}; {hint}")


def _positive_int(low: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if value < low:
            raise ValueError
        return value

    return read


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError
        return text

    return read


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


class Key(NamedTuple):
    """What a key takes, and the cells and laws that it applies to."""

    read: Callable[[str], Any]
    takes: str
    applies: Callable[[CellRow], bool] = lambda row: True
    laws: tuple[str, ...] = LAWS
    number: type[int] | type[float] | None = None
    """Whether a whole number, a real one, or none at all."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that it applies to."""
        return tuple(row.name for row in CELLS.values() if self.applies(row))


KEYS = {
    "activation": Key(
        _one_of(*ACTIVATIONS), "one of " + ", ".join(ACTIVATIONS), applies=lambda row: row.activation is not None
    ),
    "gain": Key(_finite, "a finite number", laws=SCALED, number=float),
    "forget_bias": Key(_finite, "a finite number", applies=lambda row: row.keep is not None, number=float),
    "chrono_max": Key(_positive_int(3), "a whole number from 3 on", laws=("chrono",), number=int),
    "hidden": Key(_positive_int(1), "a whole number from 1 on", number=int),
    "untied": Key(_truth, "true or false", applies=lambda row: row.untied),
}


def all_keys() -> Mapping[str, Key]:
    """Return every key: those of all cells, numbers of some, and those by which some choose a variant or a form."""
    return _all_keys(tuple(CELLS))


@lru_cache(maxsize=4)
def _all_keys(cells: tuple[str, ...]) -> Mapping[str, Key]:
    rows = [CELLS[name] for name in cells]
    numbers = {name: _number_key(name) for row in rows for name in row.numbers}
    return KEYS | numbers | {name: _variant_key(name) for row in rows for name in (*row.variants, *row.forms)}


def _number_key(name: str) -> Key:
    if any(isinstance(row.numbers.get(name), int) for row in CELLS.values()):
        return Key(_positive_int(1), "a whole number from 1 on", applies=lambda row: name in row.numbers, number=int)
    return Key(_finite, "a finite number", applies=lambda row: name in row.numbers, number=float)


def _variant_key(name: str, cell: str | None = None) -> Key:
    """Return a key that chooses a variant or another form; of a cell, or of any."""
    choices = {row.name: {**row.variants, **row.forms} for row in CELLS.values()}
    fitting = [keys[name] for row, keys in choices.items() if name in keys and cell in (None, row)]
    values = tuple(dict.fromkeys(value for allowed in fitting for value in allowed))
    if ANY_NUMBER in values:
        return Key(_positive_int(1), "a whole number from 1 on", applies=lambda row: name in row.forms, number=int)
    return Key(_one_of(*values), " or ".join(values), applies=lambda row: name in choices[row.name])


def _demand_applicable(name: str, cell: str, law: str, label: str) -> None:
    key = all_keys()[name]
    if cell not in key.cells:
        raise UsageError(f"expected {name} on {' or '.join(key.cells)}, got {label!r}; try leaving it out")
    if law not in key.laws:
        raise UsageError(
            f"expected {name} with the law {' or '.join(key.laws)}, got the law {law} in {label!r}; "
            f"try {cell}@{key.laws[0]}:{name}=…"
        )


def _value(name: str, text: str, cell: str, label: str) -> Any:
    key = KEYS.get(name) or (_number_key(name) if name in CELLS[cell].numbers else _variant_key(name, cell))
    try:
        return key.read(text)
    except (ValueError, KeyError, OverflowError):
        raise UsageError(f"expected {key.takes} for {name}, got {text!r} in {label!r}") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")
