"""The answer's figures as data: curves by lag with the names of their labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vanishgrad.arrays import Array
from vanishgrad.cells.registry import CELLS
from vanishgrad.formal_answer.study import Studied


@dataclass(frozen=True, eq=False)
class Figure:
    """Base-10 logarithms by lag.

    Attributes
    ----------
    name : str
        The label of its caption.
    model : str
    series : mapping
        Label → (T + 1,) array.
    """

    name: str
    model: str
    series: Mapping[str, Array]


def figures(models: Sequence[Studied]) -> dict[str, Figure]:
    """Return, for one model of each cell, its curve between its bounds, and for a gated one whole and conveyor."""
    by_name: dict[str, Figure] = {}
    for kind in CELLS:
        of_kind = [model for model in models if model.kind == kind]
        if of_kind:
            by_name[f"bounds_{kind}"] = _figure("bounds", _telling(of_kind), ("upper", "memory", "lower"))
    gated = [model for model in models if "conveyor" in model.curves]
    if gated:
        by_name["detours"] = _figure("detours", _telling(gated), ("memory", "conveyor", "detours"))
    return by_name


def _telling(models: Sequence[Studied]) -> Studied:
    """Return the chrono model if there is one: there both bounds say something; else the first."""
    return next((model for model in models if "chrono" in model.label), models[0])


def _figure(name: str, model: Studied, series: Sequence[str]) -> Figure:
    curves = dict(model.curves)
    return Figure(name, model.label, {key: curves[key] / math.log(10) for key in series if key in curves})
