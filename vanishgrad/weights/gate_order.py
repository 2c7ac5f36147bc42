"""How each framework stacks the gates of a cell in one matrix, and the way from there to the project's order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vanishgrad.arrays import Array
from vanishgrad.cells.registry import CELLS


class Stacking(NamedTuple):
    """A framework's order of gates, and whether its matrices act on rows (x @ kernel) instead of columns.

    Attributes
    ----------
    name : str
        As `--layout` takes it.
    lstm, gru : str
        Order of the gates: input, forget, candidate g, output; reset, keep z, candidate n.
    transposed : bool
    """

    name: str
    lstm: str
    gru: str
    transposed: bool

    def order(self, cell: str) -> str:
        """The framework's order of the gates of a cell."""
        return {"lstm": self.lstm, "gru": self.gru}.get(cell, CELLS[cell].gates)

    def ordered(self, cell: str, order: str) -> Stacking:
        """Return the same orientation with the gates of a cell in another order."""
        return self._replace(lstm=order) if cell == "lstm" else self._replace(gru=order)

    def columns(self, matrix_shape: tuple[int, ...]) -> tuple[int, ...]:
        """A matrix's shape with its gates along the rows."""
        return matrix_shape[::-1] if self.transposed else matrix_shape

    def matrix(self, values: Array, cell: str, dtype: npt.DTypeLike) -> Array:
        """Return a stored matrix with the gates along the rows, in the project's order."""
        return self.stacked(values.T if self.transposed else values, cell, dtype)

    def stacked(self, values: Array, cell: str, dtype: npt.DTypeLike) -> Array:
        """Return rows (or a bias) with the gates in the project's order; converted on the way, with no copy between."""
        order, out = self.order(cell), np.empty(values.shape, dtype)
        n = len(values) // len(order)
        for place, gate in enumerate(CELLS[cell].gates):
            start = order.index(gate) * n
            out[place * n : (place + 1) * n] = values[start : start + n]
        return out


PYTORCH = Stacking("pytorch", "ifgo", "rzn", transposed=False)
KERAS = Stacking("keras", "ifgo", "zrn", transposed=True)
ONNX = Stacking("onnx", "iofg", "zrn", transposed=False)
FLAX = Stacking("flax", "ifgo", "rzn", transposed=True)
HAIKU = Stacking("haiku", "igfo", "zrn", transposed=True)
SONNET = Stacking("sonnet", "ifgo", "zrn", transposed=True)
TENSORFLOW_1 = Stacking("tensorflow1", "igfo", "rzn", transposed=True)
CS231N = Stacking("cs231n", "ifog", "rzn", transposed=True)
"""The course's lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b): x @ Wx + h @ Wh + b."""
CHAINER = Stacking("chainer", "gifo", "rzn", transposed=False)
OPENVINO = Stacking("openvino", "figo", "zrn", transposed=False)

STACKINGS = {each.name: each for each in (PYTORCH, KERAS, ONNX, FLAX)}
