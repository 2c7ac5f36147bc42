"""Measurement of a model: the norms of every curve, trial by trial, from one backward sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array, is_numpy
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.curves.processes import map_in_processes
from vanishgrad.curves.recorder import (
    ADAPTIVE,
    ATTENTION,
    DENSE,
    DIAGONAL,
    KEY_SIDE,
    MATRIX_FREE,
    Engine,
    Norms,
    Recorder,
    joined,
)
from vanishgrad.curves.request import EVERYTHING, Scope
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.extended_range import SMALLEST_LOG
from vanishgrad.propagation.products.compression import Compression


@dataclass(frozen=True, eq=False)
class Measurement:
    """Every curve's norms, and each trial's share of the parameter gradient by lag, (B, T); (B, 0) without a loss.

    `left_vectors` are trial 0's at some lags of a run in float32, lag → (m,).
    """

    curves: Mapping[str, Norms]
    shares: Array
    engine: Engine
    left_vectors: Mapping[int, Array] = field(default_factory=dict)


class Sequences(NamedTuple):
    """What is measured: a cell along a trajectory, as for `measure`."""

    cell: Cell
    trajectory: Trajectory
    lengths: Array
    loss: Array | None

    def among(self, trials: slice) -> Sequences:
        """Return some of the sequences alone."""
        loss = None if self.loss is None else self.loss[trials]
        return Sequences(self.cell.among(trials), self.trajectory.among(trials), self.lengths[trials], loss)


LARGEST_PRODUCT = 2**30
"""Bytes of the dense products of all trials up to which they are formed."""
GROUP_BYTES = 2**20
"""Trials are measured in groups whose products take so many bytes: they stay in a cache, and groups go side by side."""
SMALLEST = 24
"""State size from which on compression can pay."""
ERROR_LIMIT = 1e-8
"""An adaptive sweep whose error bound is above is repeated with more rows, and then with all."""
FINER = 8
"""How many times smaller the rows are that a repeated sweep leaves out: the bound falls by the square of that."""


def measure(
    cell: Cell,
    trajectory: Trajectory,
    lengths: Array,
    loss: Array | None,
    threshold: float,
    scope: Scope = EVERYTHING,
    engine: str = "auto",
    jobs: int = 1,
    group_bytes: int = GROUP_BYTES,
) -> Measurement:
    """Measure a cell along a trajectory.

    Parameters
    ----------
    cell : Cell
    trajectory : Trajectory
        Sequences aligned at their end; what stands before a sequence's own length is not measured.
    lengths : (B,) array of int
    loss : (B, n) array or None
        A unit cotangent of h_T, for the share of the parameter gradient by lag; without it there are no shares.
    threshold : float
        What a singular value has to reach to count as alive.
    scope : Scope, optional
        What to measure; everything by default.
    engine : str
        ``dense``, ``adaptive``, ``matrix-free``, ``diagonal``, ``key-side`` or ``auto``: diagonal where J is, key-side
        where J is of keys alone, matrix-free where the products would take more than 1 GB, else adaptive, for products
        that are large enough to gain by it.
    jobs : int
        Processes for the trials; the result does not depend on it.
    group_bytes : int
        How many bytes the products of trials take that are measured together.

    Notes
    -----
    Along T steps of an LSTM: 12 n³ B T multiplications and additions, fewer where rows are left out; O(n²) numbers for
    each trial of a group beside the trajectory.
    """
    sequences = Sequences(cell, trajectory, lengths, loss if cell.has_weights else None)
    aliases = {"hidden": "state", "output": "state"} if len(cell.parts) == 1 else {}
    own = scope.renamed(aliases)
    if cell.own_engine == ATTENTION:
        measurement = _by_weights(sequences, threshold, own)
    elif takes_sums(cell, engine):
        measurement = _by_sums(sequences, threshold, own)
    elif takes_keys(cell, engine):
        measurement = _by_keys(sequences, threshold, own)
    elif engine == MATRIX_FREE or (engine == "auto" and not products_fit(cell, len(lengths))):
        measurement = _by_vectors(sequences, threshold, own)
    else:
        pieces = [sequences.among(group) for group in _groups(sequences, group_bytes)]
        by_group = partial(_by_products, threshold=threshold, scope=own, engine=engine)
        measurement = _together(list(map_in_processes(by_group, pieces, jobs)))
    order = ("state", *cell.curves, "conveyor", "input", "output")
    names = [name for name in order if scope.covers(name)]
    curves = {name: measurement.curves.get(aliases.get(name, name)) for name in names}
    measured = {name: norms for name, norms in curves.items() if norms is not None}
    _demand_logarithms(measured)
    return replace(measurement, curves=measured)


def _demand_logarithms(curves: dict[str, Norms]) -> None:
    """Refuse norms that may have a factor which `extended_range.exp` has cut off."""
    logs = [norms.log_norm for name, norms in curves.items() if name != "conveyor"]
    least = min((float(np.min(each, where=np.isfinite(each), initial=0.0)) for each in logs), default=0.0)
    if least < SMALLEST_LOG:
        raise VanishgradError(
            f"expected norms of at least e^{SMALLEST_LOG:.0e}, got less than that: gates and units saturate; "
            f"try a smaller gain, or weights and inputs scaled to about 1"
        )


def products_fit(cell: Cell, batch: int) -> bool:
    """Return whether the dense products, and as much again twice for a step, take no more than 1 GB."""
    return 3 * batch * cell.state_size**2 * cell.bits // 8 <= LARGEST_PRODUCT


def group_size(state_size: int, bits: int, group_bytes: int = GROUP_BYTES) -> int:
    """Return how many trials with weights of their own are measured together."""
    return max(1, group_bytes // (state_size**2 * bits // 8))


def _groups(sequences: Sequences, group_bytes: int) -> list[slice]:
    """Return the groups of trials; one where they share weights, or differ in length, or are on a device."""
    cell, batch, lengths = sequences.cell, len(sequences.lengths), sequences.lengths
    if cell.trials == 1 or lengths.min() < lengths.max() or not is_numpy(sequences.trajectory.start):
        return [slice(0, batch)]
    size = group_size(cell.state_size, cell.bits, group_bytes)
    return [slice(first, first + size) for first in range(0, batch, size)]


def _by_products(sequences: Sequences, threshold: float, scope: Scope, engine: str) -> Measurement:
    cell = sequences.cell
    adaptive = engine == "adaptive" or (engine == "auto" and cell.state_size >= SMALLEST)
    for compression in (Compression(), Compression(FINER), None) if adaptive else (None,):
        recorder = Recorder(cell, sequences.lengths, sequences.loss, threshold, scope)
        recorder.record(sequences.trajectory, compression)
        if recorder.engine.error_bound <= ERROR_LIMIT:
            break
    return Measurement(recorder.measured(), recorder.shares(), recorder.engine, recorder.left_vectors)


def _together(groups: Sequence[Measurement]) -> Measurement:
    """Return what was found for all groups of trials, with the worst of their engines."""
    engines = [group.engine for group in groups]
    engine = Engine(
        ADAPTIVE if any(engine.name == ADAPTIVE for engine in engines) else DENSE,
        max(engine.final_rows for engine in engines),
        max(engine.error_bound for engine in engines),
    )
    curves = {name: joined([group.curves[name] for group in groups]) for name in groups[0].curves}
    shares = np.concatenate([group.shares for group in groups])
    return Measurement(curves, shares, engine, groups[0].left_vectors)


def takes_sums(cell: Cell, engine: str) -> bool:
    """Return whether a cell is measured by sums of logarithms: asked for, or left open and diagonal.

    Raises
    ------
    UsageError
        If it is asked for of a cell whose Jacobian is not diagonal.
    """
    return _takes(cell, engine, DIAGONAL, cell.is_diagonal, "a diagonal Jacobian")


def takes_keys(cell: Cell, engine: str) -> bool:
    """Return whether a cell is measured on the side of its keys: asked for, or left open and nothing else to be had.

    Raises
    ------
    UsageError
        If it is asked for of a cell that is no linear attention.
    """
    return _takes(cell, engine, KEY_SIDE, cell.own_engine == KEY_SIDE, "a Jacobian of keys alone")


def _takes(cell: Cell, engine: str, name: str, fits: bool, wanted: str) -> bool:
    if engine == name and not fits:
        raise UsageError(f"expected a cell with {wanted} for --engine {name}, got {cell.name}; try --engine auto")
    return engine in ("auto", name) and fits


def _by_sums(sequences: Sequences, threshold: float, scope: Scope) -> Measurement:
    from vanishgrad.curves.diagonal_curves import DiagonalCurves

    cell, trajectory, lengths, loss = sequences
    diagonal = DiagonalCurves(cell, trajectory, lengths, loss, threshold, scope)
    return Measurement(diagonal.curves(), diagonal.shares(), diagonal.engine)


def _by_keys(sequences: Sequences, threshold: float, scope: Scope) -> Measurement:
    from vanishgrad.curves.key_side_curves import KeySideCurves

    cell, trajectory, lengths, _ = sequences
    curves = KeySideCurves(cell, trajectory, lengths, threshold, scope)
    return Measurement(curves.curves(), np.zeros((len(lengths), 0)), curves.engine)


def _by_weights(sequences: Sequences, threshold: float, scope: Scope) -> Measurement:
    from vanishgrad.curves.attention_curves import AttentionCurves

    cell, trajectory, lengths, _ = sequences
    curves = AttentionCurves(cell, trajectory, lengths, threshold, scope)
    return Measurement(curves.curves(), np.zeros((len(lengths), 0)), curves.engine)


def _by_vectors(sequences: Sequences, threshold: float, scope: Scope) -> Measurement:
    from vanishgrad.curves.matrix_free_curves import MatrixFreeCurves, direct

    cell, trajectory, lengths, loss = sequences
    selection = MatrixFreeCurves(cell, trajectory, lengths, threshold, scope)
    conveyor, shares = direct(cell, trajectory, lengths, loss, threshold)
    return Measurement({**selection.curves(), **conveyor}, shares, selection.engine)
