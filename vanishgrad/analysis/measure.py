"""Per-trial norms of every curve, from one backward sweep."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.cells import Cell, Linearisation, Trajectory
from vanishgrad.cells.arrays import Array
from vanishgrad.propagation.norms import LeadingSingularValues, count_at_least
from vanishgrad.propagation.products import Product, backward_products


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


@dataclass(frozen=True, eq=False)
class Measurement:
    """Every curve's norms, and each trial's share of the parameter gradient by lag, (B, T)."""

    curves: Mapping[str, Norms]
    shares: Array


def measure(
    cell: Cell,
    trajectory: Trajectory,
    lengths: Array,
    loss: Array,
    threshold: float,
    curves: Collection[str] | None = None,
) -> Measurement:
    """Measure a cell along a trajectory.

    Parameters
    ----------
    cell : Cell
    trajectory : Trajectory
        Sequences aligned at their end; what stands before a sequence's own length is not measured.
    lengths : (B,) array of int
    loss : (B, n) array
        A unit cotangent of h_T, for the share of the parameter gradient by lag.
    threshold : float
        What a singular value has to reach to count as alive.
    curves : collection of str, optional
        The curves to measure; all by default.

    Notes
    -----
    Along T steps of an LSTM: 12 n³ B T multiplications and additions, O(B n²) numbers beside the trajectory.
    """
    steps = int(lengths.max())
    blocks = _blocks(cell, curves)
    with_input = curves is None or "input" in curves
    recorder = _Recorder(cell, blocks, with_input, lengths, threshold, loss)
    with np.errstate(divide="ignore"):
        for product in backward_products(cell, trajectory, len(lengths), with_input, steps):
            recorder.observe(product, trajectory.steps - product.lag)
    found = recorder.measured()
    aliases = {"hidden": "state", "output": "state"} if len(cell.parts) == 1 else {}
    order = ("state", *cell.curves, "conveyor", "input", "output")
    wanted = order if curves is None else [name for name in order if name in curves]
    named = {name: found.get(aliases.get(name, name)) for name in wanted}
    return Measurement({name: norms for name, norms in named.items() if norms is not None}, recorder.shares())


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
        self,
        cell: Cell,
        blocks: Mapping[str, tuple[str | None, str | None]],
        with_input: bool,
        lengths: Array,
        threshold: float,
        loss: Array,
    ) -> None:
        self._blocks, self._with_input, self._lengths = blocks, with_input, lengths
        self._threshold, self._loss = threshold, loss
        batch, self._steps = len(lengths), int(lengths.max())
        self._alive_lags = alive_lags(int(lengths.min()))
        self._log_norm, self._log_rms, self._alive = {}, {}, {}
        for name in [*blocks, "conveyor", *(["input"] if with_input else [])]:
            shape = (batch, self._steps + (name != "input"))
            self._log_norm[name], self._log_rms[name] = np.full(shape, np.nan), np.full(shape, np.nan)
            self._alive[name] = dict[int, Array]()
        self._log_shares = np.full((batch, self._steps), -np.inf)
        shapes = {name: _shape(cell, *block) for name, block in blocks.items()}
        if with_input:
            shapes["input"] = (cell.parts[0].size, cell.input_size)
        self._leading = LeadingSingularValues(shapes, batch, loss.dtype)
        self._log_conveyor: Array | None = np.zeros((batch, 1))
        self._input: dict[str, tuple[Array, Array]] = {}

    def observe(self, product: Product, t: int) -> None:
        """Record one lag; `t` is the step that comes next."""
        blocks = {name: product.block(*block) for name, block in self._blocks.items()}
        rms = {name: product.log_frobenius(*block) for name, block in self._blocks.items()}
        if product.input_matrix is not None:
            self._input = {"input": product.input_block()}
            rms["input"] = _log_frobenius(*self._input["input"])
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
        self._observe_conveyor(product.lag)
        if product.linearisation is not None:
            self._observe_step(product, product.linearisation, t)

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
        matrix, log_scale = product.block("h", None)
        w = (self._loss[:, None] @ matrix)[:, 0]
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
