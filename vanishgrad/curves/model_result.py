"""Results of a model: all that is measured of it, frozen, which every command builds on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.cells.masked_steps import TAKEN
from vanishgrad.curves.bounds import Bound, bounds
from vanishgrad.curves.curve import Curve, curve, kept_throughout
from vanishgrad.curves.gates import Gate, gates, input_gain
from vanishgrad.curves.jacobian_check import Check, check
from vanishgrad.curves.lag_batches import INPUT_CURVE
from vanishgrad.curves.measure import Measurement, measure
from vanishgrad.curves.notes import curve_notes, engine_notes, gate_notes, input_notes, sequence_notes
from vanishgrad.curves.recorder import MATRIX_FREE, Engine
from vanishgrad.curves.request import EVERYTHING, CurvesRequest, Scope
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.models.subject import Prepared, Subject
from vanishgrad.propagation.backends import NUMPY, Backend, HostPath, backend
from vanishgrad.propagation.checkpoints import path
from vanishgrad.random_streams import Role, stream
from vanishgrad.steps_done import working_on


@dataclass(frozen=True, eq=False)
class ModelResult:
    """What was found for one model.

    Attributes
    ----------
    label, spec, cell : str
        As typed; with every key resolved; the cell's name.
    hidden_size, input_size, state_size, steps, trials : int
    input : str
        What drove it, or the layers below it: ``white:STD``, ``zeros``, ``captured`` or a file.
    input_gain : float or None
        The measured standard deviation of W_hx x; None without weights.
    source : mapping
        Where the weights come from: a random law and seed, or a file and layer.
    curves : mapping
        Name → `Curve`.
    share_by_lag : (T,) array
        Mean over trials of the share of ‖∂L/∂W_hh‖'s terms that stands at each lag, L a random unit loss on h_T.
    gates : mapping
        Name → `Gate`.
    time_constants : (n,) array or None
        -1/ln of each unit's mean forget or keep gate, in steps.
    bounds : tuple of Bound
    check : Check
    engine : Engine
        How the products were carried, and what that cost in accuracy.
    notes : tuple of str
        What a reader should know before he believes a number.
    """

    label: str
    spec: str
    cell: str
    hidden_size: int
    input_size: int
    state_size: int
    steps: int
    trials: int
    input: str
    input_gain: float | None
    source: Mapping[str, Any]
    curves: Mapping[str, Curve]
    share_by_lag: Array
    gates: Mapping[str, Gate]
    time_constants: Array | None
    bounds: tuple[Bound, ...]
    check: Check
    engine: Engine
    notes: tuple[str, ...]
    masked_steps: int = 0


def model_result(
    subject: Subject,
    sequences: InputSequences,
    s0: Array,
    threshold: float,
    seed: int,
    scope: Scope = EVERYTHING,
    engine: str = "auto",
    on: Backend = NUMPY,
    jobs: int = 1,
) -> ModelResult:
    """Measure one model along its inputs, the run and its products on a backend, groups of trials side by side.

    Raises
    ------
    VanishgradError
        If a state overflows, or if the run's own Jacobian fails its check.
    """
    if (subject.cell.is_diagonal or subject.cell.own_engine or subject.cell.only_numpy) and on.name != NUMPY.name:
        raise UsageError(f"expected --backend numpy for {subject.cell.name}, got {on.name}; try without it")
    cell, on_device = subject.cell, on.cell(subject.cell)
    steps = sequences.burn_in + sequences.steps
    trajectory = path(on_device, on.inputs(sequences.inputs), on.array(s0), steps, sequences.marks)
    verified = check(cell, trajectory, sequences.inputs, sequences.marks, on_device=on_device)
    _demand_passed(subject.label, verified)
    has_shares = scope.details and cell.has_weights
    loss = unit_losses(cell, sequences.trials, seed).astype(s0.dtype) if has_shares else None
    with working_on(subject.label):
        measured = measure(on_device, trajectory, sequences.lengths, loss, threshold, scope, engine, jobs)
    if s0.dtype == np.float32:
        from vanishgrad.curves.float32_loss import float32_loss

        lost = float32_loss(cell, sequences, s0, measured)
        measured = replace(measured, engine=replace(measured.engine, float32_loss=lost))
    return _result(
        subject,
        sequences,
        s0,
        trajectory if on is NUMPY else HostPath(trajectory),
        verified,
        measured,
        threshold,
        scope,
    )


def requested_result(prepared: Prepared, request: CurvesRequest, jobs: int = 1) -> ModelResult:
    """Measure a prepared model as a request asks for it."""
    on = backend(request.backend, request.device)
    return model_result(
        prepared.subject,
        prepared.sequences,
        prepared.s0,
        request.threshold,
        request.seed,
        request.scope,
        request.engine,
        on,
        jobs,
    )


def _demand_passed(label: str, verified: Check) -> None:
    if not verified.passed:
        raise VanishgradError(
            f"expected the Jacobian of {label} to equal its complex step within {verified.tolerance:.1e}, "
            f"got {verified.jacobian_error:.1e}; try --dtype float64, or vanishgrad verify {label}"
        )


def _result(
    subject: Subject,
    sequences: InputSequences,
    s0: Array,
    trajectory: Trajectory,
    verified: Check,
    measured: Measurement,
    threshold: float,
    scope: Scope,
) -> ModelResult:
    """Return what is to be said of a measured model beside its norms."""
    cell, standing = subject.cell, gates(subject.cell, trajectory, sequences.burn_in)
    curves = _curves(measured, threshold, scope.per_trial)
    taken = None if sequences.marks is None else sequences.marks == TAKEN
    gain = input_gain(cell, sequences.inputs, trajectory.steps, taken) if cell.has_weights else None
    of_run = (*sequence_notes(sequences), *curve_notes(cell, curves, sequences, s0), *input_notes(cell, gain))
    return ModelResult(
        label=subject.label,
        spec=subject.spec,
        cell=cell.name,
        hidden_size=cell.parts[0].size,
        input_size=cell.input_size,
        state_size=cell.state_size,
        steps=sequences.steps,
        trials=sequences.trials,
        input=str(sequences.source),
        input_gain=None if gain is None else gain.deviation,
        source=subject.source,
        curves=curves,
        share_by_lag=_mean_share(measured),
        gates=standing.gates,
        time_constants=time_constants(cell, standing.unit_means),
        bounds=bounds(
            cell, trajectory, sequences.steps, scope.details and measured.engine.name != MATRIX_FREE,
            taken if sequences.masked_steps else None,
        ),
        check=verified,
        engine=measured.engine,
        notes=(*subject.notes, *of_run, *engine_notes(measured.engine), *gate_notes(standing.stride)),
        masked_steps=sequences.masked_steps,
    )  # fmt: skip


def _curves(measured: Measurement, threshold: float, per_trial: bool) -> dict[str, Curve]:
    """Return what is read from the norms of each curve; that of the input must be kept on the way too."""
    curves = {
        name: curve(norms.log_norm, norms.log_rms, norms.alive, threshold) for name, norms in measured.curves.items()
    }
    if per_trial:
        curves = {name: replace(each, by_trial=measured.curves[name].log_norm) for name, each in curves.items()}
    return {name: kept_throughout(each) if name == INPUT_CURVE else each for name, each in curves.items()}


def unit_losses(cell: Cell, trials: int, seed: int) -> Array:
    """Return a random unit cotangent of h_T for each trial, (B, n)."""
    directions = [
        stream(seed, Role.LOSS, b, cell.row.stream).standard_normal(cell.parts[0].size) for b in range(trials)
    ]
    return np.stack([direction / np.linalg.norm(direction) for direction in directions])


def _mean_share(measured: Measurement) -> Array:
    shares = measured.shares[~np.isnan(measured.shares).any(axis=1)]
    return shares.mean(axis=0) if len(shares) else np.zeros(measured.shares.shape[1])


def time_constants(cell: Cell, unit_means: Mapping[str, Array]) -> Array | None:
    """Return -1/ln of the mean of the gate that keeps each unit, (n,) steps, of gates' means by unit; None without."""
    keep = cell.keep_gate
    if keep is None:
        return None
    with np.errstate(divide="ignore"):
        return -1 / np.log(np.clip(unit_means[keep.word], 0, 1))
