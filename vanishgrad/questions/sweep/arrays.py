"""Arrays of a sweep: measures, intervals and trials as variables over axes and trial; an xarray Dataset of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.questions.sweep.axes import axes_among
from vanishgrad.questions.sweep.document import SweepDocument, SweepSettings, SweptPoint
from vanishgrad.questions.sweep.measures import MeasuredQuantity, measure_named
from vanishgrad.questions.sweep.plan import ArrayLayout, SweepPlan
from vanishgrad.questions.sweep.points import Point
from vanishgrad.reports.frames import library

if TYPE_CHECKING:
    import xarray

TRIAL, STATUS, FAILED = "trial", "status", "failed"
MISSING, MEASURED, FAILURE = 0, 1, 2
"""Values of `STATUS`: what was never written reads 0."""
WHOLE = ("horizon", "verdict")
"""Measures whose values are whole numbers."""


class Variable(NamedTuple):
    """One array: over all dimensions, and over trials or not."""

    over_trials: bool
    dtype: str
    fill: Any
    attributes: Mapping[str, Any]


def variables(settings: SweepSettings) -> dict[str, Variable]:
    """Return name → array; the last is `STATUS`, which is written when all others are."""
    declared = dict[str, Variable]()
    for name in settings.measure:
        title = {"long_name": measure_named(name).title}
        declared[name] = Variable(False, "float64", np.nan, title)
        declared |= {f"{name}_{end}": Variable(False, "float64", np.nan, {}) for end in ("low", "high")}
        declared[f"{name}_by_trial"] = Variable(True, "float64", np.nan, title)
        if name.endswith("horizon"):
            beyond = {"long_name": "whether it lies beyond the run"}
            declared[f"{name}_censored"] = Variable(False, "int8", 0, beyond)
    declared[FAILED] = Variable(False, "str", "", {"long_name": "why there is no measure"})
    meanings = {"flag_values": [MISSING, MEASURED, FAILURE], "flag_meanings": "missing measured failed"}
    return declared | {STATUS: Variable(False, "int8", MISSING, meanings)}


def values_of(settings: SweepSettings, points: Sequence[SweptPoint | None]) -> dict[str, Array]:
    """Return name → values of points behind one another, (points,) or (points, trials); the fill for None."""
    values = {
        name: np.full((len(points), settings.trials)[: 1 + each.over_trials], each.fill, dtype=numpy_type(each))
        for name, each in variables(settings).items()
    }
    for i, point in enumerate(points):
        if point is None:
            continue
        values[STATUS][i] = MEASURED if point.failed is None else FAILURE
        values[FAILED][i] = point.failed or ""
        for name, each in point.measures.items():
            for ending, number in (("", each.value), ("_low", each.low), ("_high", each.high)):
                values[name + ending][i] = np.nan if number is None else number
            values[f"{name}_by_trial"][i] = np.array(each.trials, dtype=float)
            if f"{name}_censored" in values:
                values[f"{name}_censored"][i] = each.censored
    return values


def numpy_type(variable: Variable) -> Any:
    """Return the dtype of an array in memory."""
    return np.dtypes.StringDType() if variable.dtype == "str" else np.dtype(variable.dtype)


def points_of(settings: SweepSettings, grid: Sequence[Point], values: Mapping[str, Array]) -> list[SweptPoint | None]:
    """Return the points of `values_of`; None for one that is missing."""
    return [_point_of(settings, point, values, i) for i, point in enumerate(grid)]


def _point_of(settings: SweepSettings, point: Point, values: Mapping[str, Array], i: int) -> SweptPoint | None:
    status = int(values[STATUS][i])
    if status == MISSING:
        return None
    measures = {name: _quantity(name, values, i) for name in settings.measure} if status == MEASURED else {}
    return SweptPoint(
        model=point.model, label=point.label, coordinates=point.coordinates, hidden=point.hidden,
        input_size=point.width, steps=point.options.steps or 0, burn_in=point.options.burn_in, measures=measures,
        failed=str(values[FAILED][i]) if status == FAILURE else None,
    )  # fmt: skip


def _quantity(name: str, values: Mapping[str, Array], i: int) -> MeasuredQuantity:
    def number(value: float) -> float | None:
        if np.isnan(value):
            return None
        return int(value) if name.endswith(WHOLE) else float(value)

    return MeasuredQuantity(
        value=number(values[name][i]), low=number(values[f"{name}_low"][i]), high=number(values[f"{name}_high"][i]),
        trials=[number(value) for value in values[f"{name}_by_trial"][i]],
        censored=bool(values[f"{name}_censored"][i]) if f"{name}_censored" in values else False,
    )  # fmt: skip


def attributes(settings: SweepSettings) -> dict[str, Any]:
    """Return what a store says of the sweep: format, version, request, seeds."""
    return {**SweepDocument.header(), "request": json.dumps(settings.to_dict()), "seed": list(settings.seed)}


def coordinates(layout: ArrayLayout, grid: Sequence[Point], trials: int) -> dict[str, tuple[str, Array]]:
    """Return name → (dimension, values): of the axes and of trial; of points without a grid, MODEL and label too."""
    named = {name: (name, typed(values)) for name, values in layout.coordinates.items() if values}
    if not named:
        ordered = [grid[place] for place in layout.places.tolist()]
        (dim,) = layout.dims
        for name in axes_among([point.coordinates for point in ordered]):
            several = [point.coordinates.get(name) for point in ordered]
            words = any(isinstance(value, str) for value in several)
            named[name] = (dim, typed([("" if words else np.nan) if value is None else value for value in several]))
        named |= {name: (dim, typed([getattr(point, name) for point in ordered])) for name in ("model", "label")}
    return {**named, TRIAL: (TRIAL, np.arange(trials))}


def typed(values: Iterable[Any]) -> Array:
    """Return numbers as float64, words as strings of any length."""
    several = list(values)
    if any(isinstance(value, str) for value in several):
        return np.array([str(value) for value in several], dtype=np.dtypes.StringDType())
    return np.array(several, dtype=float)


def to_xarray(document: SweepDocument, model: str | None = None) -> xarray.Dataset:
    """Return the measures of all MODELs, or of one, over axes and trial, NaN where there is none.

    MODELs without a common grid lie along `point`, with their axes as coordinates.

    Raises
    ------
    UsageError
        If there is no such MODEL.
    """
    settings, points = document.request, list(document.points)
    if model is not None:
        if model not in settings.models:
            raise UsageError(f"expected one MODEL out of {', '.join(settings.models)}, got {model!r}")
        settings = settings.with_members(models=[model])
        points = [point for point in points if point.model == model]
    plan = SweepPlan(settings)
    by_key = {key_of(point): point for point in points}
    ordered = [by_key.get(plan.points[place].key) for place in plan.layout.places.tolist()]
    return dataset(plan, values_of(settings, ordered))


def key_of(point: SweptPoint) -> tuple[object, ...]:
    """Return what `Point.key` is of the point that was measured."""
    return point.model, point.label, frozenset(point.coordinates.items())


def dataset(plan: SweepPlan, values: Mapping[str, Array]) -> xarray.Dataset:
    """Return values of all points, in the order of the layout, as a Dataset."""
    declared, layout, trials = variables(plan.settings), plan.layout, plan.settings.trials
    shaped = {
        name: (
            (*layout.dims, TRIAL)[: len(layout.dims) + each.over_trials],
            _in_memory(values[name]).reshape((*layout.shape, trials)[: len(layout.dims) + each.over_trials]),
            dict(each.attributes),
        )
        for name, each in declared.items()
    }
    axes = {name: (dim, _in_memory(array)) for name, (dim, array) in coordinates(layout, plan.points, trials).items()}
    found: xarray.Dataset = library("xarray").Dataset(shaped, axes, attributes(plan.settings))
    return found


def _in_memory(array: Array) -> Array:
    """Return strings as objects, which every version of xarray and netCDF knows."""
    return array.astype(object) if array.dtype.kind == "T" else array
