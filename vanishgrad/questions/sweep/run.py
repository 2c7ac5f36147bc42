"""The points of a sweep, measured in batches: points of equal shape go along the axis of trials together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.curves.curve import curve
from vanishgrad.curves.jacobian_check import check
from vanishgrad.curves.measure import measure
from vanishgrad.curves.processes import blas_threads, map_in_processes
from vanishgrad.curves.request import Scope
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.models.open import open_argument
from vanishgrad.models.random_models import shared_sequences, weights_of
from vanishgrad.propagation.checkpoints import path
from vanishgrad.questions.sweep.document import SweepSettings, SweptPoint
from vanishgrad.questions.sweep.measures import BatchRun, MeasuredQuantity, absent, mean_over_trials, measure_named
from vanishgrad.questions.sweep.points import FilePoint, Point, points
from vanishgrad.weights.laws import Weights
from vanishgrad.weights.model_string import parse

NO_THRESHOLD = 0.5
"""Of singular values, which a sweep does not count; each point's own is for its curves."""

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
    widest = max((2 * point.hidden for point in plan.points), default=1)
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
    run = _run_of_file(several[0]) if isinstance(several[0], FilePoint) else _run(several)
    norms = _log_norms(run, {each.curve for each in measures.values() if each.curve})
    values = {name: each.by_trial(run) for name, each in measures.items() if each.by_trial and each.suits(run.cell)}
    for i, point in enumerate(several):
        own = slice(i * settings.trials, (i + 1) * settings.trials)
        curves = {name: curve(each[own], each[own], {}, point.threshold) for name, each in norms.items()}
        readings = dict[str, MeasuredQuantity]()
        for name, each in measures.items():
            if each.read and each.curve in curves:
                readings[name] = each.read(curves[each.curve], norms[each.curve][own])
            else:
                readings[name] = mean_over_trials(values[name][own]) if name in values else absent(settings.trials)
        yield _swept(point, readings, None, run.cell)


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
    return _checked(several[0], cell, together, np.tile(start, (number, 1)), number)


def _run_of_file(point: FilePoint) -> BatchRun:
    """Return the run of a layer of a file, as `analyze` has it."""
    opened = open_argument(point.path, point.options)
    prepared = list(opened.prepared_subjects())
    chosen = next((each for each in prepared if each.subject.label == point.layer), prepared[0])
    sequences = chosen.sequences
    if sequences.first is not None or sequences.marks is not None:
        raise VanishgradError(f"expected sequences of one length without masked steps for {point.label}, got others")
    return _checked(point, chosen.subject.cell, sequences, chosen.s0, 1)


def _checked(point: Point, cell: Cell, sequences: InputSequences, s0: Array, number: int) -> BatchRun:
    """Return a run once its own Jacobian has passed the check."""
    trajectory = path(cell, sequences.inputs, s0, sequences.burn_in + sequences.steps)
    verified = check(cell, trajectory, sequences.inputs)
    if not verified.passed:
        raise VanishgradError(
            f"expected the Jacobian of {point.label} to equal its complex step within {verified.tolerance:.1e}, "
            f"got {verified.jacobian_error:.1e}; try vanishgrad verify"
        )
    return BatchRun(cell, sequences, s0, trajectory, number, point.options.seed)


def _log_norms(run: BatchRun, curves: set[str]) -> dict[str, Array]:
    """Return curve → ln norms (P·B, L) of those that the cell has."""
    if not curves:
        return {}
    scope = Scope(tuple(sorted(curves)), details=False)
    measured = measure(run.cell, run.trajectory, run.sequences.lengths, None, NO_THRESHOLD, scope)
    return {name: norms.log_norm for name, norms in measured.curves.items()}


def _swept(
    point: Point, measures: Mapping[str, MeasuredQuantity], failed: str | None, cell: Cell | None = None
) -> SweptPoint:
    return SweptPoint(
        model=point.model, label=point.label, coordinates=point.coordinates,
        hidden=cell.hidden_size if cell else point.hidden, input_size=cell.input_size if cell else point.width,
        steps=point.options.steps or 0, burn_in=point.options.burn_in, measures=measures, failed=failed,
    )  # fmt: skip
