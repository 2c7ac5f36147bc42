"""Filling in the norms of every curve, one lag of a sweep after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.analysis.window import Window
from vanishgrad.cells import Cell, Linearisation, Path
from vanishgrad.cells.arrays import Array, bits, like, on_host
from vanishgrad.propagation.compression import Compression, error_bound, missing
from vanishgrad.propagation.norms import LeadingSingularValues, count_at_least
from vanishgrad.propagation.products import Product, backward_products, log_frobenius
from vanishgrad.propagation.sweep import LOSS, PROBES


@dataclass(frozen=True, eq=False)
class Norms:
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


@dataclass(frozen=True)
class Engine:
    """How the products were carried.

    Attributes
    ----------
    name : str
        ``dense``, every row; ``adaptive``, without the rows that had become too small to count; or ``matrix-free``,
        vectors alone, at some lags.
    final_rows : int
        Rows of the state's product that were left at the last lag; without a product, the Lanczos steps there.
    error_bound : float
        Relative, of every norm at every lag. Adaptive: it holds with probability 1 - 1.6e-9 for each. Matrix-free: by
        its residual, some singular value lies within; a random start makes it all but certain that it is the largest.
    float32_loss : float or None
        Of a run in float32, the largest difference of ln ‖∂s_T/∂s_k‖₂ from float64's, in trial 0.
    """

    name: str
    final_rows: int
    error_bound: float
    float32_loss: float | None = None


def _blocks(cell: Cell, curves: Collection[str] | None) -> dict[str, tuple[str | None, str | None]]:
    """Return the (to, from) blocks whose norms are needed; a state of one part has one block."""
    every: dict[str, tuple[str | None, str | None]] = {"state": (None, None)}
    if len(cell.parts) > 1:
        every |= {**cell.curves, "output": ("h", None)}
    return every if curves is None else {name: block for name, block in every.items() if name in curves}


def alive_lags(last: int) -> list[int]:
    """Return the lags at which singular values are counted: powers of ten, and the last."""
    return [*(10**power for power in range(1, 8) if 10**power < last), last]


class Recorder:
    """Fills in one lag after the other."""

    def __init__(
        self, cell: Cell, lengths: Array, loss: Array | None, threshold: float, curves: Collection[str] | None
    ) -> None:
        self._cell, self._lengths, self._loss, self._threshold = cell, lengths, loss, threshold
        self._blocks, self._with_input = _blocks(cell, curves), curves is None or "input" in curves
        batch, self._steps = len(lengths), int(lengths.max())
        self._alive_lags = alive_lags(int(lengths.min()))
        self._log_norm, self._log_rms, self._alive = {}, {}, {}
        for name in [*self._blocks, "conveyor", *(["input"] if self._with_input else [])]:
            shape = (batch, self._steps + (name != "input"))
            self._log_norm[name], self._log_rms[name] = np.full(shape, np.nan), np.full(shape, np.nan)
            self._alive[name] = dict[int, Array]()
        self._log_masses: list[Array] = []
        self._log_shares = np.full((batch, 0 if loss is None else self._steps), -np.inf)
        shapes = {name: _shape(cell, *block) for name, block in self._blocks.items()}
        if self._with_input:
            shapes["input"] = (cell.parts[0].size, cell.input_size)
        self._leading = LeadingSingularValues(shapes, batch, f"float{bits(cell.W_hh)}")
        with_conveyor = curves is None or "conveyor" in curves
        self._log_conveyor: Array | None = np.zeros((batch, 1)) if with_conveyor else None
        self._input: dict[str, tuple[Array, Array]] = {}
        self._input_probes: Array | None = None
        self._error_bound = 0.0
        self._window: Window | None = None

    def record(self, trajectory: Path, compression: Compression | None) -> None:
        """Record every lag of a sweep."""
        whole = compression is not None and list(self._blocks) == ["state"] and not self._with_input
        loss = None if self._loss is None else like(trajectory.start, self._loss)
        products = backward_products(
            self._cell, trajectory, len(self._lengths), self._with_input, self._steps, loss, compression, whole
        )
        with np.errstate(divide="ignore"):
            for product in products:
                self._observe(product, trajectory.steps - product.lag)
            self._take_norms()
        self._record_rms()
        rows = list(product.rows.values())[product.parts - 1].stop
        self.engine = Engine("adaptive" if compression and product.probed else "dense", rows, self._error_bound)

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
            self._window = None
        found = self._found(product)
        if product.turns:
            self._leading.turn({name: self._turning(product, name) for name in found})
        self._log_masses.append(product.log_masses[:, : product.parts])
        if product.input_matrix is not None:
            self._log_rms["input"][:, product.lag] = _log_frobenius(*found["input"]) - _half_log(self._cell.input_size)
        self._gather(product, found)

    def _found(self, product: Product) -> dict[str, tuple[Array, Array]]:
        """Return every curve's matrix and the logarithm of its scale.

        Behind the last step there is no input; its last matrix stands in, since all are iterated together.
        """
        if product.input_matrix is not None:
            self._input, self._input_probes = {"input": product.input_block()}, product.input_probes
        elif product.turns and self._input:
            self._input = {"input": self._turned_input(product)}
        return {name: product.block(*block) for name, block in self._blocks.items()} | self._input

    def _gather(self, product: Product, found: Mapping[str, tuple[Array, Array]]) -> None:
        """Keep a lag's matrices until the norms of several lags are taken together."""
        arrays = {name: matrix for name, (matrix, _) in found.items()}
        log_scales = {name: log_scale for name, (_, log_scale) in found.items()}
        if product.probed:
            arrays |= {name + PROBES: self._probes(product, name, log_scales[name]) for name in found}
        if self._window is None:
            self._window = Window(arrays)
        self._window.append(product.lag, arrays, log_scales)
        if self._window.full:
            self._take_norms()

    def _take_norms(self) -> None:
        """Record the norms of the lags in the window."""
        window = self._window
        if window is None or not window.lags:
            return
        names = [*self._blocks, *self._input]
        for name, sigma in self._leading({name: window.array(name) for name in names}).items():
            self._record_norms(name, window, sigma)
        window.clear()

    def _record_norms(self, name: str, window: Window, sigma: Array) -> None:
        batch, first = len(self._lengths), window.lags[0]
        by_lag, log_scales = sigma.reshape(-1, batch), window.log_scale(name)
        place = self._log_norm[name][:, first : first + len(by_lag)]
        place[...] = (np.log(by_lag) + log_scales).T[:, : place.shape[1]]
        for lag in set(window.lags).intersection(self._counted(name)):
            i = lag - first
            least = self._threshold * np.exp(np.clip(-log_scales[i], -700, 700))
            matrix = window.array(name)[i * batch : (i + 1) * batch]
            self._alive[name][lag] = count_at_least(matrix, least, by_lag[i])
        if name + PROBES in window:
            left_out = missing(window.array(name + PROBES))
            self._error_bound = max(self._error_bound, error_bound(sigma, left_out))

    def _record_rms(self) -> None:
        """Record ‖·‖_F/√q of all lags at once."""
        masses = np.stack(self._log_masses, axis=1)
        places = {part.name: range(i, i + 1) for i, part in enumerate(self._cell.parts)}
        for name, (to, source) in self._blocks.items():
            rows = range(masses.shape[2]) if to is None else places[to]
            columns = range(masses.shape[3]) if source is None else places[source]
            q = _shape(self._cell, to, source)[1]
            self._log_rms[name][:] = log_frobenius(masses, rows, columns) - _half_log(q)

    def _turned_input(self, product: Product) -> tuple[Array, Array]:
        matrix, log_scale = self._input["input"]
        return product.turns[self._cell.parts[0].name] @ matrix, log_scale

    def _turning(self, product: Product, name: str) -> Callable[[Array], Array]:
        """Return what maps a curve's left vectors, (B, p), to those of its turned rows."""
        to = self._cell.parts[0].name if name == "input" else self._blocks[name][0]
        turns = list(product.turns.values()) if to is None else [product.turns[to]]
        ends = np.cumsum([Q.shape[2] for Q in turns])[:-1]

        def turned(x: Array) -> Array:
            parts = np.split(x, ends, axis=1)
            return np.concatenate([(Q @ part[..., None])[..., 0] for Q, part in zip(turns, parts, strict=True)], axis=1)

        return turned

    def _probes(self, product: Product, name: str, log_scale: Array) -> Array:
        """Return the probes of what a curve's matrix misses, (B, parts, s, q), on the matrix's scale."""
        if name == "input":
            return np.zeros((len(log_scale), 1, 1, 1)) if self._input_probes is None else self._input_probes[:, None]
        to, source = self._blocks[name]
        parts = list(product.rows)[: product.parts] if to is None else [to]
        return np.stack([product.probes(part, source, log_scale) for part in parts], axis=1)

    def _counted(self, name: str) -> list[int]:
        last = self._alive_lags[-1]
        return [lag if name != "input" or lag < last else last - 1 for lag in self._alive_lags]

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
            matrix, log_scale = product.block(LOSS, None)
            sizes = on_host(linearisation.weight_gradient_norm(t, matrix[:, 0]))
            self._log_shares[:, product.lag] = np.log(sizes) + on_host(log_scale)
        if self._log_conveyor is not None:
            diagonal = linearisation.conveyor(t)
            self._log_conveyor = None if diagonal is None else self._log_conveyor + np.log(np.abs(on_host(diagonal)))

    def measured(self) -> dict[str, Norms]:
        """Return the curves, without those that the cell does not have."""
        names = [name for name in self._log_norm if name != "conveyor" or self._log_conveyor is not None]
        beyond = np.arange(self._steps + 1) > self._lengths[:, None]
        for name in names:
            shift = int(name == "input")
            for values in (self._log_norm[name], self._log_rms[name]):
                values[beyond[:, shift:]] = np.nan
        return {name: Norms(self._log_norm[name], self._log_rms[name], self._alive[name]) for name in names}

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


def log_rms(logs: Array) -> Array:
    """Return ln(‖·‖_F/√q) of a diagonal matrix from the logarithms of its entries, (B, q)."""
    top = logs.max(axis=1)
    some = np.where(np.isfinite(top), top, 0.0)
    mean: Array = np.log(np.mean(np.exp(2 * (logs - some[:, None])), axis=1)) / 2 + some
    return mean
