r"""The Jacobian products ∂s_T/∂s_k for every lag T - k, in one backward sweep, scaled so that none is ever lost.

The product is a grid of the state's blocks; a block's value is 2^exponent times what is stored. All blocks of a trial
share one exponent, and one step is one application of the cell's linearisation, as long as their sizes lie within the
range in which that is exact. Where a block falls far behind another (a hidden state that forgets beside a cell that
does not) each block gets an exponent of its own, and a step is one application for each part of the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from vanishgrad.cells import Cell, Linearisation, Trajectory
from vanishgrad.cells.arrays import Array, multiply_into, namespace

FLUSH_EVERY = 16
"""Steps between two sweeps of entries that would soon be subnormal, and stall the product a hundredfold."""

LN_2 = 0.6931471805599453


@dataclass(frozen=True, eq=False)
class Product:
    """∂s_T/∂s_k at one lag, and the input's ∂h_T/∂x_k where the sweep carries it.

    The arrays are the sweep's own buffers: read them before the next lag is asked for.

    Attributes
    ----------
    lag : int
    matrix : (B, m, m) array
        The blocks, each divided by 2^exponent.
    exponents : (B, a, a) array of int
        Exponent of each block, to-part and from-part in the order of the cell's parts.
    shared : bool
        Whether every block of a trial has the same exponent.
    slices : dict
        Name of a part → where it stands.
    log_masses : (B, a, a) array
        ln ‖block‖_F² of each block, -inf for a zero one.
    linearisation : Linearisation or None
        Holds step T - lag, the next to be applied; None at the last lag.
    input_matrix, input_exponents : (B, n, d) and (B,) arrays, or None
    """

    lag: int
    matrix: Array
    exponents: Array
    shared: bool
    slices: dict[str, slice]
    log_masses: Array
    linearisation: Linearisation | None = None
    input_matrix: Array | None = None
    input_exponents: Array | None = None

    def input_block(self) -> tuple[Array, Array]:
        """Return ∂h_T/∂x_{T-lag}, (B, n, d), and the logarithm of its scale, (B,)."""
        assert self.input_matrix is not None and self.input_exponents is not None
        return self.input_matrix, self.input_exponents * LN_2

    def log_frobenius(self, to: str | None, source: str | None) -> Array:
        """Return ln ‖·‖_F, (B,), of a block, or with None of all rows or columns."""
        rows, columns = self._parts(to), self._parts(source)
        masses = self.log_masses[:, rows.start : rows.stop, columns.start : columns.stop]
        xp = namespace(masses)
        top = xp.max(masses, axis=(1, 2))
        some = xp.where(top > -xp.inf, top, 0)
        with np.errstate(divide="ignore"):
            return (some + xp.log(xp.sum(xp.exp(masses - some[:, None, None]), axis=(1, 2)))) / 2

    def _parts(self, name: str | None) -> range:
        names = list(self.slices)
        return range(len(names)) if name is None else range(names.index(name), names.index(name) + 1)

    def block(self, to: str | None, source: str | None) -> tuple[Array, Array]:
        """Return a block, or with None all rows or columns, (B, p, q), and the logarithm of its scale, (B,)."""
        rows, columns = self._parts(to), self._parts(source)
        view = self.matrix[:, self._span(rows), self._span(columns)]
        exponents = self.exponents[:, rows.start : rows.stop, columns.start : columns.stop]
        if self.shared or len(rows) * len(columns) == 1:
            return view, exponents[:, 0, 0] * LN_2
        return self._on_one_scale(rows, columns)

    def _on_one_scale(self, rows: range, columns: range) -> tuple[Array, Array]:
        xp = namespace(self.matrix)
        spans = list(self.slices.values())
        powers = [_powers(self.matrix[:, spans[i], spans[j]], self.exponents[:, i, j]) for i in rows for j in columns]
        top = xp.max(xp.stack(powers), axis=0)
        scaled = [
            [_shifted(self.matrix[:, spans[i], spans[j]], self.exponents[:, i, j] - top) for j in columns] for i in rows
        ]
        return xp.concat([xp.concat(row, axis=-1) for row in scaled], axis=1), top * LN_2

    def _span(self, parts: range) -> slice:
        spans = list(self.slices.values())
        return slice(spans[parts.start].start, spans[parts.stop - 1].stop)


ABSENT = -(2**40)
"""The exponent of a block that is exactly zero, below every other."""


def _powers(block: Array, exponents: Array) -> Array:
    """Return the integers e, (B,), with max|value| in [2^(e-1), 2^e), ABSENT for a zero block."""
    xp = namespace(block)
    largest = xp.max(xp.abs(block), axis=(1, 2))
    some = largest > 0
    return xp.where(some, exponents + xp.astype(xp.ceil(xp.log2(xp.where(some, largest, 1))), exponents.dtype), ABSENT)


def _shifted(block: Array, shift: Array) -> Array:
    """Return block · 2^shift; what falls out of range is 0, as it should."""
    xp = namespace(block)
    limit = int(-xp.log2(xp.finfo(block.dtype).smallest_normal)) - 2
    factor = xp.astype(2.0 ** xp.astype(xp.clip(shift, -limit, limit), block.dtype), block.dtype)
    return block * xp.where(shift < -limit, xp.zeros_like(factor), factor)[:, None, None]


def backward_products(
    cell: Cell, trajectory: Trajectory, batch: int, with_input: bool = False, lags: int | None = None
) -> Iterator[Product]:
    """Yield ∂s_T/∂s_{T-lag} for lag = 0, 1, …, and with it ∂h_T/∂x_{T-lag} where the lag is below T.

    Parameters
    ----------
    cell : Cell
    trajectory : Trajectory
    batch : int
        The number B of sequences.
    with_input : bool
        Whether to carry the input's derivative, which costs half of a step again.
    lags : int, optional
        The last lag; T by default.

    Notes
    -----
    O(B m²) numbers beside the trajectory. A step of an LSTM costs 8 n³ multiplications and additions for each trial.
    """
    sweep = _Sweep(cell, trajectory, batch)
    last = trajectory.steps if lags is None else lags
    for lag, linearisation in zip(range(last), _linearisations(cell, trajectory, batch), strict=False):
        t = trajectory.steps - lag
        product = replace(sweep.product(lag), linearisation=linearisation)
        yield sweep.with_input(product, linearisation, t) if with_input else product
        sweep.step(linearisation, t)
    yield sweep.product(last)


def _linearisations(cell: Cell, trajectory: Trajectory, batch: int) -> Iterator[Linearisation]:
    """Yield, for t = T … 1, a linearisation that holds step t; a stretch is linearised when it is reached."""
    stretch = max(1, 2**21 // max(1, batch * cell.W_hh.shape[-2]))
    for stop in range(trajectory.steps, 0, -stretch):
        start = max(0, stop - stretch)
        linearisation = cell.linearise(trajectory, start, stop)
        for _ in range(start, stop):
            yield linearisation


class _Sweep:
    """The product's two buffers and exponents while it grows on the right."""

    def __init__(self, cell: Cell, trajectory: Trajectory, batch: int) -> None:
        xp, m = namespace(trajectory.states), cell.state_size
        self._xp, self._slices, self._dtype = xp, cell.slices, trajectory.states.dtype
        self._P = xp.zeros((batch, m, m), dtype=self._dtype)
        self._P += xp.eye(m, dtype=self._dtype)
        self._next = xp.empty_like(self._P)
        self._N = xp.empty((batch, cell.parts[0].size, cell.input_size), dtype=self._dtype)
        self._exponents = xp.zeros((batch, len(cell.parts), len(cell.parts)), dtype=xp.int64)
        self._shared = True
        bits = int(-xp.log2(xp.finfo(self._dtype).smallest_normal))
        self._band, self._spread = bits // 4, bits // 2
        self._age = 0
        self._mass = self._block_mass()

    def product(self, lag: int) -> Product:
        with np.errstate(divide="ignore"):
            log_masses = self._xp.log(self._mass) + 2 * LN_2 * self._exponents
        return Product(lag, self._P, self._exponents, self._shared, self._slices, log_masses)

    def with_input(self, product: Product, linearisation: Linearisation, t: int) -> Product:
        """Add ∂h_T/∂x_t; a cell whose h is narrower than its gates keeps h first all the same."""
        hidden = next(iter(self._slices.values()))
        W = self._P[:, hidden]
        if self._shared:
            linearisation.input_cotangent(t, W, self._N)
            return replace(product, input_matrix=self._N, input_exponents=self._exponents[:, 0, 0])
        terms = self._terms(lambda rows, out: linearisation.input_cotangent(t, rows, out), W, self._N)
        self._N, exponents = self._sum(terms, self._exponents[:, 0])
        return replace(product, input_matrix=self._N, input_exponents=exponents)

    def step(self, linearisation: Linearisation, t: int) -> None:
        """Replace the product by its product with J_t."""
        if self._shared:
            linearisation.cotangent(t, self._P, self._next)
        else:
            self._step_by_parts(lambda W, out: linearisation.cotangent(t, W, out))
        self._P, self._next = self._next, self._P
        self._age += 1
        if self._age % FLUSH_EVERY == 0:
            self._flush()
        self._mass = self._block_mass()
        if self._shared:
            self._rescale()

    def _flush(self) -> None:
        xp, tiny = self._xp, float(self._xp.finfo(self._dtype).smallest_normal) * 2.0**64
        multiply_into(self._P, xp.astype(xp.abs(self._P) > tiny, self._dtype), self._P)

    def _rescale(self) -> None:
        """Bring trials back to order 1, and give every block its own exponent once they drift apart."""
        xp, mass = self._xp, self._mass
        top = xp.max(mass, axis=(1, 2))
        some = xp.where(mass > 0, mass, top[:, None, None])
        apart = xp.any(some < top[:, None, None] * 2.0**-self._spread)
        if apart or self._hidden_by_underflow(mass):
            self._shared = False
            self._exponents = self._exponents.copy()
            self._normalise_blocks()
            self._mass = self._block_mass()
        elif xp.any((top < 2.0**-self._band) | (top > 2.0**self._band)):
            powers = xp.astype(xp.round(xp.log2(xp.where(top > 0, top, 1)) / 2), xp.int64)
            factor = xp.astype(2.0 ** -xp.astype(powers, self._dtype), self._dtype)[:, None, None]
            multiply_into(self._P, factor, self._P)
            self._mass = mass * factor**2
            self._exponents = self._exponents + powers[:, None, None]

    def _block_mass(self) -> Array:
        """Return the squared Frobenius norms of the blocks, (B, a, a)."""
        xp, spans = self._xp, list(self._slices.values())
        by_column = [xp.vecdot(self._P[..., columns], self._P[..., columns]) for columns in spans]
        rows = [[xp.sum(each[:, span], axis=-1) for each in by_column] for span in spans]
        return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=1)

    def _hidden_by_underflow(self, mass: Array) -> bool:
        if bool(self._xp.all(mass > 0)):
            return False
        spans = list(self._slices.values())
        empty = [(i, j) for i in range(len(spans)) for j in range(len(spans)) if bool(self._xp.any(mass[:, i, j] == 0))]
        return any(
            bool(self._xp.any((mass[:, i, j] == 0) & self._xp.any(self._P[:, spans[i], spans[j]] != 0, axis=(1, 2))))
            for i, j in empty
        )

    def _normalise_blocks(self) -> None:
        xp, spans = self._xp, list(self._slices.values())
        for i, rows in enumerate(spans):
            for j, columns in enumerate(spans):
                block, exponents = self._P[:, rows, columns], self._exponents[:, i, j]
                powers = _powers(block, exponents)
                powers = xp.where(powers == ABSENT, exponents, powers)
                block[...] = _shifted(block, exponents - powers)
                self._exponents[:, i, j] = powers

    def _step_by_parts(self, apply: Callable[[Array, Array], None]) -> None:
        xp, spans = self._xp, list(self._slices.values())
        exponents = xp.empty_like(self._exponents)
        for i, rows in enumerate(spans):
            terms = self._terms(apply, self._P[:, rows], self._next[:, rows])
            for j, columns in enumerate(spans):
                block, exponents[:, i, j] = self._sum([term[..., columns] for term in terms], self._exponents[:, i])
                self._next[:, rows, columns] = block
        self._exponents = exponents

    def _terms(self, apply: Callable[[Array, Array], None], W: Array, like: Array) -> list[Array]:
        """Apply a linear map to each part of W alone."""
        xp, terms = self._xp, []
        for columns in self._slices.values():
            alone, out = xp.zeros_like(W), xp.empty_like(like)
            alone[..., columns] = W[..., columns]
            apply(alone, out)
            terms.append(out)
        return terms

    def _sum(self, terms: list[Array], exponents: Array) -> tuple[Array, Array]:
        """Return Σ terms · 2^exponents, (B, p, q), divided by a power of two that makes it of order 1, and the power."""
        xp = self._xp
        powers = xp.stack([_powers(term, exponents[:, j]) for j, term in enumerate(terms)])
        top = xp.max(powers, axis=0)
        top = xp.where(top == ABSENT, xp.zeros_like(top), top)
        return xp.sum(xp.stack([_shifted(term, exponents[:, j] - top) for j, term in enumerate(terms)]), axis=0), top
