"""Per-trial norms of every curve, from one backward sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vanishgrad.analysis.recorder import MATRIX_FREE, Engine, Norms, Recorder
from vanishgrad.analysis.scope import EVERYTHING, Scope
from vanishgrad.cells import Cell, Path
from vanishgrad.cells.arrays import Array
from vanishgrad.propagation.compression import Compression


@dataclass(frozen=True, eq=False)
class Measurement:
    """Every curve's norms, and each trial's share of the parameter gradient by lag, (B, T); (B, 0) without a loss."""

    curves: Mapping[str, Norms]
    shares: Array
    engine: Engine


LARGEST_PRODUCT = 2**30
"""Bytes of the dense products of all trials up to which they are formed."""
SMALLEST = 24
"""State size from which on compression can pay."""
ERROR_LIMIT = 1e-8
"""An adaptive sweep whose error bound is above is repeated with all rows."""


def measure(
    cell: Cell,
    trajectory: Path,
    lengths: Array,
    loss: Array | None,
    threshold: float,
    scope: Scope = EVERYTHING,
    engine: str = "auto",
) -> Measurement:
    """Measure a cell along a trajectory.

    Parameters
    ----------
    cell : Cell
    trajectory : Path
        Sequences aligned at their end; what stands before a sequence's own length is not measured.
    lengths : (B,) array of int
    loss : (B, n) array or None
        A unit cotangent of h_T, for the share of the parameter gradient by lag; without it there are no shares.
    threshold : float
        What a singular value has to reach to count as alive.
    scope : Scope, optional
        What to measure; everything by default.
    engine : str
        ``dense``, ``adaptive``, ``matrix-free`` or ``auto``: matrix-free where the products would take more than 1 GB,
        else adaptive in float64, for products that are large enough to gain by it.

    Notes
    -----
    Along T steps of an LSTM: 12 n³ B T multiplications and additions, fewer where rows are left out; O(B n²) numbers
    beside the trajectory.
    """
    aliases = {"hidden": "state", "output": "state"} if len(cell.parts) == 1 else {}
    own = scope.renamed(aliases)
    if engine == MATRIX_FREE or (engine == "auto" and not products_fit(cell, len(lengths))):
        found, shares, how = _by_vectors(cell, trajectory, lengths, loss, threshold, own)
    else:
        found, shares, how = _by_products(cell, trajectory, lengths, loss, threshold, own, engine)
    order = ("state", *cell.curves, "conveyor", "input", "output")
    wanted = [name for name in order if scope.covers(name)]
    named = {name: found.get(aliases.get(name, name)) for name in wanted}
    return Measurement({name: norms for name, norms in named.items() if norms is not None}, shares, how)


def products_fit(cell: Cell, batch: int) -> bool:
    """Return whether the dense products, and as much again twice for a step, take no more than 1 GB."""
    return 3 * batch * cell.state_size**2 * cell.bits // 8 <= LARGEST_PRODUCT


def _by_products(
    cell: Cell,
    trajectory: Path,
    lengths: Array,
    loss: Array | None,
    threshold: float,
    scope: Scope,
    engine: str,
) -> tuple[Mapping[str, Norms], Array, Engine]:
    adaptive = engine == "adaptive" or (engine == "auto" and cell.bits == 64 and cell.state_size >= SMALLEST)
    recorder = Recorder(cell, lengths, loss, threshold, scope)
    recorder.record(trajectory, Compression() if adaptive else None)
    if recorder.engine.error_bound > ERROR_LIMIT:
        recorder = Recorder(cell, lengths, loss, threshold, scope)
        recorder.record(trajectory, None)
    return recorder.measured(), recorder.shares(), recorder.engine


def _by_vectors(
    cell: Cell,
    trajectory: Path,
    lengths: Array,
    loss: Array | None,
    threshold: float,
    scope: Scope,
) -> tuple[Mapping[str, Norms], Array, Engine]:
    from vanishgrad.analysis.selected import Selection, direct

    selection = Selection(cell, trajectory, lengths, threshold, scope)
    conveyor, shares = direct(cell, trajectory, lengths, loss, threshold)
    return {**selection.curves(), **conveyor}, shares, selection.engine
