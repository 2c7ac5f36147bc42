"""What pictures read of a JSON report, each field by its path, so that a broken report is named and not met."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.reports.documents.document import FORMAT_VERSION

T = TypeVar("T")
LARGEST = 1e12
"""Beyond any logarithm of a norm."""


class Field:
    """A value of a report and the path that leads to it."""

    def __init__(self, value: Any, path: str = "") -> None:
        self._value, self._path = value, path

    def __getitem__(self, name: str) -> Field:
        members, path = self._as(dict, "an object"), f"{self._path}.{name}".lstrip(".")
        if name not in members:
            raise _broken(f"{path} in the report, got none")
        return Field(members[name], path)

    def members(self) -> dict[str, Field]:
        """Return an object's members."""
        return {name: self[name] for name in self._as(dict, "an object")}

    def items(self) -> list[Field]:
        """Return a list's items."""
        return [Field(item, f"{self._path}[{i}]") for i, item in enumerate(self._as(list, "a list"))]

    def some(self) -> list[Field]:
        """Return the items of a list that has at least one."""
        return self.items() or self._refuse("at least one item")

    def columns(self, *names: str) -> list[Array]:
        """Return members that are lists of numbers, of one length from 1 on."""
        found = [self[name].numbers() for name in names]
        one_length = len({each.size for each in found}) == 1 and found[0].size
        return found if one_length else self._refuse(f"{', '.join(names)} of one length from 1 on")

    def absent(self) -> bool:
        """Return whether the value is null."""
        return self._value is None

    def text(self) -> str:
        """Return a string."""
        return self._as(str, "a string")

    def whole(self) -> int:
        """Return a whole number that counts something."""
        value = self._as(int, "a whole number")
        return value if value > 0 else self._refuse("a number from 1 on")

    def truth(self) -> bool | None:
        """Return true, false or null."""
        return None if self.absent() else self._as(bool, "true, false or null")

    def number(self) -> float:
        """Return a finite number."""
        value = self.numbers([self._value])[0]
        return self._refuse("a number") if math.isnan(value) else float(value)

    def numbers(self, values: list[Any] | None = None) -> Array:
        """Return a list of finite numbers as an array, NaN for null."""
        values = self._as(list, "a list of numbers") if values is None else values
        if not all(value is None or type(value) in (int, float) for value in values):
            self._refuse("numbers or null")
        try:
            array = np.array([math.nan if value is None else value for value in values], dtype=float)
        except OverflowError:
            return self._refuse("numbers within the range of a float64")
        usable = sum(value is not None for value in values) == (np.abs(array) < LARGEST).sum()
        return array if usable else self._refuse(f"numbers below {LARGEST:g} or null")

    def _as(self, kind: type[T], what: str) -> T:
        if not isinstance(self._value, kind) or (isinstance(self._value, bool) and kind is not bool):
            self._refuse(what)
        value: T = self._value
        return value

    def _refuse(self, what: str) -> Any:
        got = repr(self._value)
        raise _broken(f"{what} as {self._path or 'the report'}, got {got if len(got) < 40 else got[:36] + ' ...'}")


def _broken(expected: str) -> VanishgradError:
    return VanishgradError(f"expected {expected}; try to make the report anew with --json")


@dataclass(frozen=True, eq=False)
class Curve:
    """Base-10 logarithms by lag over trials, each (L,), NaN for exactly zero."""

    median: Array
    low: Array
    high: Array
    threshold: float

    @property
    def zero_from(self) -> int | None:
        """The lag from which on the median is exactly zero, or None."""
        alive = np.flatnonzero(~np.isnan(self.median))
        first = int(alive[-1]) + 1 if alive.size else 0
        return first if first < self.median.size else None


@dataclass(frozen=True, eq=False)
class Bound:
    """A bound's base-10 logarithms by lag, of which curve, and whether it proves vanishing."""

    name: str
    curve: str
    log10_norm: Array
    holds: bool | None


@dataclass(frozen=True, eq=False)
class Model:
    """What pictures show of one model."""

    label: str
    hidden_size: int
    steps: int
    trials: int
    curves: Mapping[str, Curve]
    bounds: tuple[Bound, ...]
    shares: Array
    gates: Mapping[str, Array]
    """Of each gate the quantiles 0.05, 0.25, 0.5, 0.75 and 0.95."""
    finals: Array
    """Each trial's base-10 logarithm of the `state` norm at its last lag, NaN for exactly zero."""
    sections: Mapping[str, Field]
    """What else the report has of it, by name: each kind of picture reads its own."""

    @property
    def words(self) -> str:
        """What pictures write of it in characters that are the user's own."""
        tokens = self.sections["map"]["tokens"] if "map" in self.sections else None
        return self.label + "".join(each.text() for each in (tokens.items() if tokens and not tokens.absent() else ()))


@dataclass(frozen=True, eq=False)
class Report:
    """What pictures show of a report."""

    input: str
    band: str
    models: tuple[Model, ...]

    @property
    def trials(self) -> int:
        """The largest number of trials of any model."""
        return max(model.trials for model in self.models)


def read(document: Mapping[str, Any]) -> Report:
    """Return what pictures need of a document.

    Raises
    ------
    VanishgradError
        If the document is no report of this format version, or a field is missing or of another kind.
    """
    report = Field(document)
    if not report["format"].text().startswith("vanishgrad-"):
        raise _broken(f"a report of vanishgrad, got the format {report['format'].text()!r}")
    if report["format_version"].whole() != FORMAT_VERSION:
        raise _broken(f"format_version {FORMAT_VERSION}, got {report['format_version'].whole()}")
    models = tuple(_model(each) for each in report["models"].items())
    if not models:
        raise _broken("at least one model in the report, got none")
    return Report(report["request"]["input"].text(), report["request"]["band"].text(), models)


def _model(model: Field) -> Model:
    return Model(
        label=model["label"].text(),
        hidden_size=model["hidden_size"].whole(),
        steps=model["steps"].whole(),
        trials=model["trials"].whole(),
        curves={name: _curve(curve) for name, curve in model["curves"].members().items() if _begins(curve)},
        bounds=tuple(_bound(bound) for bound in model["bounds"].items() if not bound["log10_norm"].absent()),
        shares=np.nan_to_num(model["share_by_lag"].numbers()),
        gates={name: _quantiles(gate["quantiles"]) for name, gate in model["gates"].members().items()},
        finals=np.array([_logarithm(trial["log10_norm"]) for trial in model["per_trial"].items()]),
        sections={name: each for name, each in model.members().items() if not each.absent()},
    )


def _begins(curve: Field) -> bool:
    """Whether a curve was measured at lag 0; of a summary's input only the end is known, and that is no line."""
    return "count" not in curve.members() or not np.any(curve["count"].numbers()[:1] == 0)


def _curve(curve: Field) -> Curve:
    threshold = curve["threshold"].number()
    if not 0 < threshold < 1:
        raise _broken(f"a threshold between 0 and 1, got {threshold:g}")
    found = read_curve(curve["log10_norm"], threshold)
    if "count" not in curve.members():
        return found
    median, low, high = _joined(curve["count"].numbers(), found.median, found.low, found.high)
    return Curve(median, low, high, threshold)


def read_curve(band: Field, threshold: float) -> Curve:
    """Return a curve from its band over trials."""
    median, low, high = (band[name].numbers() for name in ("median", "low", "high"))
    if not median.size or {low.size, high.size} != {median.size}:
        raise _broken(f"a median, low and high of one length, got {median.size}, {low.size} and {high.size} numbers")
    return Curve(median, low, high, threshold)


def _joined(count: Array, *series: Array) -> list[Array]:
    """Return series by lag with straight lines between the lags that were measured."""
    lags = np.arange(len(count))
    if len(count) != len(series[0]):
        raise _broken(f"as many counts as lags, got {len(count)} and {len(series[0])}")
    some = count > 0
    if not some.any():
        return list(series)
    return [np.where(some, each, np.interp(lags, lags[some], each[some])) for each in series]


def _bound(bound: Field) -> Bound:
    return Bound(bound["name"].text(), bound["curve"].text(), bound["log10_norm"].numbers(), bound["holds"].truth())


def _quantiles(quantiles: Field) -> Array:
    return np.array([quantiles[name].number() for name in ("0.05", "0.25", "0.5", "0.75", "0.95")])


def _logarithm(value: Field) -> float:
    return math.nan if value.absent() else value.number()
