"""Recorder of norms: fills in every curve, one lag of a sweep after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array, like, namespace, on_host
from vanishgrad.cells import Cell, Linearisation, Trajectory
from vanishgrad.curves.lag_batches import INPUT_CURVE, LagBatch, Lags, one_lag
from vanishgrad.curves.left_vectors import LeftVectors
from vanishgrad.curves.request import Scope
from vanishgrad.propagation.products.compression import Compression, error_bound, missing
from vanishgrad.propagation.products.products import Product, backward_products, log_frobenius, log_masses
from vanishgrad.propagation.products.sweep import LOSS
from vanishgrad.propagation.singular_values.largest import LeadingSingularValues, count_at_least


class Norms(NamedTuple):
    """One curve, trial by trial.

    Attributes
    ----------
    log_norm, log_rms : (B, L) arrays
        ln ‖·‖₂ and ln(‖·‖_F/√q): -inf where exactly zero, NaN beyond a trial's own length.
    alive : mapping
        Lag → number of singular values at or above the threshold, (B,).
    """

    log_norm: Array
    log_rms: Array
    alive: Mapping[int, Array]


def joined(groups: Sequence[Norms]) -> Norms:
    """Return one curve of several groups of trials, in their order."""
    alive = {lag: np.concatenate([group.alive[lag] for group in groups]) for lag in groups[0].alive}
    log_norm, log_rms = (np.concatenate([getattr(group, name) for group in groups]) for name in ("log_norm", "log_rms"))
    return Norms(log_norm, log_rms, alive)


DENSE, ADAPTIVE, MATRIX_FREE, DIAGONAL, KEY_SIDE = "dense", "adaptive", "matrix-free", "diagonal", "key-side"
ATTENTION = "attention"
"""Of a head alone, whose derivatives are no products: nobody chooses it."""


@dataclass(frozen=True, eq=False)
class Engine:
    """How the products were carried.

    Attributes
    ----------
    name : str
        ``dense``, every row; ``adaptive``, without the rows that had become too small to count; or ``matrix-free``,
        vectors alone, at some lags; ``diagonal``, sums of logarithms; ``key-side``, a product of keys a head; or
        ``attention``, the closed form of what is no product.
    final_rows : int
        Rows of the state's product that were left at the last lag, in the group of trials that kept most; without a
        product, the Lanczos steps there.
    error_bound : float
        Relative, of every norm at every lag. Adaptive: it holds with probability 1 - 1.6e-9 for each. Matrix-free: by
        its residual, some singular value lies within; a random start makes it all but certain that it is the largest,
        or within 1e-7 of it.
    float32_loss : float or None
        Of a run in float32, the largest difference of ln ‖∂s_T/∂s_k‖₂ from float64's, in trial 0.
    """

    name: str
    final_rows: int
    error_bound: float
    float32_loss: float | None = None


def _blocks(cell: Cell, scope: Scope) -> dict[str, tuple[str | None, str | None]]:
    """Return the (to, from) blocks whose norms are needed; a state of one part has one block."""
    every: dict[str, tuple[str | None, str | None]] = {"state": (None, None)}
    if len(cell.parts) > 1:
        every |= {**cell.curves, "output": (cell.parts[0].name, None)}
    return {name: block for name, block in every.items() if scope.measures(name)}


def alive_lags(last: int) -> list[int]:
    """Return the lags at which singular values are counted: powers of ten, and the last."""
    return [*(10**power for power in range(1, 8) if 10**power < last), last]


class Recorder:
    """Fills in one lag after the other."""

    def __init__(self, cell: Cell, lengths: Array, loss: Array | None, threshold: float, scope: Scope) -> None:
        self._cell, self._lengths, self._loss, self._threshold = cell, lengths, loss, threshold
        batch, self._steps = len(lengths), int(lengths.max())
        self._blocks, self._input_lags = _blocks(cell, scope), input_lags(lengths, scope)
        self._alive_lags = alive_lags(int(lengths.min())) if scope.details else []
        self._log_norm, self._log_rms, self._alive = {}, {}, {}
        for name in [*self._blocks, "conveyor", *([INPUT_CURVE] if self._input_lags else [])]:
            shape = (batch, self._steps + (name != INPUT_CURVE))
            self._log_norm[name], self._log_rms[name] = np.full(shape, np.nan), np.full(shape, np.nan)
            self._alive[name] = dict[int, Array]()
        self._masses: list[tuple[Array, Array]] = []
        self._log_shares = np.full((batch, 0 if loss is None else self._steps), -np.inf)
        self._shapes = {name: _shape(cell, *block) for name, block in self._blocks.items()}
        if self._input_lags:
            self._shapes[INPUT_CURVE] = (cell.parts[0].size, cell.input_size)
        self._leading = LeadingSingularValues(self._shapes, batch, f"float{cell.bits}")
        self._log_conveyor: Array | None = np.zeros((batch, 1)) if scope.measures("conveyor") else None
        self._error_bound = 0.0
        self._window: LagBatch | None = None
        self._left = LeftVectors(self._steps) if cell.bits == 32 and "state" in self._blocks else None

    def record(self, trajectory: Trajectory, compression: Compression | None) -> None:
        """Record every lag of a sweep."""
        whole = compression is not None and list(self._blocks) == ["state"] and not self._input_lags
        loss = None if self._loss is None else like(trajectory.start, self._loss)
        products = backward_products(
            self._cell, trajectory, len(self._lengths), self._input_lags, self._steps, loss, compression, whole
        )
        with np.errstate(divide="ignore"):
            for product in products:
                self._observe(product, trajectory.steps - product.lag)
            self._take_norms()
        self._record_rms()
        rows = list(product.rows.values())[product.parts - 1].stop
        self.engine = Engine(ADAPTIVE if compression and product.probed else DENSE, rows, self._error_bound)

    def _observe(self, product: Product, t: int) -> None:
        """Record one lag, its norms when the window of lags is full; `t` is the step that comes next.

        Norms are taken by NumPy, wherever the product is.
        """
        self._observe_conveyor(product.lag)
        if product.linearisation is not None:
            self._observe_step(product, product.linearisation, t)
        product = product.on_host()
        if product.turns:
            self._take_norms()
            self._leading.turn({name: self._turning(product, name) for name in self._shapes})
            if self._left is not None:
                self._left.turn(product.turns)
        self._masses.append((product.masses[:, : product.parts], product.exponents[:, : product.parts]))
        if product.input_matrix is not None:
            self._log_rms[INPUT_CURVE][:, product.lag] = _log_frobenius(*product.input_block()) - _half_log(
                self._cell.input_size
            )
        self._gather(product)

    def _gather(self, product: Product) -> None:
        """Keep a product until the norms of several lags are taken together."""
        if not product.has_one_scale or product.linearisation is None:
            self._take_norms()
            self._record_norms(one_lag(product, self._blocks))
            return
        if self._window is None or not self._window.fits(product):
            self._take_norms()
            self._window = LagBatch(product)
        self._window.append(product)
        if self._window.full:
            self._record_norms(self._window.lags(self._blocks))

    def _take_norms(self) -> None:
        """Record the norms of the lags in the window, and begin another."""
        if self._window is not None and not self._window.empty:
            self._record_norms(self._window.lags(self._blocks))
        self._window = None

    def _record_norms(self, lags: Lags) -> None:
        batch = len(self._lengths)
        for name, sigma in self._leading(lags.matrices).items():
            by_lag, log_scales = sigma.reshape(-1, batch), lags.log_scales[name]
            self._log_norm[name][:, lags.first : lags.first + len(by_lag)] = (np.log(by_lag) + log_scales).T
            for i, lag in enumerate(range(lags.first, lags.first + len(by_lag))):
                if lag in self._counted(name):
                    least = self._threshold * np.exp(np.clip(-log_scales[i], -700, 700))
                    matrix = lags.matrices[name][i * batch : (i + 1) * batch]
                    self._alive[name][lag] = count_at_least(matrix, least, by_lag[i])
            if name in lags.probes:
                self._error_bound = max(self._error_bound, error_bound(sigma, missing(lags.probes[name])))
            if self._left is not None and name == "state":
                last, matrix = lags.first + len(by_lag) - 1, lags.matrices[name][-batch]
                self._left.observe(last, matrix, self._leading.left_vector(name), float(by_lag[-1, 0]))

    def _record_rms(self) -> None:
        """Record ‖·‖_F/√q of all lags at once."""
        masses = log_masses(*(np.stack(each, axis=1) for each in zip(*self._masses, strict=True)))
        places = {part.name: range(i, i + 1) for i, part in enumerate(self._cell.parts)}
        for name, (to, source) in self._blocks.items():
            rows = range(masses.shape[2]) if to is None else places[to]
            columns = range(masses.shape[3]) if source is None else places[source]
            q = _shape(self._cell, to, source)[1]
            self._log_rms[name][:] = log_frobenius(masses, rows, columns) - _half_log(q)

    def _turning(self, product: Product, name: str) -> Callable[[Array], Array]:
        """Return what maps a curve's left vectors, (B, p), to those of its turned rows."""
        to = self._cell.parts[0].name if name == INPUT_CURVE else self._blocks[name][0]
        turns = list(product.turns.values()) if to is None else [product.turns[to]]
        ends = np.cumsum([Q.shape[2] for Q in turns])[:-1]

        def turned(x: Array) -> Array:
            parts = np.split(x, ends, axis=1)
            return np.concatenate([(Q @ part[..., None])[..., 0] for Q, part in zip(turns, parts, strict=True)], axis=1)

        return turned

    def _counted(self, name: str) -> list[int]:
        last = int(self._lengths.min()) - (name == INPUT_CURVE)
        return [min(lag, last) for lag in self._alive_lags]

    def _observe_conveyor(self, lag: int) -> None:
        if self._log_conveyor is None:
            return
        logs = self._log_conveyor
        self._log_norm["conveyor"][:, lag] = logs.max(axis=1)
        self._log_rms["conveyor"][:, lag] = log_rms(logs)
        if lag in self._alive_lags:
            self._alive["conveyor"][lag] = np.sum(logs >= math.log(self._threshold), axis=1)

    def _observe_step(self, product: Product, linearisation: Linearisation, t: int) -> None:
        if self._loss is not None:
            rows, log_scale = product.carried(LOSS)
            sizes = linearisation.weight_gradient_norm(t, rows[:, 0])
            self._log_shares[:, product.lag] = on_host(namespace(sizes).log(sizes)) + on_host(log_scale)
        if self._log_conveyor is not None:
            diagonal = linearisation.conveyor(t)
            self._log_conveyor = None if diagonal is None else self._log_conveyor + log_sizes(diagonal)

    def measured(self) -> dict[str, Norms]:
        """Return the curves, without those that the cell does not have."""
        names = [name for name in self._log_norm if name != "conveyor" or self._log_conveyor is not None]
        beyond = np.arange(self._steps + 1) > self._lengths[:, None]
        for name in names:
            shift = int(name == INPUT_CURVE)
            for values in (self._log_norm[name], self._log_rms[name]):
                values[beyond[:, shift:]] = np.nan
        return {name: Norms(self._log_norm[name], self._log_rms[name], self._alive[name]) for name in names}

    @property
    def left_vectors(self) -> Mapping[int, Array]:
        """Lag → the leading left vector of the state's product in trial 0, (m,), at some lags of a run in float32."""
        return self._left.by_lag if self._left is not None else {}

    def shares(self) -> Array:
        """Return each trial's share of ‖∂L/∂W_hh‖'s terms by lag, (B, T); (B, 0) without a loss."""
        return shares_of(self._log_shares, self._lengths)


def shares_of(log_shares: Array, lengths: Array) -> Array:
    """Return shares of terms by lag, (B, T), from their logarithms: they sum to 1, NaN where all terms are zero."""
    if not log_shares.shape[1]:
        return log_shares
    logs = np.where(np.arange(log_shares.shape[1]) < lengths[:, None], log_shares, -np.inf)
    top = logs.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        terms = np.exp(logs - top)
        shares: Array = terms / terms.sum(axis=1, keepdims=True)
    return shares


def input_lags(lengths: Array, scope: Scope) -> Collection[int]:
    """Return the lags at which the input's derivative is measured."""
    shortest, longest = int(lengths.min()), int(lengths.max())
    if scope.measures(INPUT_CURVE):
        return range(longest)
    return {shortest - 1, longest - 1} if scope.last_input else ()


def _shape(cell: Cell, to: str | None, source: str | None) -> tuple[int, int]:
    sizes = {part.name: part.size for part in cell.parts}
    rows, columns = (cell.state_size if name is None else sizes[name] for name in (to, source))
    return rows, columns


def _half_log(q: int) -> float:
    return math.log(q) / 2


def _log_frobenius(matrix: Array, log_scale: Array) -> Array:
    flat = matrix.reshape(len(matrix), -1)
    norm: Array = np.log(np.vecdot(flat, flat)) / 2 + log_scale
    return norm


def log_sizes(x: Array) -> Array:
    """Return ln|x| on the host, of numbers in either range."""
    xp = namespace(x)
    return on_host(xp.log(xp.abs(x)))


def log_rms(logs: Array) -> Array:
    """Return ln(‖·‖_F/√q) of a diagonal matrix from the logarithms of its entries, (B, q)."""
    top = logs.max(axis=1)
    some = np.where(np.isfinite(top), top, 0.0)
    mean: Array = np.log(np.mean(np.exp(2 * (logs - some[:, None])), axis=1)) / 2 + some
    return mean
