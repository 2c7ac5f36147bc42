"""A logarithmic axis that stays readable from 1e+3 to 1e-300 and below."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.reports.figures.palette import RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAD, ZERO_PAD = 0.02, 0.12
"""Room beyond an end of the axis, and at the end where exact zeros have their row, as shares of its length."""
MAX_TICKS, INCHES_PER_TICK = 9, 0.24
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Direction = Literal["x", "y"]


@dataclass(frozen=True)
class Decades:
    """A scale of base-10 logarithms, on which an exponential is straight, with a row below for what is exactly zero.

    Attributes
    ----------
    low, high : float
        Exponents where the axis begins and ends.
    has_zero : bool
        Whether there is a row for exact zeros.
    is_cut : bool
        Whether lines may go on beyond its ends.
    """

    low: float
    high: float
    has_zero: bool
    is_cut: bool = False

    @classmethod
    def of(cls, series: Iterable[Array]) -> Decades:
        """Return the scale that some logarithms fit on, and 0; NaN is exactly zero."""
        values = np.concatenate([np.ravel(each) for each in series])
        low = float(min(np.floor(np.nanmin(values, initial=0.0)), -1))
        high = float(np.ceil(np.nanmax(values, initial=0.0)))
        return cls(low, high, bool(np.isnan(values).any()))

    def heights(self, values: Array) -> Array:
        """Return logarithms as data for this axis; NaN and −∞, exactly zero, in the row for it."""
        return np.where(np.isfinite(values), values, self.low - 0.5)

    def cut(self, heights: Array) -> Array:
        """Return heights no further than the ends of a scale beyond which lines go on."""
        lowest = self.low if self.is_cut else -math.inf
        result: Array = np.clip(heights, lowest, self.high)
        return result

    def places(self, values: Array) -> Array:
        """Return the places of data along the axis: 0 where the scale begins, 1 where it ends."""
        return np.interp(values, *self._knots)

    @property
    def ticks(self) -> dict[float, str]:
        """The ticks of an axis that is long enough, each with what it says."""
        return self._ticks(MAX_TICKS)

    def _ticks(self, most: int) -> dict[float, str]:
        labels: dict[float, str] = {self.low - 0.5: "0"} if self.has_zero else {}
        for exponent in _multiples(self.low, self.high, most):
            labels[exponent] = power_of_ten(int(exponent))
        return labels

    def apply(self, axes: Axes, direction: Direction = "y") -> None:
        """Give an axis this scale, its ticks and its grid."""
        knots, places = self._knots
        forward, inverse = (lambda v: np.interp(v, knots, places)), (lambda v: np.interp(v, places, knots))
        length = getattr(axes.bbox, "width" if direction == "x" else "height") / axes.figure.dpi
        ticks = self._ticks(max(2, min(MAX_TICKS, int(length / INCHES_PER_TICK))))
        getattr(axes, f"set_{direction}scale")("function", functions=(forward, inverse))
        getattr(axes, f"set_{direction}lim")(knots[0], knots[-1])
        getattr(axes, f"set_{direction}ticks")(list(ticks), labels=list(ticks.values()))
        axes.grid(axis=direction, color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)

    @property
    def _knots(self) -> tuple[Array, Array]:
        bottom = ZERO_PAD if self.has_zero else PAD
        return np.array([self.low - 1, self.low, self.high, self.high + 1]), np.array([-bottom, 0.0, 1.0, 1 + PAD])


def power_of_ten(exponent: int) -> str:
    """Return a power of ten as people write it."""
    return str(10**exponent) if exponent in (0, 1) else f"10{str(exponent).translate(SUPERSCRIPTS)}"


def _multiples(begin: float, end: float, most: int) -> list[float]:
    """Return the exponents to name on the axis, multiples of a round step, those nearest 0 first."""
    step = next(step for step in _round_steps() if (end - begin) / step <= most)
    exponents = step * np.arange(math.ceil(begin / step), math.floor(end / step) + 1)
    return sorted(exponents.tolist(), key=abs)


def _round_steps() -> Iterable[int]:
    return (digit * 10**decade for decade in range(300) for digit in (1, 2, 3, 5))
