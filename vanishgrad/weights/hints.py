"""What a file leaves open, which reading is taken, and how to choose the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from vanishgrad.cells.activations import ACTIVATIONS, HARD_SIGMOID, SIGMOID, TANH, Activation, hard_sigmoid
from vanishgrad.cells.cell_row import CellRow
from vanishgrad.cells.registry import CELLS
from vanishgrad.errors import UsageError
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import STACKINGS

HARD_SIGMOID_KERAS_2 = hard_sigmoid(0.2, "hard_sigmoid_0.2")
CHOICES: Mapping[str, Activation] = {
    **ACTIVATIONS,
    HARD_SIGMOID.name: HARD_SIGMOID,
    HARD_SIGMOID_KERAS_2.name: HARD_SIGMOID_KERAS_2,
}
"""What `--activation` and `--gate-activation` take; hard_sigmoid_0.2 is the one of Keras 2."""

ALLOWED: Mapping[str, Collection[str]] = {
    "layout": STACKINGS,
    "cell": CELLS,
    "activation": CHOICES,
    "gate_activation": CHOICES,
    "reset": ("after", "before", "none"),
    "keep": ("new", "old"),
    "orthogonal_map": ("matrix_exp", "cayley", "householder"),
}
LIKELY: Mapping[str, Collection[str]] = {
    "activation": ("tanh", "relu"),
    "gate_activation": ("sigmoid", "hard_sigmoid", "hard_sigmoid_0.2"),
}
"""What frameworks have where their files do not say it."""


class Unreadable(Exception):
    """Why one layer of a file cannot be read: half a sentence, ``expected …, got …; try …``."""


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What the user says about a file, None where it is left to the file.

    A report says the same of its files: the sentences beside the fields are its schema's (`HintsDocument`).

    Attributes
    ----------
    layout, cell, activation, gate_activation, reset, keep, orthogonal_map : str or None
        One of the names that `ALLOWED` has for each; a cell may be followed by numbers that no file holds,
        ``antisymmetric:epsilon=0.1,gamma=0.05``.
    gates : str or None
        The order of the stacked gates, by the cell's letters: ``fiog``.
    interleaved : bool
        Whether the gates alternate unit by unit, i0 f0 g0 o0 i1 …, and do not lie in blocks.
    forget_offset : float or None
        What the code that runs the layer adds to the forget gate's bias.
    recurrent, input_weight : str or None
        The tensors that are the recurrent and the input weights, by name or unique ending.
    ignore : tuple of str
        Tensors or modules to read on without.

    Raises
    ------
    UsageError
        If a name is not known.
    """

    layout: str | None = None
    cell: str | None = None
    activation: str | None = None
    gate_activation: str | None = None
    reset: str | None = None
    keep: str | None = None
    orthogonal_map: str | None = None
    gates: Annotated[str | None, "the order of the stacked gates, by the cell's letters"] = None
    interleaved: Annotated[bool, "whether the gates alternate unit by unit"] = False
    forget_offset: Annotated[float | None, "what the model's code adds to the forget bias"] = None
    recurrent: Annotated[str | None, "the tensor that is the recurrent matrix"] = None
    input_weight: Annotated[str | None, "the tensor that is the input matrix"] = None
    ignore: Annotated[tuple[str, ...], "tensors that were left unread on purpose"] = ()

    def __post_init__(self) -> None:
        from vanishgrad.weights.tensors import shown  # not loaded where no file is

        for name, allowed in ALLOWED.items():
            value = self.cell_name if name == "cell" else getattr(self, name)
            if value is not None and value not in allowed:
                raise UsageError(f"expected {flag(name)} to be one of {', '.join(allowed)}, got {shown(value)}")
        self.numbers  # noqa: B018 - refuses what is none
        orders = ["".join(sorted(row.gates)) for row in CELLS.values() if row.words and row.by_shape]
        if self.gates is not None and "".join(sorted(self.gates)) not in orders:
            letters = " or ".join(row.gates for row in CELLS.values() if row.words and row.by_shape)
            raise UsageError(f"expected the letters {letters} in any order for --gates, got {shown(self.gates)}")
        if self.forget_offset is not None and not math.isfinite(self.forget_offset):
            raise UsageError(f"expected a number for --forget-offset, got {self.forget_offset}; try 1")

    @property
    def cell_name(self) -> str | None:
        """The cell without its numbers."""
        return None if self.cell is None else self.cell.partition(":")[0]

    @property
    def numbers(self) -> dict[str, str]:
        """The numbers behind the cell's name, as typed."""
        name, colon, typed = (self.cell or "").partition(":")
        items = [item.partition("=") for item in typed.split(",")] if colon else []
        known = CELLS[name].numbers if name in CELLS else {}
        for key, _, value in items:
            if key not in known or not _is_finite(value):
                from vanishgrad.weights.tensors import shown  # not loaded where no file is

                example = ",".join(f"{each}={default:g}" for each, default in known.items())
                raise UsageError(
                    f"expected the numbers of a cell behind --cell {name}, got {shown(typed)}; "
                    f"try --cell {name}{':' + example if example else ''}"
                )
        return {key: value for key, _, value in items}


@dataclass(frozen=True, eq=False)
class Stated:
    """What a file says of a layer's variant, None where it says nothing.

    Attributes
    ----------
    activation, gate_activation : Activation
    reset, keep : str
    layout : str
        Where gate order and orientation are certain: their name.
    cell : str
        Where it is certain without the shapes: its name.
    open : tuple of str
        Those of the three that the layout does not settle either: the usual reading is taken, and said to be.
    cell_activation : Activation
        What the cell state is read through, where that is another function than the candidate's.
    """

    activation: Activation | None = None
    gate_activation: Activation | None = None
    reset: str | None = None
    keep: str | None = None
    layout: str | None = None
    cell: str | None = None
    open: tuple[str, ...] = ()
    cell_activation: Activation | None = None


@dataclass(frozen=True, eq=False)
class Reading:
    """The variant taken, and a sentence for each choice that the file did not make."""

    activation: Activation
    gate_activation: Activation | None
    variant: Mapping[str, str]
    assumptions: tuple[str, ...]
    cell_activation: Activation | None = None

    @property
    def reset(self) -> str | None:
        """The reset convention, None for a cell that has none."""
        return self.variant.get("reset")


def flag(name: str) -> str:
    """Return a hint as it is typed: ``--gate-activation``."""
    return "--" + name.replace("_", "-")


def reading(cell: str, hints: Hints, stated: Stated, usual_gate: Activation = SIGMOID) -> Reading:
    """Return the variant of a layer: what the file states, else what the user says, else what is usual.

    Raises
    ------
    Unreadable
        If the user contradicts the file.
    """
    notes: list[str] = []
    row = CELLS[cell]

    def choose(name: str, stated_value: str | None, usual: str) -> str:
        is_open = name in stated.open or (name in row.variants and not row.by_shape)
        choices = row.variants.get(name) or LIKELY[name]
        value, note = _choice(name, getattr(hints, name), stated_value, usual, choices if is_open else ())
        notes.extend(note)
        return value

    def activation(name: str, stated_value: Activation | None, usual: Activation) -> Activation:
        value = choose(name, stated_value.name if stated_value else None, usual.name)
        return stated_value or CHOICES[value]

    phi = activation("activation", stated.activation, CHOICES[row.activation] if row.activation else TANH)
    gate = activation("gate_activation", stated.gate_activation, usual_gate) if row.words else None
    variant = {key: _variant(key, row, hints, stated, choose) for key in row.variants}
    notes.extend(about_numbers(row, hints.numbers))
    return Reading(phi, gate, {**variant, **hints.numbers}, tuple(notes), stated.cell_activation)


def about_numbers(row: CellRow, known: Collection[str]) -> Iterator[str]:
    """Yield a note on the numbers of a cell that its file does not hold and the user does not say."""
    missing = [f"{key}={number:g}" for key, number in row.numbers.items() if key not in known]
    if missing:
        numbers = ",".join(missing)
        yield english(
            "{numbers} is taken, the file does not say; --cell {cell}:{numbers} with other numbers says it",
            numbers=numbers,
            cell=row.name,
        )


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _variant(
    key: str, row: CellRow, hints: Hints, stated: Stated, choose: Callable[[str, str | None, str], str]
) -> str:
    values, hint, stated_value = row.variants[key], getattr(hints, key), getattr(stated, key)
    if hint is not None and hint not in values:
        raise Unreadable(f"expected {flag(key)} {' or '.join(values)} for a {row.name}, got {hint}; try {values[0]}")
    return choose(key, stated_value if stated_value in values else None, values[0])


def _choice(
    name: str, hint: str | None, stated_value: str | None, usual: str, choices: Collection[str]
) -> tuple[str, tuple[str, ...]]:
    """Return a choice and a note; `choices` are those that the file leaves open, none where it does not."""
    word = name.replace("_", " ")
    if stated_value is not None:
        if hint not in (None, stated_value):
            raise Unreadable(
                f"expected {word} {stated_value}, as the file says, got {flag(name)} {hint}; try without it"
            )
        return stated_value, ()
    if hint is None and choices:
        others = " or ".join(each for each in choices if each != usual)
        note = english(
            "{word} {usual} is taken, the file does not say; {option} {others} chooses the other reading",
            word=word, usual=usual, option=flag(name), others=others,
        )  # fmt: skip
        return usual, (note,)
    if hint not in (None, usual):
        return hint or usual, (
            english("{word} {hint} is taken because {option} says so", word=word, hint=hint, option=flag(name)),
        )
    return usual, ()
