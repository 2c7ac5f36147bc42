"""Equinox: eqx.nn.LSTMCell and GRUCell, whose leaves have no names but an order: weight_ih, weight_hh, bias, bias_n.

Both stand as in PyTorch, i f g o and r z n; bias_n is the candidate's, inside the reset product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from vanishgrad.cells.activations import SIGMOID, TANH
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import Hints, Stated, Unreadable, flag
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.conventions import inside_reset
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text

GATED = {"lstm": 4, "gru": 3}
"""Cells of Equinox → how many gates they have; it has no plain one."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each pair of consecutive arrays that can be the weights of a cell."""
    if "equinox" not in file.configuration:
        return
    arrays = list(free.values())
    for place, matrix in enumerate(arrays[1:], 1):
        cell = _cell(arrays[place - 1].shape, matrix.shape)
        if cell is not None:
            own = _own(arrays[place - 1 :], cell, matrix)
            claims = tuple(each.name for each in own.values())
            yield Sighting(f"arrays.{claims[0]}", claims, partial(_layer, file, own, cell, hints), "")


def _cell(inputs: tuple[int, ...], recurrent: tuple[int, ...]) -> str | None:
    """Return the cell whose weight_ih and weight_hh have two shapes."""
    if len(inputs) != 2 or len(recurrent) != 2 or inputs[0] != recurrent[0]:
        return None
    return next((each for each in GATED if recurrent[0] == GATED[each] * recurrent[1] > 0), None)


def _own(arrays: list[Tensor], cell: str, matrix: Tensor) -> dict[str, Tensor]:
    """Return a cell's arrays by role: the biases are those that follow and have their shapes."""
    rows, n = matrix.shape
    own = {"W_hx": arrays[0], "W_hh": matrix}
    if len(arrays) > 2 and arrays[2].shape == (rows,):
        own["b_x"] = arrays[2]
        if cell == "gru" and len(arrays) > 3 and arrays[3].shape == (n,):
            own["b_h"] = arrays[3]
    return own


def _layer(file: TensorFile, own: dict[str, Tensor], cell: str, hints: Hints) -> Layer:
    matrix = own["W_hh"]
    if hints.cell is None:
        raise Unreadable(
            f"expected to be told what the arrays of an .eqx file are, which has no names, got {matrix.name} "
            f"{shape_text(matrix.shape)} behind {shape_text(own['W_hx'].shape)}; "
            f"try {flag('cell')} {cell} if they are the leaves of eqx.nn.{cell.upper()}Cell"
        )
    roles = {**own, "b_h": inside_reset(own["b_h"])} if "b_h" in own else own
    return fitted(
        file, f"arrays.{own['W_hx'].name}", roles, PYTORCH, hints, Stated(TANH, SIGMOID, "after", layout="equinox"),
        why=english("array {name} {shape} stands where eqx.nn.{cell}Cell has weight_hh, as --cell says",
                    name=matrix.name, shape=shape_text(matrix.shape), cell=cell.upper()),
        layout="equinox",
    )  # fmt: skip
