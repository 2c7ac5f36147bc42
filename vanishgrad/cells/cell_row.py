"""Row of the registry of cells: which class a cell is, its gates' roles, and what else depends on which it is.

A row names gates by letter; where one stands among the stacked weights is `CellRow.place`, so that nobody counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from vanishgrad.cells.cell import Cell

Multiplied: TypeAlias = Literal["old", "new"]
"""What the gate that keeps multiplies: the old state (an LSTM's f, a GRU's z) or what is new, as 1 - keep."""

STANDARD_LAWS = ("pytorch", "keras", "gaussian", "orthogonal", "identity", "chrono")
PUBLISHED = "published"
ANY_NUMBER = "a whole number"
"""The value of a form that takes every whole number from 1 on."""


class KeepGate(NamedTuple):
    """The gate that decides which factor of the old state is kept.

    Attributes
    ----------
    letter : str
        Among the cell's gates.
    word : str
        How a report calls the factor that is kept.
    multiplies : str
        ``old`` where the gate is that factor, ``new`` where its complement is.
    """

    letter: str
    word: str
    multiplies: Multiplied

    @property
    def sign(self) -> int:
        """1 where the factor grows with the gate's bias, -1 where it falls: 1 - σ(a) = σ(-a)."""
        return 1 if self.multiplies == "old" else -1


@dataclass(frozen=True, eq=False)
class CellRow:
    """What is known of a cell before there are weights.

    Attributes
    ----------
    name : str
        As a MODEL and a report have it.
    source : str
        ``MODULE:CLASS``, imported when it is asked for.
    stream : int
        The key of its random streams; it never changes, and new cells take new ones.
    gates : str
        A letter for each block of the stacked weights, in their order.
    candidate : str
        The one that carries the new content through the nonlinearity.
    keep, write, reset, output : str or None
        Those that multiply the old state, the candidate, the state within the candidate, and what is read out; None
        where no gate does that, or none of its own.
    multiplies : str
        What the gate `keep` multiplies, unless the variant says so.
    words : mapping
        Letter → how a report calls the gate; for `keep`, the factor that is kept.
    parts : tuple of str
        The parts of the state, each of the hidden size.
    cost : float
        The time of a step's products beside that of a vanilla network.
    variants : mapping
        MODEL key that chooses a variant → its values, the default first; attributes of the class by the same names.
    forms : mapping
        MODEL key that chooses another class → its values → what of the row is another then, `source` at least; the key
        stands in a model only where it was typed. `ANY_NUMBER` among the values takes every number.
    laws : tuple of str
        The laws of random weights that it has, the default first; ``published`` is its own, a method of its class.
    activation : str or None
        The candidate's, unless a MODEL says another; None where the cell has its own alone.
    numbers : mapping
        MODEL key of a real number → its default; arguments of the class by the same names.
    untied : bool
        Whether it may have a matrix of its own for every step.
    keras_keep_bias : float
        The bias with which Keras starts the gate that keeps.
    by_shape : bool
        Whether a file's shapes alone say that it is this cell.
    own_names : bool
        Whether `--save` names its tensors as the class does, since PyTorch's names cannot say it.
    """

    name: str
    source: str
    stream: int
    gates: str
    candidate: str
    keep: str | None = None
    write: str | None = None
    reset: str | None = None
    output: str | None = None
    multiplies: Multiplied = "old"
    words: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ("h",)
    cost: float = 1
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forms: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    laws: tuple[str, ...] = STANDARD_LAWS
    activation: str | None = "tanh"
    numbers: Mapping[str, float] = field(default_factory=dict)
    untied: bool = False
    keras_keep_bias: float = 0.0
    by_shape: bool = True
    own_names: bool = False

    @property
    def cell_class(self) -> type[Cell]:
        """The class, imported now."""
        module, _, name = self.source.partition(":")
        cell_class: type[Cell] = getattr(import_module(module), name)
        return cell_class

    def form(self, keys: Mapping[str, Any]) -> CellRow:
        """Return the row with the class that a MODEL's keys choose: its own, or one of its other forms."""
        chosen = [forms.get(str(keys[key])) or forms[ANY_NUMBER] for key, forms in self.forms.items() if key in keys]
        return replace(self, **chosen[0]) if chosen else self

    def place(self, gate: str) -> int:
        """Return where a gate stands among the stacked ones."""
        return self.gates.index(gate)

    def keep_gate(self, variant: Mapping[str, Any]) -> KeepGate | None:
        """Return the gate that keeps, None without one; a variant's key `keep` says what it multiplies."""
        if self.keep is None:
            return None
        return KeepGate(self.keep, self.words[self.keep], variant.get("keep", self.multiplies))

    @property
    def keep_word(self) -> str:
        """How a report calls the factor that is kept; empty without one."""
        return self.words[self.keep] if self.keep else ""
