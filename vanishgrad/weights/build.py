"""Builds a cell from a layer's arrays, stacked as its framework stacks them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vanishgrad.arrays import Array
from vanishgrad.cells import Activation, Cell
from vanishgrad.cells.activations import SIGMOID
from vanishgrad.cells.cell_row import CellRow
from vanishgrad.cells.recorded import PARTS, RECORDED, Recorded
from vanishgrad.cells.registry import CELLS
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.gate_order import Stacking
from vanishgrad.weights.hints import Reading
from vanishgrad.weights.model_string import parse

OWN_NAMES = ("saved", "torchrecurrent", "mingru", "ncps", "state_space", "linear_attention", "xlstm")
"""Layouts whose roles are the cell's own names of its tensors."""


class LayerDescription(Protocol):
    """What a cell is built from; a `Layer` is one."""

    @property
    def cell(self) -> str:
        """The name of a row of the registry."""

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

    @property
    def layout(self) -> str:
        """Whose names its tensors have."""

    @property
    def clip(self) -> float | None:
        """What the cell state is clipped at, None where it is not."""

    @property
    def epsilon(self) -> float | None:
        """ε of its layer norms, None without any."""

    def numbers(self, role: str) -> Array | None:
        """Return the array of a role, None if there is none."""


def assembled(layer: LayerDescription, dtype: npt.DTypeLike) -> Cell:
    """Return the cell of a layer; its tensors are read one after the other."""
    if layer.cell == RECORDED:
        return _recorded(layer, dtype)
    if layer.layout in OWN_NAMES:
        return _saved(layer, dtype)
    W_hh, W_hx = _matrix(layer, "W_hh", dtype), _matrix(layer, "W_hx", dtype)
    b_x, b_h = (_bias(layer, role, len(W_hx), dtype) for role in ("b_x", "b_h"))
    if "coupled" in layer.variant:
        W_hh, W_hx, b_x, b_h = map(_coupled, (W_hh, W_hx, b_x, b_h))
    phi, gate = layer.reading.activation, layer.reading.gate_activation or SIGMOID
    read_out = layer.reading.cell_activation
    projection, peepholes = layer.numbers("W_hr"), layer.numbers("w_c")
    if projection is not None:
        from vanishgrad.cells.projected import ProjectedLSTM

        return ProjectedLSTM(W_hh, W_hx, b_x + b_h, projection.astype(dtype), phi, gate, read_out)
    if peepholes is not None:
        from vanishgrad.cells.peephole import PeepholeLSTM

        return PeepholeLSTM(W_hh, W_hx, b_x + b_h, _peepholes(layer, peepholes.astype(dtype)), phi, gate, read_out)
    if layer.clip is not None:
        from vanishgrad.cells.clipped import ClippedLSTM

        return ClippedLSTM(W_hh, W_hx, b_x + b_h, layer.clip, phi, gate)
    if layer.epsilon is not None:
        return _layer_normalised(layer, W_hh, W_hx, b_x + b_h, layer.epsilon)
    row, variant = CELLS[layer.cell], dict[str, Any](layer.reading.variant)
    variant |= {key: float(variant[key]) for key in row.numbers if key in variant}
    variant |= {"cell_activation": read_out} if read_out else {}
    return cell_of(row, W_hh, W_hx, b_x, b_h, phi, gate, **variant)


def _recorded(layer: LayerDescription, dtype: npt.DTypeLike) -> Cell:
    """Return the replay of a recorded run; the sizes of its parts are its variant's, where it has several."""
    arrays = {name: layer.numbers(name) for name in Recorded.tensors}
    assert all(each is not None for each in arrays.values())
    sizes = tuple(map(int, layer.variant.removeprefix(PARTS).split(" + ")))
    return Recorded(**{name: np.asarray(each, dtype) for name, each in arrays.items()}, sizes=sizes)


def _saved(layer: LayerDescription, dtype: npt.DTypeLike) -> Cell:
    """Return a cell from tensors under its own names and a MODEL's keys.

    Raises
    ------
    VanishgradError
        If the tensors do not fit together.
    """
    typed = ",".join(f"{key}={value}" for key, value in layer.reading.variant.items())
    keys = parse(f"{layer.cell}:{typed}" if typed else layer.cell).keys
    row = CELLS[layer.cell].form(keys)
    tensors = {name: layer.numbers(name) for name in row.cell_class.tensors}
    rows = {name: values.astype(dtype)[None] for name, values in tensors.items() if values is not None}
    options: dict[str, Any] = {key: keys.get(key, default) for key, default in row.numbers.items()}
    options |= {key: keys[key] for key in row.variants if key in keys}
    if row.activation:
        options["activation"] = layer.reading.activation
    if row.words and row.activation:
        options["gate_activation"] = layer.reading.gate_activation or SIGMOID
    try:
        cell = row.cell_class(**rows, **options)
        cell.advance(
            1,
            cell.input_preactivation(np.zeros((1, 1, cell.input_size), dtype))[0],
            np.zeros((1, cell.state_size), dtype),
        )
    except (ValueError, IndexError) as reason:
        shapes = ", ".join(f"{name} {values.shape[1:]}" for name, values in rows.items())
        raise VanishgradError(
            f"expected the tensors of a {row.name} to fit together, got {shapes}; try saving it again"
        ) from reason
    return cell


def _layer_normalised(layer: LayerDescription, W_hh: Array, W_hx: Array, b: Array, epsilon: float) -> Cell:
    """Return the LSTM with norms of a layer; what they add to the pre-activations goes into the bias."""
    from vanishgrad.cells.layer_norm_lstm import LayerNormLSTM

    rows, dtype = len(b), b.dtype
    gain_x, gain_h, shift_x, shift_h = (
        _bias(layer, role, rows, dtype) for role in ("gain_x", "gain_h", "shift_x", "shift_h")
    )
    gain_c, shift_c = (layer.numbers(role) for role in ("gain_c", "shift_c"))
    assert gain_c is not None and shift_c is not None
    return LayerNormLSTM(
        W_hh, W_hx, b + shift_x + shift_h, gain_x, gain_h, gain_c.astype(dtype), shift_c.astype(dtype),
        layer.reading.activation, layer.reading.gate_activation or SIGMOID, epsilon,
    )  # fmt: skip


def cell_of(
    row: CellRow,
    W_hh: Array,
    W_hx: Array,
    b_x: Array,
    b_h: Array,
    activation: Activation | None,
    gate_activation: Activation = SIGMOID,
    **options: Any,
) -> Cell:
    """Return the cell of a row with these weights, and with its variant, its numbers and its other tensors as options.

    The input's and the recurrent bias are summed; a candidate with a tensor `b_hn` keeps its recurrent one apart, since
    a gate multiplies it.
    """
    kind, b = row.cell_class, b_x + b_h
    if activation is not None:
        options["activation"] = activation
    if "b_hn" in kind.tensors:
        n = b.shape[-1] // len(row.gates)
        candidate = slice(row.place(row.candidate) * n, (row.place(row.candidate) + 1) * n)
        b[..., candidate] = b_x[..., candidate]
        options["b_hn"] = b_h[..., candidate]
    if row.words and row.activation:
        options["gate_activation"] = gate_activation
    tensors = {"W_hh": W_hh} if "W_hh" in kind.tensors else {}
    return kind(**tensors, W_hx=W_hx, b=b, **options)


def _matrix(layer: LayerDescription, role: str, dtype: npt.DTypeLike) -> Array:
    values = layer.numbers(role)
    assert values is not None
    if values.ndim == 3:
        return values.astype(dtype)[None]
    return layer.stacking.matrix(values, layer.cell, dtype)


def _bias(layer: LayerDescription, role: str, rows: int, dtype: npt.DTypeLike) -> Array:
    values = layer.numbers(role)
    return np.zeros(rows, dtype) if values is None else layer.stacking.stacked(values, layer.cell, dtype)


def _coupled(rows: Array) -> Array:
    """Return gate rows i, f, g, o with f = 1 - i, which for an odd-symmetric gate is phi(-a_i)."""
    n = len(rows) // 4
    return np.concatenate([rows[:n], -rows[:n], rows[2 * n :]])


def _peepholes(layer: LayerDescription, w_c: Array) -> Array:
    """Return p_i, p_f, p_o from the framework's order of the three."""
    order = layer.stacking.order("lstm").replace("g", "")
    p = dict(zip(order, np.split(w_c, 3), strict=True))
    return np.concatenate([p["i"], -p["i"] if "coupled" in layer.variant else p["f"], p["o"]])
