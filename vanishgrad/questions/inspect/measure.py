"""`inspect`: what can be said of the recurrent layers of a file without any input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.curves.recorder import KEY_SIDE
from vanishgrad.curves.statistics import quantiles
from vanishgrad.propagation.singular_values.largest import largest_singular_value
from vanishgrad.weights.layers import Layer, LayerFile

QUANTILES = (0.05, 0.5, 0.95)
LONG_RUN = 2048
"""Steps."""
STILL_HELD = 1e-3
"""A factor of the gradient."""


@dataclass(frozen=True)
class KeepBias:
    """The bias of the factor that keeps the state, and the memory that it implies while its inputs are zero.

    Attributes
    ----------
    mean : float
    quantiles : tuple of float
        At `QUANTILES`.
    time_constants : tuple of float
        -1/ln σ(b) at the same quantiles, in steps.
    chrono_horizon : float
        1 + e^b at the last quantile: the T for which the chrono rule b = ln(T - 1) gives it.
    """

    mean: float
    quantiles: tuple[float, ...]
    time_constants: tuple[float, ...]
    chrono_horizon: float


@dataclass(frozen=True)
class TimeConstants:
    """The memory of the units of a diagonal recurrence while its input is zero: τ = -1/ln|a| of J_t = diag a.

    Attributes
    ----------
    quantiles : tuple of float
        Of τ over all units and states, in steps, at `QUANTILES`.
    still_held : float
        The share that keeps 1e-3 over `LONG_RUN` steps.
    growing : float
        The share with |a| ≥ 1, which never forgets.
    """

    quantiles: tuple[float, ...]
    still_held: float
    growing: float


@dataclass(frozen=True, eq=False)
class LayerFacts:
    """A layer with the norms of its weights.

    Attributes
    ----------
    norms : mapping
        Gate → ‖W_hh of the gate‖₂.
    radius : float or None
        ρ(W_hh) of the candidate (of the whole, without gates); None where it is not square.
    gamma_norm : float or None
        γ‖W‖₂ of the same; None, and no norms, without weights.
    keep_bias : KeepBias or None
    time_constants : TimeConstants or None
        Where J_t is diagonal, or but for what is erased along a key.
    """

    layer: Layer
    norms: Mapping[str, float]
    radius: float | None
    gamma_norm: float | None
    keep_bias: KeepBias | None
    time_constants: TimeConstants | None = None


@dataclass(frozen=True, eq=False)
class InspectResult:
    """The recurrent layers of a file, in its order."""

    file: LayerFile
    layers: tuple[LayerFacts, ...]


def inspect(file: LayerFile, names: tuple[str, ...] = ()) -> InspectResult:
    """Return what a file's layers, or those named, are."""
    return InspectResult(file, tuple(layer_facts(layer) for layer in file.select(names)))


def layer_facts(layer: Layer) -> LayerFacts:
    """Read one layer's weights and return their norms."""
    cell = layer.build()
    constants = time_constants(cell) if cell.is_diagonal or cell.own_engine == KEY_SIDE else None
    if not cell.has_weights or not cell.W_hh.size:
        return LayerFacts(layer, {}, None, None, None, constants)
    blocks = dict(zip(cell.gates, np.split(cell.W_hh[0], len(cell.gates)), strict=True))
    norms = {gate: float(largest_singular_value(W[None])[0]) for gate, W in blocks.items()}
    candidate = cell.row.candidate
    W = blocks[candidate]
    square = W.shape[0] == W.shape[1]
    return LayerFacts(
        layer,
        norms,
        float(np.abs(np.linalg.eigvals(W)).max()) if square else None,
        layer.reading.activation.gamma * norms[candidate],
        _keep_bias(cell),
    )


def time_constants(cell: Cell) -> TimeConstants:
    """Return those of a diagonal cell at a step from rest without input."""
    rest = np.zeros((1, cell.state_size), cell.dtype)
    after, record = cell.advance(1, cell.input_preactivation(np.zeros((1, 1, cell.input_size), cell.dtype))[0], rest)
    with np.errstate(divide="ignore"):
        logs = cell.log_multipliers(record[None], rest[None], after[None]).real.astype(np.float64)
        tau = np.where(logs < 0, -1 / np.minimum(logs, -np.finfo(float).tiny), np.inf)
    held = float(np.mean(logs * LONG_RUN > np.log(STILL_HELD)))
    return TimeConstants(tuple(quantiles(tau, QUANTILES)), held, float(np.mean(logs >= 0)))


def _keep_bias(cell: Cell) -> KeepBias | None:
    keep = cell.keep_gate
    if keep is None:
        return None
    b = keep.sign * cell.b[0, cell.rows(keep.letter)]
    levels = quantiles(b, QUANTILES)
    with np.errstate(over="ignore"):
        chrono_horizon = 1 + float(np.exp(levels[-1]))
    return KeepBias(float(b.mean()), tuple(levels), tuple(_time_constants(np.array(levels)).tolist()), chrono_horizon)


def _time_constants(b: Array) -> Array:
    """Return -1/ln σ(b) = 1/ln(1 + e^{-b})."""
    with np.errstate(divide="ignore", over="ignore"):  # beyond the range of floating point: for ever
        return 1 / np.log1p(np.exp(-b))
