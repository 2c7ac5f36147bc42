"""Measurement of the points of a sweep: those of equal shape go along the axis of trials together."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.curves.curve import curve
from vanishgrad.curves.jacobian_check import check
from vanishgrad.curves.measure import measure
from vanishgrad.curves.processes import one_blas_thread
from vanishgrad.curves.request import Scope
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.models.open import open_argument
from vanishgrad.models.random_models import shared_sequences, weights_of
from vanishgrad.propagation.checkpoints import path
from vanishgrad.questions.sweep.document import SweepSettings, SweptPoint
from vanishgrad.questions.sweep.measures import BatchRun, MeasuredQuantity, absent, mean_over_trials, measure_named
from vanishgrad.questions.sweep.points import GROUP_BYTES, FilePoint, Point
from vanishgrad.weights.laws import Weights
from vanishgrad.weights.model_string import parse

NO_THRESHOLD = 0.5
"""Of singular values, which a sweep does not count; each point's own is for its curves."""


def measured_task(settings: SweepSettings, batches: Sequence[Sequence[Point]]) -> tuple[list[SweptPoint], float]:
    """Return what was found of the points of all batches, and the seconds that it took."""
    start = time.monotonic()
    with one_blas_thread():
        points = [point for batch in batches for point in measured_batch(settings, batch)]
    return points, time.monotonic() - start


def measured_batch(settings: SweepSettings, several: Sequence[Point]) -> list[SweptPoint]:
    """Return what was found of points of equal shape; if one fails, each is measured alone."""
    try:
        return list(_measured(several, settings))
    except (VanishgradError, MemoryError) as error:
        if len(several) == 1:
            return [failed_point(several[0], str(error) or "expected memory for it, got none; try fewer --trials")]
    return [point for alone in several for point in measured_batch(settings, [alone])]


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
    measured = measure(
        run.cell, run.trajectory, run.sequences.lengths, None, NO_THRESHOLD, scope, group_bytes=GROUP_BYTES
    )
    return {name: norms.log_norm for name, norms in measured.curves.items()}


def failed_point(point: Point, sentence: str) -> SweptPoint:
    """Return a point that has no measures, and why."""
    return _swept(point, {}, sentence)


def _swept(
    point: Point, measures: Mapping[str, MeasuredQuantity], failed: str | None, cell: Cell | None = None
) -> SweptPoint:
    return SweptPoint(
        model=point.model, label=point.label, coordinates=point.coordinates,
        hidden=cell.hidden_size if cell else point.hidden, input_size=cell.input_size if cell else point.width,
        steps=point.options.steps or 0, burn_in=point.options.burn_in, measures=measures, failed=failed,
    )  # fmt: skip
