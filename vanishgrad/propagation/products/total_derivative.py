r"""Total derivative dc_T/dc_k, in which the hidden state moves with the cell state, and the textbooks' product.

With h_k = o_k ⊙ φ(c_k) and E_k = ∂h_k/∂c_k, autograd's derivative by the node c_k is the total one,

    dc_T/dc_k = ∂c_T/∂c_k + ∂c_T/∂h_k E_k .

The *four-term product* chains the total derivative of one step, ∏ (F_s + C_s E_{s-1}); it drops the path h → h through
the output gate, and is dc_T/dc_k only where that has no weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vanishgrad.arrays import Array, is_extended, namespace
from vanishgrad.cells import Cell, Linearisation, StoredTrajectory
from vanishgrad.extended_range import on_one_scale
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.products import linearisations, product_of
from vanishgrad.propagation.products.scaling import LN_2
from vanishgrad.propagation.products.sweep import Sweep


@dataclass(frozen=True, eq=False)
class TotalProducts:
    """dc_T/dc_{T-lag} and the four-term product, each a matrix (B, n, n) and the logarithm of its scale, (B,)."""

    lag: int
    total: tuple[Array, Array]
    four_term: tuple[Array, Array]


def total_products(
    cell: Cell, trajectory: StoredTrajectory, batch: int, lags: int | None = None
) -> Iterator[TotalProducts] | None:
    """Return both for lag = 0 … T - 1, or None for a cell whose hidden state is not made of another part.

    At lag T there is no h_k that would move: s_0 is given.

    Parameters
    ----------
    cell : Cell
    trajectory : StoredTrajectory
    batch : int
        The number B of sequences.
    lags : int, optional
        How many lags; T by default.

    Notes
    -----
    O(B n²) numbers beside the trajectory; a step of an LSTM costs 8 n³ multiplications and additions for each trial.
    """
    t, rows = trajectory.steps, _rows_at_lag_0(cell, trajectory, batch)
    if cell.linearise(trajectory, t - 1, t).total(t, rows) is None:
        return None
    return _swept(cell, trajectory, batch, rows, t if lags is None else lags)


def _rows_at_lag_0(cell: Cell, trajectory: StoredTrajectory, batch: int) -> Array:
    xp, dtype, span = namespace(trajectory.states), trajectory.states.dtype, cell.slices[cell.conveyed]
    return xp.eye(cell.state_size, dtype=dtype)[span] + xp.zeros((batch, 1, 1), dtype=dtype)


def _swept(cell: Cell, trajectory: StoredTrajectory, batch: int, rows: Array, lags: int) -> Iterator[TotalProducts]:
    whole, chained = (Sweep(cell.slices, {cell.conveyed: rows}) for _ in range(2))
    for lag, linearisation in zip(range(lags), linearisations(cell, trajectory, batch), strict=False):
        t = trajectory.steps - lag
        yield TotalProducts(lag, *(_read(sweep, linearisation, t) for sweep in (whole, chained)))
        whole.step(linearisation, t)
        chained.step(_Chained(linearisation, cell.slices[cell.conveyed]), t)


def _read(sweep: Sweep, linearisation: Linearisation, t: int) -> tuple[Array, Array]:
    (part,) = sweep.rows
    matrix, log_scale = product_of(sweep, 0).carried(part)
    total = linearisation.total(t, matrix)
    assert total is not None
    if not is_extended(total):
        return total, log_scale
    wide: Any = total
    matrix, exponents = on_one_scale(wide)
    return matrix, exponents * LN_2


class _Chained:
    """One step of the four-term product: h_t moves with c_t, then both go back a step, and nothing of h is kept."""

    def __init__(self, linearisation: EitherRange, conveyed: slice) -> None:
        self._linearisation, self._conveyed = linearisation, conveyed

    def depth(self, t: int, sparse: bool) -> float:
        return 2 * self._linearisation.depth(t, sparse)

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        total = self._linearisation.total(t, W)
        rows = namespace(W).zeros_like(W)
        rows[..., self._conveyed] = total
        if (taken := self._linearisation.taken(t)) is not None and not taken.all():
            rows = namespace(W).where(taken[:, None, None], rows, W)
        self._linearisation.cotangent(t, rows, out)
