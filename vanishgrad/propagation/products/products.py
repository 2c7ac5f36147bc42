r"""Jacobian products ∂s_T/∂s_k for every lag T - k, in one backward sweep.

Nothing that is reported about a product changes when its rows of one part are turned by an orthonormal matrix from the
left: norms of every block are the same. So the sweep may replace rows R by Q R and leave out those that have become
too small to count (compression.py); what it yields are then the rows that are left.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vanishgrad.arrays import Array, is_numpy, namespace, on_host
from vanishgrad.cells import Cell, Linearisation, Trajectory
from vanishgrad.extended_range import ExtendedRange
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.compression import Compression
from vanishgrad.propagation.products.scaling import LN_2, joined, shifted
from vanishgrad.propagation.products.sweep import LOSS, PROBES, WHOLE, Sweep
from vanishgrad.steps_done import counted

UNTURNED: Mapping[str, Array] = {}


@dataclass(frozen=True, eq=False)
class Product:
    """∂s_T/∂s_k at one lag, and the input's ∂h_T/∂x_k where the sweep carries it.

    The matrices are the sweep's own buffers: read them before the next lag is asked for.

    Attributes
    ----------
    lag : int
    matrix : (B, p, m) array
        The blocks, each divided by 2^exponent.
    exponents : (B, rows, columns) array of int
        Exponent of each block.
    shared : bool
        Whether every block of a trial has the same exponent.
    rows, columns : dict
        Name of a part → where it stands. Behind the parts of the state stand further rows: ``loss``, a cotangent of
        h_T carried along, and the probes of what was left out.
    parts : int
        How many of the rows' names are parts of the state; 1 if all rows stand together.
    masses : (B, rows, columns) array
        ‖block‖_F² of each block as it is stored in `matrix`.
    turns : mapping
        Part → Q, (B, new, old): how its rows were turned since the lag before.
    linearisation : Linearisation or None
        Holds step T - lag, the next to be applied; None at the last lag.
    extended : ExtendedRange or None
        All rows in extended range, (B, p, m), where they have left floating point: `matrix` has of each block what is
        in range of its largest entry.
    input_matrix, input_exponents : (B, n, d) and (B,) arrays, or None
    input_probes : (B, s, d) array or None
        The probes of what is missing in `input_matrix`, on its scale.
    """

    lag: int
    matrix: Array
    exponents: Array
    shared: bool
    rows: dict[str, slice]
    columns: dict[str, slice]
    parts: int
    masses: Array
    turns: Mapping[str, Array]
    linearisation: Linearisation | None = None
    extended: ExtendedRange | None = None
    input_matrix: Array | None = None
    input_exponents: Array | None = None
    input_probes: Array | None = None

    def on_host(self) -> Product:
        """Return the same with NumPy's arrays; of a device's memory that is a copy."""
        if is_numpy(self.matrix):
            return self
        names = ("matrix", "exponents", "masses", "input_matrix", "input_exponents", "input_probes")
        copies: dict[str, Any] = {name: on_host(array) for name in names if (array := getattr(self, name)) is not None}
        return replace(self, **copies, turns={part: on_host(Q) for part, Q in self.turns.items()})

    def block(self, to: str | None, source: str | None) -> tuple[Array, Array]:
        """Return a block, or with None all rows of the state or columns, (B, p, q), and the log of its scale, (B,)."""
        rows, columns = self._rows(to), self._columns(source)
        if not self.shared and len(rows) * len(columns) > 1:
            return self._on_one_scale(rows, columns)
        by_rows, by_columns = self.spans(to, source)
        return self.matrix[:, by_rows, by_columns], _nats(self.exponents[:, rows.start, columns.start])

    def carried(self, name: str) -> tuple[Any, Array]:
        """Return rows that are carried along, (B, p, m), in extended range if they are, and the log of their scale."""
        if self.extended is None:
            return self.block(name, None)
        return self.extended[:, self.rows[name]], np.zeros(len(self.matrix))

    @property
    def has_one_scale(self) -> bool:
        """Whether all blocks of a trial, and the input's, have the same exponent."""
        inputs = self.input_exponents
        return self.shared and (inputs is None or bool((inputs == self.exponents[:, 0, 0]).all()))

    @property
    def log_scale(self) -> Array:
        """The logarithm of the scale, (B,), that all blocks share."""
        return _nats(self.exponents[:, 0, 0])

    @property
    def state_rows(self) -> Array:
        """All rows of the state, without those that are carried along."""
        return self.matrix[:, _span(self.rows, range(self.parts))]

    @property
    def probe_rows(self) -> Array | None:
        """The probes of all groups of rows, one group after the other; None where no row has been left out."""
        first = next((i for i, name in enumerate(self.rows) if name.endswith(PROBES)), None)
        if first is None:
            return None
        by = self.exponents[:, first:, 0] - self.exponents[:, :1, 0]
        spans = list(self.rows.values())[first:]
        if not by.any():
            return self.matrix[:, spans[0].start :]
        return namespace(by).concat([shifted(self.matrix[:, span], by[:, i]) for i, span in enumerate(spans)], axis=1)

    def places(self, to: str | None) -> slice:
        """Return which groups of rows a block consists of."""
        rows = self._rows(to)
        return slice(rows.start, rows.stop)

    def spans(self, to: str | None, source: str | None) -> tuple[slice, slice]:
        """Return where a block stands in the rows and columns of the state."""
        return _span(self.rows, self._rows(to)), _span(self.columns, self._columns(source))

    @property
    def probed(self) -> bool:
        """Whether rows have been left out."""
        return len(self.rows) > self.parts and next(reversed(self.rows)).endswith(PROBES)

    def probes(self, to: str, source: str | None, log_scale: Array) -> Array:
        """Return the probes, (B, s, q), of what is missing in a block, divided by exp(log_scale)."""
        rows, own_scale = self.block(to + PROBES, source)
        xp = namespace(rows)
        return rows * xp.exp(xp.clip(own_scale - log_scale, -700, 700))[:, None, None]

    def input_block(self) -> tuple[Array, Array]:
        """Return ∂h_T/∂x_{T-lag}, (B, n, d), and the logarithm of its scale, (B,)."""
        if self.input_matrix is None or self.input_exponents is None:
            raise ValueError("the sweep carries no input, or this is its last lag")
        return self.input_matrix, _nats(self.input_exponents)

    def log_frobenius(self, to: str | None, source: str | None) -> Array:
        """Return ln ‖·‖_F, (B,), of a block, or with None of all rows of the state or columns."""
        return log_frobenius(log_masses(self.masses, self.exponents), self._rows(to), self._columns(source))

    def _rows(self, name: str | None) -> range:
        return range(self.parts) if name is None else _only(self.rows, name)

    def _columns(self, name: str | None) -> range:
        return range(len(self.columns)) if name is None else _only(self.columns, name)

    def _on_one_scale(self, rows: range, columns: range) -> tuple[Array, Array]:
        by_row, by_column = list(self.rows.values()), list(self.columns.values())
        blocks = [[self.matrix[:, by_row[i], by_column[j]] for j in columns] for i in rows]
        exponents = self.exponents[:, rows.start : rows.stop, columns.start : columns.stop]
        matrix, exponent = joined(blocks, exponents)
        return matrix, _nats(exponent)


def log_masses(masses: Array, exponents: Array) -> Array:
    """Return ln ‖·‖_F² of blocks that are stored divided by powers of two, -inf for a zero one."""
    with np.errstate(divide="ignore"):
        logs: Array = namespace(masses).log(masses) + 2 * _nats(exponents)
    return logs


def log_frobenius(log_masses: Array, rows: range, columns: range) -> Array:
    """Return ln ‖·‖_F, (…), of some blocks together, from the ln ‖·‖_F² of all, (…, rows, columns)."""
    masses = log_masses[..., rows.start : rows.stop, columns.start : columns.stop]
    xp = namespace(masses)
    top = xp.max(masses, axis=(-2, -1))
    some = xp.where(top > -xp.inf, top, 0)
    with np.errstate(divide="ignore"):
        log_norms: Array = (some + xp.log(xp.sum(xp.exp(masses - some[..., None, None]), axis=(-2, -1)))) / 2
    return log_norms


def _nats(exponents: Array) -> Array:
    """Return exponents of 2 as natural logarithms, in float64 whatever a library makes of an integer times a number."""
    xp = namespace(exponents)
    logs: Array = xp.astype(exponents, xp.float64) * LN_2
    return logs


def _only(names: dict[str, slice], name: str) -> range:
    place = list(names).index(name)
    return range(place, place + 1)


def _span(names: dict[str, slice], places: range) -> slice:
    spans = list(names.values())
    return slice(spans[places.start].start, spans[places.stop - 1].stop)


def backward_products(
    cell: Cell,
    trajectory: Trajectory,
    batch: int,
    input_lags: Container[int] = (),
    lags: int | None = None,
    loss: Array | None = None,
    compression: Compression | None = None,
    whole: bool = False,
) -> Iterator[Product]:
    """Yield ∂s_T/∂s_{T-lag} for lag = 0, 1, …, and with it ∂h_T/∂x_{T-lag} at some lags below T.

    Parameters
    ----------
    cell : Cell
    trajectory : Trajectory
    batch : int
        The number B of sequences.
    input_lags : container of int
        The lags with the input's derivative, each of which costs half of a step again; none by default.
    lags : int, optional
        The last lag; T by default.
    loss : (B, n) array, optional
        A cotangent of h_T to carry along, as the row ``loss``.
    compression : Compression, optional
        Leaves out rows that have become too small to count.
    whole : bool
        Whether the rows of all parts may be turned into one another: fewer are left then, and no part can be told.

    Notes
    -----
    O(B m²) numbers beside the trajectory. A step of an LSTM costs 8 n³ multiplications and additions for each trial, in
    proportion to the rows that are left.
    """
    groups = _identity(cell, trajectory.start, batch, whole)
    carried = {} if loss is None else {LOSS: _padded(cell, loss)}
    sweep = Sweep(cell.slices, groups, carried, cell.input_size)
    last = trajectory.steps if lags is None else lags
    turns = UNTURNED
    for lag, linearisation in zip(range(last), linearisations(cell, trajectory, batch), strict=False):
        t = trajectory.steps - lag
        product = product_of(sweep, lag, turns, linearisation)
        yield _with_input(product, sweep, linearisation, t) if lag in input_lags else product
        sweep.step(linearisation, t)
        turns = compression.applied(sweep, lag + 1) if compression is not None else UNTURNED
    yield product_of(sweep, last, turns)


def _identity(cell: Cell, start: Array, batch: int, whole: bool) -> dict[str, Array]:
    """Return the rows of the product at lag 0 in their groups, of the kind of a start s_0."""
    xp, m, dtype = namespace(start), cell.state_size, start.dtype
    spans = {WHOLE: slice(0, m)} if whole else cell.slices
    return {name: xp.eye(m, dtype=dtype)[span] + xp.zeros((batch, 1, 1), dtype=dtype) for name, span in spans.items()}


def _padded(cell: Cell, loss: Array) -> Array:
    """Return a cotangent of the whole state, (B, 1, m), from one of h."""
    xp, span = namespace(loss), cell.slices[cell.parts[0].name]
    row = xp.zeros((loss.shape[0], 1, cell.state_size), dtype=loss.dtype)
    row[:, 0, span] = loss
    return row


def product_of(
    sweep: Sweep, lag: int, turns: Mapping[str, Array] = UNTURNED, linearisation: Linearisation | None = None
) -> Product:
    """Return what a sweep holds at a lag, how its rows were turned to get there, and what comes next."""
    return Product(
        lag, sweep.P, sweep.exponents, sweep.shared, dict(sweep.rows), sweep.columns, len(sweep.groups), sweep.mass,
        turns, linearisation, sweep.extended,
    )  # fmt: skip


def _with_input(product: Product, sweep: Sweep, linearisation: EitherRange, t: int) -> Product:
    matrix, exponents, probes = sweep.through_input(linearisation, t)
    return replace(product, input_matrix=matrix, input_exponents=exponents, input_probes=probes)


def longest_stretch(cell: Cell, batch: int) -> int:
    """Return how many steps are linearised at a time."""
    return max(1, 2**21 // max(1, batch * cell.record_size))


def linearisations(cell: Cell, trajectory: Trajectory, batch: int) -> Iterator[EitherRange]:
    """Return, for t = T … 1, a linearisation that holds step t; a stretch is linearised when it is reached."""
    return counted("Jacobian products", _linearisations(cell, trajectory, batch), trajectory.steps)


def _linearisations(cell: Cell, trajectory: Trajectory, batch: int) -> Iterator[EitherRange]:
    for start, stop in reversed(list(trajectory.stretches(longest_stretch(cell, batch)))):
        linearisation = EitherRange(cell, trajectory, start, stop)
        for _ in range(start, stop):
            yield linearisation
