"""The points of a sweep, measured in batches: points of equal shape go along the axis of trials together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import product

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.registry import CELLS
from vanishgrad.curves.curve import curve
from vanishgrad.curves.jacobian_check import check
from vanishgrad.curves.measure import group_size, measure
from vanishgrad.curves.processes import blas_threads, map_in_processes
from vanishgrad.curves.request import Scope
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.models.options import ModelOptions
from vanishgrad.models.random_models import shared_sequences, weights_of
from vanishgrad.propagation.checkpoints import path
from vanishgrad.questions.sweep.axes import MAX_VALUES, models_of
from vanishgrad.questions.sweep.document import OPTION_AXES, SweepSettings, SweptPoint
from vanishgrad.questions.sweep.measures import BatchRun, MeasuredQuantity, absent, mean_over_trials, measure_named
from vanishgrad.weights.laws import Weights
from vanishgrad.weights.model_string import KEYS, ModelSpec, parse

BITS = 64
BATCH_BYTES = 2**27
"""Of the states, pre-activations, inputs and matrices of one batch."""


@dataclass(frozen=True)
class Point:
    """One point: a MODEL of its own and the options that it is drawn and run with."""

    model: str
    label: str
    coordinates: Mapping[str, float]
    options: ModelOptions

    @cached_property
    def spec(self) -> ModelSpec:
        """The MODEL with every key resolved."""
        return parse(self.label).resolved(self.options.hidden, self.options.steps or 0)

    @property
    def width(self) -> int:
        """The input size d."""
        return self.options.input_size or self.options.hidden

    @property
    def shape(self) -> tuple[object, ...]:
        """What points of one batch have in common: the cell and its variant, n, d, T and burn-in."""
        spec = self.spec
        words = {name: value for name, value in spec.keys.items() if name not in KEYS or KEYS[name].number is None}
        n, options = spec.keys["hidden"], self.options
        return spec.cell, *sorted(words.items()), n, self.width, options.steps, options.burn_in

    @property
    def cost(self) -> float:
        """What it takes beside others: T products of n × n matrices, and what does not grow with n."""
        n = self.spec.keys["hidden"]
        return float(CELLS[self.spec.cell].cost * n**2 * (n + 64) * (self.options.steps or 0))

    @property
    def trials_together(self) -> int:
        """How many trials of it are measured together: what fits into a cache, and into `BATCH_BYTES`."""
        row, n = CELLS[self.spec.cell], int(self.spec.keys["hidden"])
        steps, size = (self.options.steps or 0) + self.options.burn_in, len(row.parts) * n
        matrices = len(row.gates) * n * (n + self.width) * (steps if self.spec.keys.get("untied") else 1)
        held = steps * (size + 2 * len(row.gates) * n + self.width) + matrices
        return max(1, min(group_size(size, BITS), BATCH_BYTES // (held * BITS // 8)))


def points(settings: SweepSettings) -> list[Point]:
    """Return every point, MODEL after MODEL, the last option running fastest.

    Raises
    ------
    UsageError
        For a MODEL, key or option that cannot be.
    """
    grid = list[Point]()
    combinations = list(product(*(getattr(settings, name) or (None,) for name in OPTION_AXES)))
    for model in settings.models:
        for label, keys in models_of(model):
            if "hidden" in parse(label).keys and len(settings.hidden) > 1:
                raise UsageError(f"expected hidden in {model!r} or several --hidden, got both; try one of the two")
            grid += [_point(settings, model, label, keys, values) for values in combinations]
            if len(grid) > MAX_VALUES:
                raise UsageError(f"expected at most {MAX_VALUES} points, got more in {model!r}; try coarser axes")
    labels = [(point.label, point.options) for point in grid]
    if len(set(labels)) < len(labels):
        raise UsageError("expected each point once, got one in two MODELs; try leaving one out")
    specs = {point.model: point.spec for point in grid}.values()
    for name in settings.measure:
        if not any(map(measure_named(name).applies, specs)):
            cells = ", ".join(dict.fromkeys(spec.cell for spec in specs))
            raise UsageError(f"expected {name} of a MODEL that has it, got {cells}; try another --measure")
    return grid


def _point(
    settings: SweepSettings, model: str, label: str, keys: Mapping[str, float], values: Sequence[int | None]
) -> Point:
    named = dict(zip(OPTION_AXES, values, strict=True))
    several = {name: float(value or 0) for name, value in named.items() if len(getattr(settings, name)) > 1}
    options = ModelOptions(
        **{name: value for name, value in named.items() if value is not None},  # type: ignore[arg-type]
        trials=settings.trials, seed=settings.seed, input=settings.input, initial=settings.initial,
    )  # fmt: skip
    return Point(model, label, {**keys, **several}, options)


Batch = tuple[int, ...]
"""Places of points."""


@dataclass(frozen=True)
class SweepPlan:
    """A sweep that is to be run: all points, and what is finished of them by place."""

    settings: SweepSettings
    finished: Mapping[int, SweptPoint] = field(default_factory=dict)

    @cached_property
    def points(self) -> list[Point]:
        """Every point."""
        return points(self.settings)

    @cached_property
    def batches(self) -> list[Batch]:
        """The batches in which a point is missing.

        How points go together depends on the request alone, so that no result depends on what is finished, or on the
        number of processes.
        """
        alike = dict[tuple[object, ...], list[int]]()
        for place, point in enumerate(self.points):
            alike.setdefault(point.shape, []).append(place)
        return [
            batch
            for places in alike.values()
            for batch in _cut(places, max(1, self.points[places[0]].trials_together // self.settings.trials))
            if not self.finished.keys() >= set(batch)
        ]

    def cost(self, batch: Batch) -> float:
        """Return what a batch costs beside others."""
        return self.settings.trials * sum(self.points[place].cost for place in batch)


def _cut(places: Sequence[int], size: int) -> Iterator[Batch]:
    return (tuple(places[start : start + size]) for start in range(0, len(places), size))


def sweep(plan: SweepPlan, batches: Sequence[Batch], jobs: int = 1) -> Iterator[dict[int, SweptPoint]]:
    """Yield place → what was found, of one batch after the other, measured by so many processes.

    Raises
    ------
    VanishgradError
        If processes cannot be started, or are killed. What goes wrong at a point is recorded there.
    """
    widest = max((2 * int(point.spec.keys["hidden"]) for point in plan.points), default=1)
    with blas_threads(widest, jobs):
        yield from map_in_processes(partial(measured_batch, plan), batches, jobs, plan.cost)


def measured_batch(plan: SweepPlan, batch: Batch) -> dict[int, SweptPoint]:
    """Return place → what was found, of the points of a batch; if one fails, each is measured alone."""
    several = [plan.points[place] for place in batch]
    try:
        return dict(zip(batch, _measured(several, plan.settings), strict=True))
    except VanishgradError as error:
        if len(batch) == 1:
            return {batch[0]: _swept(several[0], {}, str(error))}
    return {place: point for place in batch for point in measured_batch(plan, (place,)).values()}


def _measured(several: Sequence[Point], settings: SweepSettings) -> Iterator[SweptPoint]:
    """Yield each point of equal shape, from one run and one backward sweep."""
    measures = {name: measure_named(name) for name in settings.measure}
    run = _run(several)
    norms = _log_norms(run, {each.curve for each in measures.values() if each.curve}, settings.threshold)
    values = {
        name: each.by_trial(run) for name, each in measures.items() if each.by_trial and each.applies(several[0].spec)
    }
    for i, point in enumerate(several):
        own = slice(i * settings.trials, (i + 1) * settings.trials)
        curves = {name: curve(each[own], each[own], {}, settings.threshold) for name, each in norms.items()}
        readings = dict[str, MeasuredQuantity]()
        for name, each in measures.items():
            if each.read and each.curve in curves:
                readings[name] = each.read(curves[each.curve], norms[each.curve][own])
            else:
                readings[name] = mean_over_trials(values[name][own]) if name in values else absent(settings.trials)
        yield _swept(point, readings, None)


def _run(several: Sequence[Point]) -> BatchRun:
    """Return the run of points of equal shape, the trials of each behind one another.

    Each point has the weights, inputs and start that `compare` gives its MODEL.
    """
    options, number = several[0].options, len(several)
    sequences = shared_sequences(options)
    drawn = [weights_of(parse(point.label), point.options, sequences) for point in several]
    cell = Weights.concatenated([weights for _, weights in drawn]).cell(drawn[0][0])
    start = initial_state(options.initial, cell, cell.name, sequences.trials, options.seed, options.dtype)
    together = replace(
        sequences.with_inputs(np.tile(sequences.xs, (number, 1, 1))), lengths=np.tile(sequences.lengths, number)
    )
    s0 = np.tile(start, (number, 1))
    trajectory = path(cell, together.inputs, s0, sequences.burn_in + sequences.steps)
    verified = check(cell, trajectory, together.inputs)
    if not verified.passed:
        raise VanishgradError(
            f"expected the Jacobian of {several[0].label} to equal its complex step within {verified.tolerance:.1e}, "
            f"got {verified.jacobian_error:.1e}; try vanishgrad verify"
        )
    return BatchRun(cell, together, s0, trajectory, number, options.seed)


def _log_norms(run: BatchRun, curves: set[str], threshold: float) -> dict[str, Array]:
    """Return curve → ln norms (P·B, L) of those that the cell has."""
    if not curves:
        return {}
    scope = Scope(tuple(sorted(curves)), details=False)
    measured = measure(run.cell, run.trajectory, run.sequences.lengths, None, threshold, scope)
    return {name: norms.log_norm for name, norms in measured.curves.items()}


def _swept(point: Point, measures: Mapping[str, MeasuredQuantity], failed: str | None) -> SweptPoint:
    return SweptPoint(
        model=point.model, label=point.label, coordinates=point.coordinates, hidden=int(point.spec.keys["hidden"]),
        input_size=point.width, steps=point.options.steps or 0, burn_in=point.options.burn_in, measures=measures,
        failed=failed,
    )  # fmt: skip
