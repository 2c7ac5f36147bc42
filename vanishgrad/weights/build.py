"""From a layer's arrays, as its framework stacks them, to the cell that has them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from vanishgrad.arrays import Array
from vanishgrad.cells import GRU, LSTM, RNN, Cell
from vanishgrad.cells.activations import SIGMOID
from vanishgrad.cells.gru import Reset
from vanishgrad.cells.peephole import PeepholeLSTM
from vanishgrad.cells.projected import ProjectedLSTM
from vanishgrad.weights.gate_order import Stacking
from vanishgrad.weights.hints import Reading


class LayerDescription(Protocol):
    """What a cell is built from; a `Layer` is one."""

    @property
    def cell(self) -> str:
        """``rnn``, ``gru`` or ``lstm``."""

    @property
    def variant(self) -> str:
        """Words such as ``coupled``."""

    @property
    def hidden_size(self) -> int:
        """The units n."""

    @property
    def reading(self) -> Reading:
        """Activations and reset convention."""

    @property
    def stacking(self) -> Stacking:
        """How the gates stand in the arrays."""

    def numbers(self, role: str) -> Array | None:
        """Return the array of a role, None if there is none."""


def assembled(layer: LayerDescription, dtype: npt.DTypeLike) -> Cell:
    """Return the cell of a layer; its tensors are read one after the other.

    Biases that stand outside a gate's product are summed; the GRU's candidate keeps its recurrent one apart, since the
    reset gate multiplies it.
    """
    W_hh, W_hx = _matrix(layer, "W_hh", dtype), _matrix(layer, "W_hx", dtype)
    b_x, b_h = (_bias(layer, role, len(W_hx), dtype) for role in ("b_x", "b_h"))
    if layer.cell == "rnn":
        return RNN(W_hh, W_hx, b_x + b_h, layer.reading.activation)
    if layer.cell == "gru":
        return _gru(layer, W_hh, W_hx, b_x, b_h)
    if "coupled" in layer.variant:
        return _lstm(layer, _coupled(W_hh), _coupled(W_hx), _coupled(b_x + b_h), dtype)
    return _lstm(layer, W_hh, W_hx, b_x + b_h, dtype)


def _matrix(layer: LayerDescription, role: str, dtype: npt.DTypeLike) -> Array:
    values = layer.numbers(role)
    assert values is not None
    if values.ndim == 3:
        return values.astype(dtype)[None]
    return layer.stacking.matrix(values, layer.cell, dtype)


def _bias(layer: LayerDescription, role: str, rows: int, dtype: npt.DTypeLike) -> Array:
    values = layer.numbers(role)
    return np.zeros(rows, dtype) if values is None else layer.stacking.stacked(values, layer.cell, dtype)


def _gru(layer: LayerDescription, W_hh: Array, W_hx: Array, b_x: Array, b_h: Array) -> Cell:
    n, outside = layer.hidden_size, b_h.copy()
    outside[2 * n :] = 0
    phi, gate = layer.reading.activation, layer.reading.gate_activation or SIGMOID
    reset: Reset = "before" if layer.reading.reset == "before" else "after"
    return GRU(W_hh, W_hx, b_x + outside, b_h[2 * n :], phi, gate, reset)


def _lstm(layer: LayerDescription, W_hh: Array, W_hx: Array, b: Array, dtype: npt.DTypeLike) -> Cell:
    phi, gate = layer.reading.activation, layer.reading.gate_activation or SIGMOID
    projection, peepholes = layer.numbers("W_hr"), layer.numbers("w_c")
    if projection is not None:
        return ProjectedLSTM(W_hh, W_hx, b, projection.astype(dtype), phi, gate)
    if peepholes is not None:
        return PeepholeLSTM(W_hh, W_hx, b, _peepholes(layer, peepholes.astype(dtype)), phi, gate)
    return LSTM(W_hh, W_hx, b, phi, gate)


def _coupled(rows: Array) -> Array:
    """Return gate rows i, f, g, o with f = 1 - i, which for an odd-symmetric gate is phi(-a_i)."""
    n = len(rows) // 4
    return np.concatenate([rows[:n], -rows[:n], rows[2 * n :]])


def _peepholes(layer: LayerDescription, w_c: Array) -> Array:
    """Return p_i, p_f, p_o from the framework's order of the three."""
    order = layer.stacking.order("lstm").replace("g", "")
    p = dict(zip(order, np.split(w_c, 3), strict=True))
    return np.concatenate([p["i"], -p["i"] if "coupled" in layer.variant else p["f"], p["o"]])
