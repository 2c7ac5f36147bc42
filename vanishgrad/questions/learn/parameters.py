"""The trained numbers of several seeds side by side: a cell's tensors and a linear read-out of its hidden state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.random_streams import Role, stream

READ_OUT = ("W_hy", "b_y")


class Parameters:
    """All trained numbers of S seeds, `flat` (S, P); the tensors of `cell`, W_hy (S, o, p) and b_y (S, o) are views."""

    def __init__(self, cell: Cell, W_hy: Array, b_y: Array) -> None:
        tensors = {name: getattr(cell, name) for name in cell.tensors} | dict(zip(READ_OUT, (W_hy, b_y), strict=True))
        self._shapes = {name: tensor.shape[1:] for name, tensor in tensors.items()}
        self._bind(cell, self.flattened(tensors))

    def _bind(self, cell: Cell, flat: Array) -> None:
        self.flat, begin, views = flat, 0, dict[str, Array]()
        for name, shape in self._shapes.items():
            end = begin + int(np.prod(shape))
            views[name] = flat[:, begin:end].reshape(len(flat), *shape)
            begin = end
        self.W_hy, self.b_y = (views.pop(name) for name in READ_OUT)
        self.cell = cell.with_weights(**views)

    @property
    def seeds(self) -> int:
        """The number S."""
        return len(self.flat)

    def with_flat(self, flat: Array) -> Parameters:
        """Return the same cell and read-out with other numbers."""
        other = object.__new__(Parameters)
        other._shapes = self._shapes
        other._bind(self.cell, flat)
        return other

    def flattened(self, tensors: Mapping[str, Array]) -> Array:
        """Return tensors (S, …) side by side, (S, P)."""
        return np.concatenate([tensors[name].reshape(len(tensors[name]), -1) for name in self._shapes], axis=1)

    def multiplicity(self) -> Array:
        """Return how many of a framework's tensors make each number, (P,).

        PyTorch keeps two biases and adds them, so each takes the optimizer's step and both stand in the gradient's
        norm; a recurrent bias that a gate multiplies (`b_hn`) is one, and so is the candidate's other. The parameters
        of an own cell are what its author wrote.
        """
        counts = {name: np.ones((1, *shape), dtype=self.flat.dtype) for name, shape in self._shapes.items()}
        if "b" in counts:
            counts["b"][...] = 2
        if "b_hn" in counts:
            counts["b"][:, self.cell.rows(self.cell.row.candidate)] = 1
        return self.flattened(counts)[0]


def alike(cells: Sequence[Cell]) -> bool:
    """Whether cells differ in the numbers of their tensors alone, so that their weights can stand side by side."""
    first = cells[0]
    others = [{name: value for name, value in vars(cell).items() if name not in cell.tensors} for cell in cells]
    return all(
        type(cell) is type(first)
        and all(getattr(cell, name).shape == getattr(first, name).shape for name in first.tensors)
        and others[0].keys() == other.keys()
        and all(value is other[name] or bool(np.all(value == other[name])) for name, value in others[0].items())
        for cell, other in zip(cells, others, strict=True)
    )


def read_out(outputs: int, width: int, seeds: int, seed: int, dtype: str) -> tuple[Array, Array]:
    """Return W_hy (S, o, p) and b_y (S, o), U(±1/√p) as PyTorch's Linear; the same for every model."""
    bound = width**-0.5
    streams = [stream(seed, Role.READ_OUT, trial) for trial in range(seeds)]
    weights_and_biases = [
        (each.uniform(-bound, bound, (outputs, width)), each.uniform(-bound, bound, outputs)) for each in streams
    ]
    W_hy, b_y = (np.stack(tensors).astype(dtype) for tensors in zip(*weights_and_biases, strict=True))
    return W_hy, b_y
