"""The ways of proving, each with the literals that its file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vanishgrad.cells.registry import GRU, LSTM, MGU, RNN

Kind = Literal["nat", "Z", "list Z", "list (list Z)"]
Value = int | Sequence[int] | Sequence[Sequence[int]]
Literals = dict[str, Kind]


@dataclass(frozen=True)
class Method:
    """A way of proving, with the cell that it is for and its literals in the order of the file."""

    cell: str
    reset: str | None
    literals: Mapping[str, Kind]
    skeleton: str
    """The name of its text."""
    keep: str | None = None
    """What an MGU's gate multiplies; None for other cells."""

    @property
    def is_gated(self) -> bool:
        """Whether it is for a cell with gates."""
        return self.cell != RNN.name


def _of(kind: Kind, names: str) -> Literals:
    return dict.fromkeys(names.split(), kind)


RATE = _of("nat", "n w k e f") | _of("Z", "r c lo hi")
"""ρ = r / 2^e, C = c / 2^f; the weights are in units of 2^-k, packed with w digits; lo and hi bound the scale or x."""
BOUNDED = _of("nat", "d") | RATE | _of("nat", "p s q") | _of("Z", "bound") | _of("list Z", "hb x")
TENSORS = _of("list Z", "b") | _of("list (list Z)", "U V")
CANDIDATE = _of("list Z", "bN bh") | _of("list (list Z)", "N VN")
RESET = BOUNDED | TENSORS | CANDIDATE
METHODS: Mapping[str, Method] = {
    "gram": Method(RNN.name, None, RATE | _of("list Z", "scale") | _of("list (list Z)", "columns factor"), "gram"),
    "max_norm": Method(RNN.name, None, RATE | _of("list Z", "x") | _of("list (list Z)", "rows"), "max_norm"),
    LSTM.name: Method(LSTM.name, None, BOUNDED | _of("list Z", "cb") | TENSORS, LSTM.name),
    "gru_after": Method(GRU.name, "after", RESET, GRU.name),
    "gru_before": Method(GRU.name, "before", RESET, GRU.name),
    **{
        f"mgu_{reset}_{keep}": Method(MGU.name, reset, RESET, MGU.name, keep)
        for reset in MGU.variants["reset"]
        for keep in MGU.variants["keep"]
    },
}
PHI = {"tanh": "tanh", "sigmoid": "sigma", "linear": "identity", "relu": "ramp"}
"""Activation → its name in the library."""
HALVINGS = {"tanh": 0, "sigmoid": 2, "linear": 0, "relu": 0}
"""-log₂ sup |φ'|."""
