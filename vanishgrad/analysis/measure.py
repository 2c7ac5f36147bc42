"""Per-trial norms of every curve, from one backward sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.cells import Cell, Linearisation, Path
from vanishgrad.cells.arrays import Array
from vanishgrad.propagation.compression import Compression, error_bound
from vanishgrad.propagation.norms import LeadingSingularValues, count_at_least
from vanishgrad.propagation.products import Product, backward_products
from vanishgrad.propagation.sweep import LOSS


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
        ``dense``, every row; or ``adaptive``, without the rows that had become too small to count.
    final_rows : int
        Rows of the state's product that were left at the last lag.
    error_bound : float
        Relative, of every norm at every lag; it holds with probability 1 - 1.6e-9 for each.
    """

    name: str
    final_rows: int
    error_bound: float


@dataclass(frozen=True, eq=False)
class Measurement:
    """Every curve's norms, and each trial's share of the parameter gradient by lag, (B, T)."""

    curves: Mapping[str, Norms]
    shares: Array
    engine: Engine


ERROR_LIMIT = 1e-8
"""An adaptive sweep whose error bound is above is repeated with all rows."""


def measure(
    cell: Cell,
    trajectory: Path,
    lengths: Array,
    loss: Array,
    threshold: float,
    curves: Collection[str] | None = None,
    engine: str = "auto",
) -> Measurement:
    """Measure a cell along a trajectory.

    Parameters
    ----------
    cell : Cell
    trajectory : Path
        Sequences aligned at their end; what stands before a sequence's own length is not measured.
    lengths : (B,) array of int
    loss : (B, n) array
        A unit cotangent of h_T, for the share of the parameter gradient by lag.
    threshold : float
        What a singular value has to reach to count as alive.
    curves : collection of str, optional
        The curves to measure; all by default.
    engine : str
        ``dense``, ``adaptive`` or ``auto``: adaptive in float64, for products that are large enough to gain by it.

    Notes
    -----
    Along T steps of an LSTM: 12 n³ B T multiplications and additions, fewer where rows are left out; O(B n²) numbers
    beside the trajectory.
    """
    adaptive = engine == "adaptive" or (engine == "auto" and loss.dtype == np.float64 and cell.state_size >= SMALLEST)
    recorder = _Recorder(cell, lengths, loss, threshold, curves)
    recorder.record(trajectory, Compression() if adaptive else None)
    if recorder.engine.error_bound > ERROR_LIMIT:
        recorder = _Recorder(cell, lengths, loss, threshold, curves)
        recorder.record(trajectory, None)
    found = recorder.measured()
    aliases = {"hidden": "state", "output": "state"} if len(cell.parts) == 1 else {}
    order = ("state", *cell.curves, "conveyor", "input", "output")
    wanted = order if curves is None else [name for name in order if name in curves]
    named = {name: found.get(aliases.get(name, name)) for name in wanted}
    return Measurement(
        {name: norms for name, norms in named.items() if norms is not None}, recorder.shares(), recorder.engine
    )


SMALLEST = 24
"""State size from which on compression can pay."""


def _blocks(cell: Cell, curves: Collection[str] | None) -> dict[str, tuple[str | None, str | None]]:
    """Return the (to, from) blocks whose norms are needed; a state of one part has one block."""
    every: dict[str, tuple[str | None, str | None]] = {"state": (None, None)}
    if len(cell.parts) > 1:
        every |= {**cell.curves, "output": ("h", None)}
    return every if curves is None else {name: block for name, block in every.items() if name in curves}


def alive_lags(last: int) -> list[int]:
    """Return the lags at which singular values are counted: powers of ten, and the last."""
    return [*(10**power for power in range(1, 8) if 10**power < last), last]


class _Recorder:
    """Fills in one lag after the other."""

    def __init__(
        self, cell: Cell, lengths: Array, loss: Array, threshold: float, curves: Collection[str] | None
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
        self._log_shares = np.full((batch, self._steps), -np.inf)
        shapes = {name: _shape(cell, *block) for name, block in self._blocks.items()}
        if self._with_input:
            shapes["input"] = (cell.parts[0].size, cell.input_size)
        self._leading = LeadingSingularValues(shapes, batch, loss.dtype)
        self._log_conveyor: Array | None = np.zeros((batch, 1))
        self._input: dict[str, tuple[Array, Array]] = {}
        self._error_bound = 0.0

    def record(self, trajectory: Path, compression: Compression | None) -> None:
        """Record every lag of a sweep."""
        products = backward_products(
            self._cell, trajectory, len(self._lengths), self._with_input, self._steps, self._loss, compression
        )
        with np.errstate(divide="ignore"):
            for product in products:
                self._observe(product, trajectory.steps - product.lag)
        rows = sum(_height(product, name) for name in product.columns)
        self.engine = Engine("adaptive" if compression and product.probed else "dense", rows, self._error_bound)

    def _observe(self, product: Product, t: int) -> None:
        """Record one lag; `t` is the step that comes next."""
        blocks = {name: product.block(*block) for name, block in self._blocks.items()}
        rms = {name: product.log_frobenius(*block) for name, block in self._blocks.items()}
        if product.input_matrix is not None:
            self._input = {"input": product.input_block()}
            rms["input"] = _log_frobenius(*self._input["input"])
        elif product.turns and self._input:
            self._input = {"input": self._turned_input(product)}
        if product.turns:
            self._leading.turn({name: self._turning(product, name) for name in [*self._blocks, *self._input]})
        # Behind the last step there is no input; its last matrix stands in, since all are iterated together.
        found = blocks | self._input
        sigma = self._leading({name: matrix for name, (matrix, _) in found.items()})
        for name, log_frobenius in rms.items():
            matrix, log_scale = found[name]
            self._log_norm[name][:, product.lag] = np.log(sigma[name]) + log_scale
            self._log_rms[name][:, product.lag] = log_frobenius - math.log(matrix.shape[-1]) / 2
            if product.lag in self._counted(name):
                least = self._threshold * np.exp(np.clip(-log_scale, -700, 700))
                self._alive[name][product.lag] = count_at_least(matrix, least, sigma[name])
            if product.probed:
                self._error_bound = max(self._error_bound, error_bound(sigma[name], self._probes(product, name)))
        self._observe_conveyor(product.lag)
        if product.linearisation is not None:
            self._observe_step(product, product.linearisation, t)

    def _turned_input(self, product: Product) -> tuple[Array, Array]:
        matrix, log_scale = self._input["input"]
        return product.turns[self._cell.parts[0].name] @ matrix, log_scale

    def _turning(self, product: Product, name: str) -> Callable[[Array], Array]:
        """Return what maps a curve's left vectors, (B, p), to those of its turned rows."""
        to = self._cell.parts[0].name if name == "input" else self._blocks[name][0]
        turns = [product.turns[part] for part in (product.columns if to is None else [to])]
        ends = np.cumsum([Q.shape[2] for Q in turns])[:-1]

        def turned(x: Array) -> Array:
            parts = np.split(x, ends, axis=1)
            return np.concatenate([(Q @ part[..., None])[..., 0] for Q, part in zip(turns, parts, strict=True)], axis=1)

        return turned

    def _probes(self, product: Product, name: str) -> list[Array]:
        if name == "input":
            return [] if product.input_probes is None else [product.input_probes]
        to, source = self._blocks[name]
        return [product.probes(part, source) for part in (product.columns if to is None else [to])]

    def _counted(self, name: str) -> list[int]:
        last = self._alive_lags[-1]
        return [lag if name != "input" or lag < last else last - 1 for lag in self._alive_lags]

    def _observe_conveyor(self, lag: int) -> None:
        if self._log_conveyor is None:
            return
        logs = self._log_conveyor
        self._log_norm["conveyor"][:, lag] = logs.max(axis=1)
        self._log_rms["conveyor"][:, lag] = _log_rms(logs)
        if lag in self._alive_lags:
            self._alive["conveyor"][lag] = np.sum(logs >= math.log(self._threshold), axis=1)

    def _observe_step(self, product: Product, linearisation: Linearisation, t: int) -> None:
        matrix, log_scale = product.block(LOSS, None)
        w = matrix[:, 0]
        self._log_shares[:, product.lag] = np.log(linearisation.weight_gradient_norm(t, w)) + log_scale
        diagonal = linearisation.conveyor(t)
        if diagonal is None or self._log_conveyor is None:
            self._log_conveyor = None
        else:
            self._log_conveyor = self._log_conveyor + np.log(np.abs(diagonal))

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
        """Return each trial's share of ‖∂L/∂W_hh‖'s terms by lag, (B, T), summing to 1, or NaN for a zero gradient."""
        logs = np.where(np.arange(self._steps) < self._lengths[:, None], self._log_shares, -np.inf)
        top = logs.max(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            terms = np.exp(logs - top)
            shares: Array = terms / terms.sum(axis=1, keepdims=True)
        return shares


def _height(product: Product, name: str) -> int:
    return product.rows[name].stop - product.rows[name].start


def _shape(cell: Cell, to: str | None, source: str | None) -> tuple[int, int]:
    sizes = {part.name: part.size for part in cell.parts}
    rows, columns = (cell.state_size if name is None else sizes[name] for name in (to, source))
    return rows, columns


def _log_frobenius(matrix: Array, log_scale: Array) -> Array:
    flat = matrix.reshape(len(matrix), -1)
    norm: Array = np.log(np.vecdot(flat, flat)) / 2 + log_scale
    return norm


def _log_rms(logs: Array) -> Array:
    top = logs.max(axis=1)
    some = np.where(np.isfinite(top), top, 0.0)
    mean: Array = np.log(np.mean(np.exp(2 * (logs - some[:, None])), axis=1)) / 2 + some
    return mean
