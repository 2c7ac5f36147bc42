"""Own cell: a recurrent step written as a function, measured like every other cell; its Jacobian by complex step.

The derivative of an analytic step is Im f(s + i h v)/h, exact to rounding (Squire and Trapp 1998); of a step of PyTorch
it is `torch.func`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from vanishgrad.arrays import Array, floating, matmul_into, namespace
from vanishgrad.cells.activations import LINEAR
from vanishgrad.cells.cell import Cell, Part
from vanishgrad.cells.cell_row import CellRow
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.cells.own_step import Jacobian, OwnStep, StepFunction
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.random_streams import ANY_CELL

ROW = CellRow("own", f"{__name__}:OwnCell", ANY_CELL, gates="", candidate="")
CACHED_STEPS = 64
"""Steps of a stretch whose Jacobians are held."""
Tensors: TypeAlias = Mapping[str, Any]


def cell(
    step: StepFunction,
    state: Mapping[str, int],
    params: Tensors | None = None,
    *,
    input_size: int,
    jacobian: Jacobian | None = None,
    name: str | None = None,
) -> OwnCell:
    """Return a cell of one's own, to be compared, analysed, explained and verified like any other.

    Parameters
    ----------
    step : callable
        ``step(params, x, state) → state`` of one step of one sequence: x (d,), and dicts of arrays by part. Of NumPy's
        functions, analytic ones, so that a complex step differentiates them; or of PyTorch's, where `params` are
        tensors.
    state : mapping
        Part → its size; the first is the hidden state that a loss sees.
    params : mapping, optional
        Name → array, handed to `step`.
    input_size : int
        The width d of x.
    jacobian : callable, optional
        ``jacobian(params, x, state) → J`` (m, m), ∂s_t/∂s_{t-1} with the parts in the order of `state`, or a pair of it
        and ∂s_t/∂x_t (m, d): for a step that is not analytic, or a faster derivative.
    name : str, optional
        How reports call it; the step's own name by default.

    Returns
    -------
    OwnCell

    Raises
    ------
    UsageError
        For sizes that are none.
    VanishgradError
        If the step does not return every part in its size, returns another state when it is called again, is not
        finite, or is not differentiable where it was tried: then complex step and finite differences disagree.

    Examples
    --------
    >>> import numpy as np, vanishgrad
    >>> W = np.eye(3) / 2
    >>> mine = vanishgrad.cell(lambda p, x, s: {"h": np.tanh(p["W"] @ s["h"] + x)}, {"h": 3}, {"W": W}, input_size=3)
    >>> vanishgrad.compare([mine, "rnn:hidden=3"], steps=20).models[0].cell
    'own'
    """
    whole = isinstance(input_size, int) and all(isinstance(size, int) for size in state.values())
    if not (state and whole and min((input_size, *state.values())) > 0):
        raise UsageError(
            f"expected parts of the state and an input_size from 1 on, got {dict(state)} and {input_size}; "
            "try state={'h': 64}, input_size=64"
        )
    own = OwnStep(step, dict(state), dict(params or {}), input_size, jacobian)
    return OwnCell(own, name or own.name)


class OwnCell(Cell):
    r"""s_t = step(params, x_t, s_{t-1}), any function; J_t = ∂s_t/∂s_{t-1} is formed whole, m + d calls of the step.

    It has no gates that it could name, hence no conveyor; the gradient by its parameters is `TrainedOwnCell`'s.
    """

    name = "own"
    tensors = ()
    has_weights = False
    activation = LINEAR

    def __init__(self, step: OwnStep, label: str) -> None:
        self.step, self.label = step, label
        names = {"h": "hidden", "c": "cell"}
        self.curves = {names.get(part, part): (part, part) for part in step.sizes}

    def __str__(self) -> str:
        return self.label

    def labelled(self, label: str) -> OwnCell:
        """Return the same cell under another name in reports."""
        return OwnCell(self.step, label)

    @property
    def row(self) -> CellRow:
        """No row of the registry: it has no gates."""
        return ROW

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the state in the user's order."""
        return tuple(Part(name, size) for name, size in self.step.sizes.items())

    @property
    def hidden_size(self) -> int:
        """The size of the first part."""
        return self.parts[0].size

    @property
    def input_size(self) -> int:
        """The width d of the input."""
        return self.step.input_size

    @property
    def bits(self) -> int:
        """Steps are taken in float64."""
        return 64

    @property
    def dtype(self) -> np.dtype[Any]:
        """Steps are taken in float64."""
        return np.dtype(np.float64)

    @property
    def trials(self) -> int:
        """One set of parameters serves every sequence."""
        return 1

    @property
    def record_size(self) -> int:
        """A step keeps its state and its input."""
        return self.state_size + self.input_size

    @property
    def derivative_error(self) -> float:  # type: ignore[override]
        """How far its own derivative may be off, relative, where it is not analytic."""
        return self.step.derivative_error

    def steps_of(self, sequences: int) -> list[OwnStep]:
        """Return each sequence's step."""
        return [self.step] * sequences

    def input_preactivation(self, xs: Array) -> Array:
        """Return x_t for every step, (T, B, d): the step itself multiplies it."""
        return namespace(xs).permute_dims(xs, (1, 0, 2))

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return s_t, and with x_t behind it; sequence after sequence.

        Raises
        ------
        VanishgradError
            If a part of s_t is not finite: which, and at which step.
        """
        states = np.stack([step(x, own) for step, x, own in zip(self.steps_of(len(s)), a_x, s, strict=True)])
        if not np.isfinite(states).all():
            bad = next(part for part, place in self.slices.items() if not np.isfinite(states[..., place]).all())
            raise VanishgradError(
                f"expected finite states, got NaN or infinity in the part {bad} of {self} at step {t}; "
                "try fewer --steps or smaller inputs"
            )
        return states, np.concatenate([states, a_x.real.astype(states.dtype)], axis=-1)

    def state(self, record: Array, s: Array) -> Array:
        """Return s_t."""
        return record[..., : self.state_size]

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _OwnLinearisation(self, floating(states), floating(records), start)


class _OwnLinearisation(Linearisation):
    """Dense Jacobians, each formed when it is first asked for."""

    def __init__(self, cell: OwnCell, states: Array, records: Array, start: int) -> None:
        self._steps, self._first = cell.steps_of(states.shape[1]), start + 1
        self._before, self._xs = states[:-1], records[..., cell.state_size : cell.record_size]
        self._held: dict[int, tuple[Array, Array]] = {}

    def _jacobians(self, t: int) -> tuple[Array, Array]:
        """Return ∂s_t/∂s_{t-1} (B, m, m) and ∂s_t/∂x_t (B, m, d)."""
        if t not in self._held:
            if len(self._held) >= CACHED_STEPS:
                self._held.clear()
            step = t - self._first
            sequences = zip(self._steps, self._xs[step], self._before[step], strict=True)
            pairs = [each.jacobians(x, s) for each, x, s in sequences]
            by_state, by_input = (np.stack(each) for each in zip(*pairs, strict=True))
            self._held[t] = by_state, by_input
        return self._held[t]

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(W, self._jacobians(t)[0], out)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        matmul_into(self._jacobians(t)[0], V, out)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(W, self._jacobians(t)[1], out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        matmul_into(self._jacobians(t)[1], X, out)

    def dense(self, t: int) -> Array:
        return self._jacobians(t)[0].copy()

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        """Nothing: its parameters are the step's own."""
        return ()
