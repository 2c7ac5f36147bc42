r"""Jacobian products split into paths: the conveyor (gates held fixed) and its detours through the gates.

Let J_t = A_t + B_t, B_t closing a detour (Linearisation.detours). The product of T - k steps is the sum over all words
in A and B, and the number of B in a word is the number of detours of its paths. So the products P^(m) by number of
detours obey

    P^(m) ← P^(m) A_t + P^(m-1) B_t,

and those of more than two add up in one product that takes in P^(2) B_t and goes on with J_t. By the gate through which
the *last* detour (the nearest to T) returns, Q^g ← Q^g J_t + P^(0) B_t^g.

All of them, and the whole P ← P J_t, are columns of one sweep: rows (P^(0), P^(1), …) times a block matrix with A_t,
B_t and J_t in it, so that each keeps an exponent of its own however far it falls behind the others. The whole is
carried and not summed up: where paths cancel, a sum has lost it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.products import Product, linearisations, product_of
from vanishgrad.propagation.products.scaling import ABSENT, LN_2, powers, shifted
from vanishgrad.propagation.products.sweep import Sweep

COUNTS = ("0", "1", "2", "more")
"""Numbers of detours that are told apart."""
WHOLE = "whole"


@dataclass(frozen=True, eq=False)
class DetourProducts:
    """∂c_T/∂c_{T-lag}, c the conveyed part of the state, split into its paths.

    Attributes
    ----------
    lag : int
    whole : pair of arrays
        P and the logarithm of its scale, (B, n, n) and (B,).
    counts : mapping
        Number of detours, one of `COUNTS` → the same; together they are the whole.
    gates : mapping
        Gate → the same, of the paths whose last detour returns through it.
    """

    lag: int
    whole: tuple[Array, Array]
    counts: Mapping[str, tuple[Array, Array]]
    gates: Mapping[str, tuple[Array, Array]]


def detour_products(
    cell: Cell, trajectory: StoredTrajectory, batch: int, lags: int | None = None
) -> Iterator[DetourProducts] | None:
    """Return the split products for lag = 0, 1, …, or None for a cell without a conveyor.

    Parameters
    ----------
    cell : Cell
    trajectory : StoredTrajectory
    batch : int
        The number B of sequences.
    lags : int, optional
        The last lag; T by default.

    Notes
    -----
    The split sums to the whole to the roundoff of its largest term. O(B n²) numbers for each of the eight products
    beside the trajectory; a step of an LSTM costs 44 n³ multiplications and additions for each trial.
    """
    gates = _gates(cell, trajectory, batch)
    return None if gates is None else _swept(cell, trajectory, batch, gates, trajectory.steps if lags is None else lags)


def _gates(cell: Cell, trajectory: StoredTrajectory, batch: int) -> tuple[str, ...] | None:
    xp, t = namespace(trajectory.states), trajectory.steps
    nothing = xp.zeros((batch, 1, cell.state_size), dtype=trajectory.states.dtype)
    split = cell.linearise(trajectory, t - 1, t).detours(t, nothing)
    return None if split is None else tuple(split.returns)


def _swept(
    cell: Cell, trajectory: StoredTrajectory, batch: int, gates: tuple[str, ...], lags: int
) -> Iterator[DetourProducts]:
    series, m = (WHOLE, *COUNTS, *gates), cell.state_size
    columns = {
        f"{name} {part}": slice(i * m + span.start, i * m + span.stop)
        for i, name in enumerate(series)
        for part, span in cell.slices.items()
    }
    sweep = Sweep(columns, {cell.conveyed: _rows_at_lag_0(cell, trajectory, batch, len(series))})
    for lag, linearisation in zip(range(lags), linearisations(cell, trajectory, batch), strict=False):
        yield _read(product_of(sweep, lag), cell.conveyed, gates)
        sweep.step(_Splitting(linearisation, gates, m), trajectory.steps - lag)
    yield _read(product_of(sweep, lags), cell.conveyed, gates)


def _rows_at_lag_0(cell: Cell, trajectory: StoredTrajectory, batch: int, series: int) -> Array:
    """Return the identity of the conveyed part in the whole and without detour, zero elsewhere, (B, n, series · m)."""
    xp, dtype, span = namespace(trajectory.states), trajectory.states.dtype, cell.slices[cell.conveyed]
    n = span.stop - span.start
    rows: Array = xp.zeros((batch, n, series, cell.state_size), dtype=dtype)
    rows[:, :, :2, span] = xp.eye(n, dtype=dtype)[:, None]
    return xp.reshape(rows, (batch, n, series * cell.state_size))


def _read(product: Product, part: str, gates: tuple[str, ...]) -> DetourProducts:
    def block(name: str) -> tuple[Array, Array]:
        return _of_order_one(*product.block(part, f"{name} {part}"))

    counts, by_gate = ({name: block(name) for name in names} for names in (COUNTS, gates))
    return DetourProducts(product.lag, block(WHOLE), counts, by_gate)


def _of_order_one(matrix: Array, log_scale: Array) -> tuple[Array, Array]:
    """Return the same with its own exponent, for products that share one may lie far apart."""
    xp = namespace(matrix)
    exponents = powers(matrix, xp.zeros(matrix.shape[:1], dtype=xp.int64))
    exponents = xp.where(exponents == ABSENT, xp.zeros_like(exponents), exponents)
    return shifted(matrix, -exponents), log_scale + LN_2 * exponents


class _Splitting:
    """One step of all products at once: rows (P, P^(0), P^(1), P^(2), P^(more), Q^g, …)."""

    def __init__(self, linearisation: EitherRange, gates: tuple[str, ...], m: int) -> None:
        self._linearisation, self._gates = linearisation, gates
        self._spans = {name: slice(i * m, (i + 1) * m) for i, name in enumerate((WHOLE, *COUNTS, *gates))}

    def depth(self, t: int, sparse: bool) -> float:
        return self._linearisation.depth(t, sparse)

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        out[...] = 0
        for i, name in enumerate(COUNTS[:-1]):
            self._split(t, W[..., self._spans[name]], out, name, COUNTS[i + 1])
        for name in (WHOLE, COUNTS[-1], *self._gates):
            rows = W[..., self._spans[name]]
            if rows.any():
                whole = namespace(W).empty_like(rows)
                self._linearisation.cotangent(t, rows, whole)
                out[..., self._spans[name]] += whole

    def _split(self, t: int, rows: Array, out: Array, name: str, following: str) -> None:
        split = self._linearisation.detours(t, rows) if rows.any() else None
        if split is None:
            return
        out[..., self._spans[name]] += split.direct
        for gate, returned in split.returns.items():
            out[..., self._spans[following]] += returned
            if name == COUNTS[0]:
                out[..., self._spans[gate]] += returned
