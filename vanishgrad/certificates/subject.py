"""What a certificate speaks of: one cell, tied weights, exactly the numbers that were read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import GRU, LSTM, RNN, Cell
from vanishgrad.cells.mgu import MGU
from vanishgrad.cells.registry import CELLS
from vanishgrad.errors import VanishgradError

T = TypeVar("T")
PROVABLE = (RNN.name, LSTM.name, GRU.name, MGU.name)

LARGEST_WEIGHT = 1e100
"""Size up to which sums of squares and products of weights and states stay within the range of float64."""


@dataclass(frozen=True, eq=False)
class CertifiedCell:
    """A cell's exact weights with the names of its functions.

    Attributes
    ----------
    cell, activation : str
    gate_activation, reset : str or None
        None where the cell has no gates, or no reset gate.
    keep : str or None
        What a minimal gated unit's gate multiplies, ``new`` or ``old``; None for other cells.
    tensors : mapping
        ``W_hh`` (g·n, n), ``W_hx`` (g·n, d), ``b`` (g·n,) and of a GRU or MGU ``b_hn`` (n,), float64: the real
        numbers that the theorem is about. Where a file has two biases, b is their float64 sum.
    """

    cell: str
    activation: str
    gate_activation: str | None
    reset: str | None
    tensors: Mapping[str, Array]
    keep: str | None = None

    @property
    def is_gated(self) -> bool:
        """Whether a gate keeps the state: without one it is a vanilla network."""
        return self.gate_activation is not None

    @property
    def has_cell_state(self) -> bool:
        """Whether the state is (h, c): an LSTM's."""
        return self.is_gated and self.reset is None

    def of_cell(self, rnn: T, lstm: T, gru: T) -> T:
        """Return what stands for this cell among three."""
        return rnn if not self.is_gated else lstm if self.has_cell_state else gru

    @property
    def hidden_size(self) -> int:
        """The number n of units."""
        return int(self.tensors["W_hh"].shape[1])

    @property
    def input_size(self) -> int:
        """The width d of the input."""
        return int(self.tensors["W_hx"].shape[1])

    @property
    def state_size(self) -> int:
        """The size m of the state: n, and 2 n for an LSTM."""
        return self.hidden_size * (2 if self.has_cell_state else 1)

    @property
    def described(self) -> dict[str, str | int | None]:
        """The part of a certificate that names the cell."""
        return {
            "cell": self.cell,
            "activation": self.activation,
            "gate_activation": self.gate_activation,
            "reset": self.reset,
            "hidden_size": self.hidden_size,
            "input_size": self.input_size,
            **({} if self.keep is None else {"keep": self.keep}),
        }

    @property
    def sha256(self) -> str:
        """The digest of the tensors by name: name, dtype, shape, little-endian bytes in C order."""
        return digest_of(self.tensors)

    def gate(self, tensor: str, name: str) -> Array:
        """Return one gate's rows of a stacked tensor: gates i f g o of an LSTM, r z n of a GRU, f n of an MGU."""
        n, place = self.hidden_size, CELLS[self.cell].place(name)
        rows: Array = self.tensors[tensor][place * n : (place + 1) * n]
        return rows


def largest_weight(tensors: Mapping[str, Array]) -> float:
    """Return the largest |weight| of several tensors, 0 without any."""
    return max(float(np.abs(array).max(initial=0)) for array in tensors.values())


def digest_of(arrays: Mapping[str, Array]) -> str:
    """Return the sha256 of float64 arrays by name: name, dtype, shape, little-endian bytes in C order."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name], dtype="<f8")
        digest.update(f"{name}\0float64\0{values.shape}\0".encode())
        digest.update(values.data)
    return digest.hexdigest()


def demand_provable(cell: str) -> None:
    """Refuse a cell of which nothing is proved, by its name."""
    if cell not in PROVABLE:
        raise VanishgradError(
            f"expected a cell with certificates ({', '.join(PROVABLE)}), got {cell}, of which nothing is proved; "
            "measure it instead: vanishgrad compare"
        )


def subject(cell: Cell) -> CertifiedCell:
    """Return what is certified of a cell.

    Raises
    ------
    VanishgradError
        For a cell without certificates: untied weights, a projection, peepholes, norms, several trials.
    """
    demand_provable(cell.name)
    if type(cell) not in (RNN, LSTM, GRU, MGU) or cell.W_hh.ndim != 3:
        raise VanishgradError(
            f"expected the plain {cell.name} with tied weights to certify, got a variant of it; "
            "try a layer without projection, peepholes, norms and a clip"
        )
    if cell.trials != 1:
        raise VanishgradError(f"expected the weights of one trial, got {cell.trials}; try cell.trial(0)")
    # Adding 0 makes a copy, and turns -0 into 0: equal weights have one digest.
    tensors = {name: np.asarray(getattr(cell, name)[0], dtype=np.float64) + 0.0 for name in cell.tensors}
    for array in tensors.values():
        array.setflags(write=False)
    activation = cell.activation.name if isinstance(cell, RNN | LSTM | GRU | MGU) else ""
    if isinstance(cell, LSTM) and cell.cell_activation.name != activation:
        raise VanishgradError(
            f"expected one activation for candidate and output, got {activation} and {cell.cell_activation.name}; "
            "try another layer"
        )
    gate = cell.gate_activation.name if isinstance(cell, LSTM | GRU | MGU) else None
    reset = cell.reset if isinstance(cell, GRU | MGU) else None
    return CertifiedCell(cell.name, activation, gate, reset, tensors, cell.keep if isinstance(cell, MGU) else None)
