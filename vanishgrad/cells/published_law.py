"""Published initial laws: what a cell's own law draws its tensors from, and the distributions that several share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.random_streams import Role

Tensors: TypeAlias = dict[str, Array]
"""One trial's tensors by the cell's names for them."""


class Draw(Protocol):
    """One trial's random streams, and the sizes that a law needs."""

    @property
    def n(self) -> int:
        """The hidden size."""

    @property
    def d(self) -> int:
        """The width of the input."""

    @property
    def gates(self) -> int:
        """The number g of stacked blocks."""

    @property
    def keys(self) -> Mapping[str, Any]:
        """The resolved MODEL's keys."""

    def of(self, role: Role, *place: int) -> np.random.Generator:
        """Return the stream of a role; a role of several tensors has one for each place."""


def glorot_uniform(generator: np.random.Generator, rows: int, columns: int) -> Array:
    """Return U(±√(6/(rows + columns))), Glorot and Bengio 2010: PyTorch's xavier_uniform_ of the stacked matrix."""
    limit: float = (6 / (rows + columns)) ** 0.5
    return generator.uniform(-limit, limit, (rows, columns))


def stacked_glorot(draw: Draw) -> Tensors:
    """Return W_hh and W_hx of stacked gates by `glorot_uniform` and biases of 0: torchrecurrent's law of most cells."""
    rows = draw.gates * draw.n
    return {
        "W_hh": glorot_uniform(draw.of(Role.W_HH), rows, draw.n),
        "W_hx": glorot_uniform(draw.of(Role.W_HX), rows, draw.d),
        "b": np.zeros(rows),
    }


def linear_uniform(generator: np.random.Generator, rows: int, columns: int) -> Array:
    """Return U(±1/√columns): a weight of PyTorch's nn.Linear."""
    return generator.uniform(-1, 1, (rows, columns)) * columns**-0.5


def no_columns(W_hx: Array) -> Array:
    """Return W_hh of a cell whose gates see no state: rows as W_hx (…, g·n, d) has, and no columns."""
    return W_hx[..., :0]
