"""Recurrent cell: the base class of all cells, which says what a step is; the engine knows nothing else of it.

A cell declares its state as named parts, the hidden part first, and the pairs of parts whose derivative is a curve of
its own. It advances a state by one step and linearises a stretch of a trajectory; the linearisation applies the exact
one-step Jacobian J_t = ds_t/ds_{t-1} from either side, without forming it.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from vanishgrad.arrays import Array, bits, for_each_sequence, namespace, shared_matmul, times
from vanishgrad.cells.activations import Activation
from vanishgrad.cells.cell_row import CellRow, KeepGate
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.masked_steps import MaskedLinearisation, marks_of
from vanishgrad.cells.published_law import Draw, Tensors
from vanishgrad.cells.registry import CELLS
from vanishgrad.cells.trajectory import StoredTrajectory, Trajectory
from vanishgrad.errors import VanishgradError

if TYPE_CHECKING:
    from typing_extensions import Self


class Part(NamedTuple):
    """A named part of the state, for instance the cell state c of an LSTM."""

    name: str
    size: int


class Cell(ABC):
    """A recurrent cell with its weights.

    Parameters
    ----------
    W_hh : (S, g·n, h) array
        Recurrent weights, gates stacked; a leading axis of trials, and for an untied cell one of time behind it.
        A matrix without leading axes is given the axis of trials. Of B sequences, each of S sets of weights serves
        B / S consecutive ones; S is 1 or B but in training.
    W_hx : (S, g·n, d) array
    b : (S, g·n) array
        The sum of the biases that stand outside any gate's product.

    A cell whose gates see no state has a W_hh without columns, and does not name it among its `tensors`.

    Raises
    ------
    VanishgradError
        If shapes do not fit together.
    """

    name: ClassVar[str]
    """The row of the registry that speaks of it."""
    curves: Mapping[str, tuple[str, str]] = {"hidden": ("h", "h")}
    """Name of a curve → (to, from) parts of its block; `state`, `input` and `output` are every cell's."""
    tensors: ClassVar[tuple[str, ...]] = ("W_hh", "W_hx", "b")
    """The attributes that carry the axis of trials."""
    has_weights: ClassVar[bool] = True
    """Whether there are weights of which a gradient can be taken; a recorded run has none."""
    derivative_error: float = 0.0
    """How far the derivative of its own step may be off, relative; 0 where a complex step takes it."""
    is_diagonal: bool = False
    """Whether every J_t is diagonal, of real numbers or, in two parts, of complex ones."""
    own_engine: str | None = None
    """``key-side``: J_t is one matrix of keys a head for all values; ``attention``: no product; None: any engine."""
    only_numpy: ClassVar[bool] = False  # whether other array libraries cannot run it
    activation: Activation
    """Of what is written into the state."""
    gate_activation: Activation | None = None
    """Of the gates; None without any."""
    form: ClassVar[Mapping[str, str]] = {}
    """Which of its row's other forms the class is: MODEL key → value."""

    def __init__(self, W_hh: Array, W_hx: Array, b: Array) -> None:
        self.W_hh = W_hh if W_hh.ndim > 2 else W_hh[None]
        self.W_hx = W_hx if W_hx.ndim > 2 else W_hx[None]
        self.b = b if b.ndim > 1 else b[None]
        rows = self.W_hh.shape[-2]
        if rows % len(self.gates) or self.W_hx.shape[-2] != rows or self.b.shape[-1] != rows:
            raise VanishgradError(
                f"expected {self.name} weights with {len(self.gates)}·n rows each, got W_hh {W_hh.shape}, "
                f"W_hx {W_hx.shape}, b {b.shape}; try stacking the gates {' '.join(self.gates)}"
            )

    @cached_property
    def row(self) -> CellRow:
        """What the registry says of the cell."""
        return CELLS[self.name].form(self.form)

    @property
    def gates(self) -> str:
        """A letter for each of the stacked gates of `W_hh`, in order."""
        return self.row.gates

    def rows(self, gate: str) -> slice:
        """Return where a gate stands in the stacked weights and in a record."""
        place, n = self.row.place(gate), self.hidden_size
        return slice(place * n, (place + 1) * n)

    def split(self, a: Array) -> list[Array]:
        """Return each gate's share of a stacked vector."""
        return [a[..., self.rows(gate)] for gate in self.gates]

    @property
    def variant(self) -> dict[str, str]:
        """Which variant of the cell this is: MODEL key → value."""
        return {key: getattr(self, key) for key in self.row.variants}

    @property
    def keep_gate(self) -> KeepGate | None:
        """The gate that keeps the old state, if there is one."""
        return self.row.keep_gate(self.variant)

    @property
    def read_out(self) -> Activation | None:
        """The activation through which a cell state is read; None where there is none."""
        return None

    @classmethod
    def units_of(cls, shapes: Mapping[str, tuple[int, ...]], keys: Mapping[str, Any]) -> int:
        """Return n from the shapes of one trial's tensors by name and a resolved MODEL's keys."""
        return shapes["W_hx"][0] // len(CELLS[cls.name].form(cls.form).gates)

    @property
    def hidden_size(self) -> int:
        """The number n of units."""
        return int(self.W_hx.shape[-2]) // len(self.gates)

    @property
    def input_size(self) -> int:
        """The width d of the input."""
        return int(self.W_hx.shape[-1])

    @property
    def bits(self) -> int:
        """How many bits a number of its weights has."""
        return bits(self.W_hx)

    @property
    def record_size(self) -> int:
        """How many numbers a step keeps for its linearisation: its pre-activations."""
        return int(self.W_hx.shape[-2])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the weights."""
        return self.W_hx.dtype

    @property
    def trials(self) -> int:
        """The number of independent weights; 1 if one set serves every sequence."""
        return int(self.W_hx.shape[0])

    def trial(self, b: int) -> Self:
        """Return the cell with the weights of one trial alone."""
        return self.among(slice(b, b + 1))

    def among(self, trials: slice) -> Self:
        """Return the cell with the weights of some trials alone."""
        return self.with_tensors(lambda tensor: tensor[trials] if tensor.shape[0] > 1 else tensor)

    def with_tensors(self, changed: Callable[[Array], Array]) -> Self:
        """Return the cell with each of its tensors changed, for instance put on a device."""
        return self.with_weights(**{name: changed(getattr(self, name)) for name in self.tensors})

    def with_weights(self, **tensors: Array) -> Self:
        """Return the cell with other numbers in some of its tensors, axis of trials included."""
        other = copy.copy(self)
        vars(other).update(tensors)
        return other

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the state, the hidden state h first."""
        return (Part("h", self.hidden_size),)

    @property
    def conveyed(self) -> str:
        """The part of the state that the conveyor carries, if there is one: the last."""
        return self.parts[-1].name

    @property
    def state_size(self) -> int:
        """The size m of the state."""
        return sum(part.size for part in self.parts)

    @property
    def slices(self) -> dict[str, slice]:
        """Name of a part → where it stands in the state."""
        ends = np.cumsum([part.size for part in self.parts]).tolist()
        return {part.name: slice(end - part.size, end) for part, end in zip(self.parts, ends, strict=True)}

    def input_preactivation(self, xs: Array) -> Array:
        """Return W_hx x_t + b for every step, (T, B, g·n), of inputs (B, T, d)."""
        a_x = self.input_product(xs)
        a_x += for_each_sequence(self.b, a_x.shape[1])
        return a_x

    def input_product(self, xs: Array) -> Array:
        """Return W_hx x_t for every step, (T, B, g·n), of inputs (B, T, d)."""
        xp = namespace(self.W_hx)
        by_sequence = shared_matmul(xs, xp.matrix_transpose(self.W_hx))
        batch, steps, size = by_sequence.shape
        a_x = xp.empty((steps, batch, size), dtype=by_sequence.dtype, device=by_sequence.device)
        a_x[...] = xp.permute_dims(by_sequence, (1, 0, 2))
        return a_x

    def recurrent(self, t: int, h: Array) -> Array:
        """Return W_hh h for a batch of hidden states (B, n)."""
        return times(self.recurrent_weights(t), h)

    def recurrent_weights(self, t: int) -> Array:
        """Return W_hh of step t, (B | 1, g·n, n)."""
        return self.W_hh

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return one trial's W_hh, W_hx and b by the law that its authors, or the package of its name, start it with.

        A cell whose gates see no state returns no W_hh.
        """
        raise NotImplementedError

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return one trial's tensors beside W_hh, W_hx and b, the same in every law."""
        return {}

    @property
    def layers(self) -> tuple[Cell, ...]:
        """The cells that it is made of: itself, but for a stack."""
        return (self,)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The functions that a step applies: the candidate's, then that of the gates."""
        return (self.activation,) if self.gate_activation is None else (self.activation, self.gate_activation)

    @property
    def steps(self) -> int | None:
        """For how many steps there are weights; None where the same serve every step."""
        return None

    def between(self, start: int, stop: int) -> Self:
        """Return the cell whose steps 1, 2, … are steps start + 1 … stop of this one."""
        return self

    @abstractmethod
    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return s_t and the record of step t from drive_t (B, g·n) and s_{t-1} (B, m), real or complex."""

    @abstractmethod
    def state(self, record: Array, s: Array) -> Array:
        """Return s_t from the record of step t and s_{t-1} (B, m)."""

    def with_differences(
        self, records: Array, states: Array, before: Array | None = None, marks: Array | None = None
    ) -> Array:
        """Return the records of consecutive steps (L, B, r) with what only the step before each of them tells.

        They are changed in place. `states` is (L + 1, B, m); `before`, (B, r), the record of the step before these,
        None at the beginning of a run; `marks`, (L + 1, B), those of that step and of these, where some are masked.
        """
        return records

    @abstractmethod
    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … with states s_start, … (S + 1, B, m), records (S, B, r)."""

    def linearise(self, trajectory: Trajectory, start: int, stop: int) -> Linearisation:
        """Return the linearisation of steps start + 1 … stop, masked ones among them."""
        states, records = trajectory.between(start, stop)
        steps, marks = self.along(states, records[..., : self.record_size], start), marks_of(records, self.record_size)
        return steps if marks is None else MaskedLinearisation(steps, marks, start, self.slices[self.conveyed])

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return |a_t| of a diagonal J_t = diag a_t, (T', B, n), of records (T', B, r), from s_{t-1} to s_t."""
        raise NotImplementedError

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln|a_t| of the same; ln a_t where the state is of complex numbers."""
        return np.asarray(np.log(self.multipliers(a, before, after)))

    def gate_values(self, trajectory: StoredTrajectory) -> dict[str, Array]:
        """Return the activations of the gates that a report names, each (T, B, n); of `keep`, the factor kept."""
        if self.gate_activation is None:
            return {}
        gate, keep, values = self.gate_activation, self.keep_gate, dict[str, Array]()
        for letter, word in self.row.words.items():
            is_complement = keep is not None and letter == keep.letter and keep.sign < 0
            values[word] = (gate.complement if is_complement else gate.phi)(trajectory.records[..., self.rows(letter)])
        return values
