"""Claims: what a theorem says of one model, its hypotheses with their values, its bound, and what is measured."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

RELATIONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

UNRESOLVED = 1e-9
"""Slack, in nats, that roundoff may take: an equality measured on both sides."""


@dataclass(frozen=True)
class Hypothesis:
    """A number with what the theorem demands of it."""

    name: str
    value: float
    relation: str
    limit: float

    @property
    def holds(self) -> bool:
        """Whether the number is as the theorem demands."""
        return RELATIONS[self.relation](self.value, self.limit)


@dataclass(frozen=True)
class Log:
    """A positive number known by its natural logarithm, since it may lie beyond the range of a float64.

    `side` says whether it is a bound, and which; then it is printed rounded outward.
    """

    log: float
    side: Literal["lower", "upper"] | None = None

    @property
    def log10(self) -> float:
        """The base-10 logarithm."""
        return self.log / math.log(10)


@dataclass(frozen=True)
class BoundValue:
    """A number that is a bound: printed rounded down if it is a lower one, up if it is an upper one."""

    value: float
    side: Literal["lower", "upper"]


@dataclass(frozen=True)
class Claim:
    """One theorem on one model.

    Attributes
    ----------
    theorem : str
        The id of the text that states and proves it.
    version : str
        Which of the theorem's statements; also the id of its table.
    model : str
    hypotheses : tuple of Hypothesis
    facts : mapping
        Other numbers that belong in the table.
    side : ``upper`` or ``lower``
    quantity : str
        What is bounded.
    log_bound : float or None
        None where a hypothesis fails: the theorem is silent.
    log_measured : float
        NaN where it is lost in roundoff.
    """

    theorem: str
    version: str
    model: str
    hypotheses: tuple[Hypothesis, ...]
    side: Literal["upper", "lower"]
    quantity: str
    log_bound: float | None
    log_measured: float
    facts: Mapping[str, float | Log] = field(default_factory=dict)

    @property
    def speaks(self) -> bool:
        """Whether every hypothesis holds and there is a bound."""
        return self.log_bound is not None and all(each.holds for each in self.hypotheses)

    @property
    def log_slack(self) -> float | None:
        """How far the measured value keeps from the bound, in nats; negative would refute the theorem or the code."""
        if not self.speaks or self.log_bound is None or math.isnan(self.log_measured):
            return None
        if self.log_bound == self.log_measured:
            return 0.0
        return self.log_bound - self.log_measured if self.side == "upper" else self.log_measured - self.log_bound

    @property
    def violated(self) -> bool:
        """Whether the measurement contradicts the bound by more than roundoff."""
        return self.log_slack is not None and self.log_slack < -UNRESOLVED * max(1.0, abs(self.log_measured))
