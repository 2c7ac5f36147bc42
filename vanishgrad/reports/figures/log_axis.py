"""A logarithmic axis that stays readable from 1e+3 to 1e-300 and below."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.reports.figures.palette import MUTED, RULE, SHADE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDED_SPAN = 50
"""Decades beyond which the far ends of the axis are compressed."""
UNFOLDED_EXPONENTS = (-12.0, 6.0)
"""Exponents between which a folded axis keeps its full size."""
FAR_SHARE = 0.6
"""Length of a compressed end, as a share of the part at full size."""
PAD, ZERO_PAD = 0.02, 0.12
"""Room beyond an end of the axis, and at the end where exact zeros have their row, as shares of its length."""
MOST_TICKS = 9
LEAST_GAP = 0.05
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Direction = Literal["x", "y"]


@dataclass(frozen=True)
class Decades:
    """A scale of base-10 logarithms, linear piece by piece, with a row below it for what is exactly zero.

    Attributes
    ----------
    low, near_low, near_high, high : float
        Exponents where the axis begins, where its full size begins and ends, and where it ends.
    has_zero : bool
        Whether there is a row for exact zeros.
    """

    low: float
    near_low: float
    near_high: float
    high: float
    has_zero: bool

    @classmethod
    def of(cls, series: Iterable[Array]) -> Decades:
        """Return the scale that some logarithms fit on, and 0; NaN is exactly zero."""
        values = np.concatenate([np.ravel(each) for each in series])
        low = float(min(np.floor(np.nanmin(values, initial=0.0)), -1))
        high = float(np.ceil(np.nanmax(values, initial=0.0)))
        folded = high - low > FOLDED_SPAN
        near_low = UNFOLDED_EXPONENTS[0] if folded and low < 2 * UNFOLDED_EXPONENTS[0] else low
        near_high = UNFOLDED_EXPONENTS[1] if folded and high > 2 * UNFOLDED_EXPONENTS[1] else high
        return cls(low, near_low, near_high, high, bool(np.isnan(values).any()))

    @property
    def far(self) -> list[tuple[float, float]]:
        """The parts of the axis that are compressed."""
        ends = (self.low, self.near_low), (self.near_high, self.high)
        return [(a, b) for a, b in ends if a < b]

    @property
    def notes(self) -> list[str]:
        """What the shaded parts mean, in at most one sentence."""
        below = [f"below {power_of_ten(int(self.near_low))}"] if self.near_low > self.low else []
        above = [f"above {power_of_ten(int(self.near_high))}"] if self.near_high < self.high else []
        where = " and ".join(below + above)
        return [f"Shaded: {where} the axis is compressed; differences look smaller there."] if where else []

    def heights(self, values: Array) -> Array:
        """Return logarithms as data for this axis; NaN and −∞, exactly zero, in the row for it."""
        return np.where(np.isfinite(values), values, self.low - 0.5)

    def places(self, values: Array) -> Array:
        """Return the places of data along the axis: 0 where the scale begins, 1 where it ends."""
        return np.interp(values, *self._knots)

    @property
    def ticks(self) -> dict[float, str]:
        """The ticks, each with what it says."""
        labels: dict[float, str] = {self.low - 0.5: "0"} if self.has_zero else {}
        occupied = [-math.inf]
        for begin, end in sorted(self._parts, key=lambda part: part in self.far):
            for exponent in _multiples(begin, end, float(np.diff(self.places(np.array([begin, end])))[0])):
                place = float(self.places(np.array(exponent)))
                if min(abs(place - other) for other in occupied) > LEAST_GAP:
                    occupied.append(place)
                    labels[exponent] = power_of_ten(int(exponent))
        return labels

    def apply(self, axes: Axes, direction: Direction = "y") -> None:
        """Give an axis this scale, its ticks and grid, and shade what is compressed."""
        knots, places = self._knots
        forward, inverse = (lambda v: np.interp(v, knots, places)), (lambda v: np.interp(v, places, knots))
        ticks = self.ticks
        getattr(axes, f"set_{direction}scale")("function", functions=(forward, inverse))
        getattr(axes, f"set_{direction}lim")(knots[0], knots[-1])
        getattr(axes, f"set_{direction}ticks")(list(ticks), labels=list(ticks.values()))
        axes.grid(axis=direction, color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        span, line = (axes.axhspan, axes.axhline) if direction == "y" else (axes.axvspan, axes.axvline)
        if self.near_low > self.low:
            span(self.low if self.has_zero else knots[0], self.near_low, color=SHADE, linewidth=0, zorder=0)
            line(self.near_low, color=MUTED, linewidth=0.6, zorder=0.9)
        if self.near_high < self.high:
            span(self.near_high, knots[-1], color=SHADE, linewidth=0, zorder=0)
            line(self.near_high, color=MUTED, linewidth=0.6, zorder=0.9)

    @property
    def _knots(self) -> tuple[Array, Array]:
        near = self.near_high - self.near_low
        pieces = [FAR_SHARE * near if part in self.far else part[1] - part[0] for part in self._parts]
        places = np.concatenate([[0.0], np.cumsum(pieces)]) / sum(pieces)
        edges = [part[0] for part in self._parts] + [self.high]
        bottom = ZERO_PAD if self.has_zero else PAD
        return np.array([self.low - 1, *edges, self.high + 1]), np.array([-bottom, *places, 1 + PAD])

    @property
    def _parts(self) -> list[tuple[float, float]]:
        return list(pairwise(sorted({self.low, self.near_low, self.near_high, self.high})))


def power_of_ten(exponent: int) -> str:
    """Return a power of ten as people write it."""
    return str(10**exponent) if exponent in (0, 1) else f"10{str(exponent).translate(SUPERSCRIPTS)}"


def _multiples(begin: float, end: float, share: float) -> list[float]:
    """Return the exponents to name in a part of the axis, multiples of a round step, those nearest 0 first."""
    limit = max(1, round(MOST_TICKS * share))
    step = next(step for step in _round_steps() if (end - begin) / step <= limit)
    multiples = step * np.arange(math.ceil(begin / step), math.floor(end / step) + 1)
    return sorted(multiples.tolist(), key=abs)


def _round_steps() -> Iterable[int]:
    return (digit * 10**decade for decade in range(300) for digit in (1, 2, 3, 5))
