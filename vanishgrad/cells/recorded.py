"""Recorded cell: the first-order (linear time-varying) replay of a run whose one-step Jacobians were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array, bits, matmul_into, namespace, times
from vanishgrad.cells.activations import LINEAR
from vanishgrad.cells.cell import Cell, Part
from vanishgrad.cells.cell_row import CellRow
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.errors import VanishgradError
from vanishgrad.random_streams import ANY_CELL

if TYPE_CHECKING:
    from typing_extensions import Self

RECORDED = "recorded"
PARTS = "state "
"""What a recorded layer's variant begins with; the sizes of its parts follow, between plus signs."""
ROW = CellRow(RECORDED, f"{__name__}:Recorded", ANY_CELL, gates="", candidate="")


class Recorded(Cell):
    r"""s_t = r_t + J_t (s_{t-1} - r_{t-1}) + B_t (x_t - y_t): the Taylor expansion of any cell along one run of it.

    r and y are the recorded states and inputs, J_t and B_t the derivatives of the recorded step by state and by input.
    Along the run itself s_t = r_t exactly, and its Jacobians are the cell's own; along other inputs it is not the cell.
    There are no gates, and no weights whose gradient could be taken.

    Parameters
    ----------
    jacobians : (S, T, m, m) array
        J_t, of each sequence.
    input_jacobians : (S, T, m, d) array
        B_t.
    states : (S, T + 1, m) array
        r_0 … r_T.
    inputs : (S, T, d) array
        y_1 … y_T.
    sizes : tuple of int
        Of the parts of the state, the hidden part first, by default one; they are called h, c, s3, s4, ….

    Raises
    ------
    VanishgradError
        If shapes do not fit together.
    """

    name = RECORDED
    tensors = ("jacobians", "input_jacobians", "states", "inputs")
    has_weights = False
    activation = LINEAR

    def __init__(
        self, jacobians: Array, input_jacobians: Array, states: Array, inputs: Array, sizes: tuple[int, ...] = ()
    ) -> None:
        S, T, m = jacobians.shape[:3] if jacobians.ndim == 4 else (0, 0, 0)
        d = inputs.shape[-1]
        shapes = [each.shape for each in (jacobians, input_jacobians, states, inputs)]
        sizes = sizes or (m,)
        if shapes != [(S, T, m, m), (S, T, m, d), (S, T + 1, m), (S, T, d)] or sum(sizes) != m or min(sizes) < 1:
            raise VanishgradError(
                f"expected Jacobians (S, T, m, m), (S, T, m, d), states (S, T + 1, m) and inputs (S, T, d) with parts "
                f"of m together, got {', '.join(map(str, shapes))} and parts {sizes}; try capturing it anew"
            )
        self.jacobians, self.input_jacobians, self.states, self.inputs = jacobians, input_jacobians, states, inputs
        names = ("h", "c", *(f"s{place}" for place in range(3, len(sizes) + 1)))
        self._parts = tuple(Part(name, size) for name, size in zip(names, sizes, strict=False))
        self.curves = {
            {"h": "hidden", "c": "cell"}.get(part.name, part.name): (part.name, part.name) for part in self._parts
        }

    @property
    def row(self) -> CellRow:
        """No row of the registry: it has no gates."""
        return ROW

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the state in the order of the module's own."""
        return self._parts

    @property
    def hidden_size(self) -> int:
        """The size of the hidden part."""
        return self._parts[0].size

    @property
    def input_size(self) -> int:
        """The width d of the input."""
        return int(self.inputs.shape[-1])

    @property
    def bits(self) -> int:
        """How many bits a number has."""
        return bits(self.jacobians)

    @property
    def record_size(self) -> int:
        """A step keeps its state."""
        return self.state_size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the Jacobians."""
        return self.jacobians.dtype

    @property
    def trials(self) -> int:
        """The number of recorded sequences."""
        return int(self.jacobians.shape[0])

    @property
    def steps(self) -> int:
        """For how many steps there are Jacobians."""
        return int(self.jacobians.shape[1])

    def between(self, start: int, stop: int) -> Self:
        """Return the replay of steps start + 1 … stop alone."""
        return self.with_weights(
            jacobians=self.jacobians[:, start:stop],
            input_jacobians=self.input_jacobians[:, start:stop],
            states=self.states[:, start : stop + 1],
            inputs=self.inputs[:, start:stop],
        )

    def aligned(self, lengths: Array) -> Self:
        """Return the first steps of each sequence, as many as its length says, aligned at their end."""
        longest = int(lengths.max())
        if lengths.min() == longest:
            return self.between(0, longest)
        places = np.arange(longest + 1) - (longest - lengths)[:, None]
        rows, states = np.arange(len(lengths))[:, None], np.maximum(places, 0)
        steps = states[:, :-1]
        by_step = {name: getattr(self, name)[rows, steps] for name in ("jacobians", "input_jacobians", "inputs")}
        return self.with_weights(states=self.states[rows, states], **by_step)

    def input_preactivation(self, xs: Array) -> Array:
        """Return x_t for every step, (T, B, d): what multiplies it depends on the step."""
        return namespace(xs).permute_dims(xs, (1, 0, 2))

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return s_t twice: it is its own record."""
        by_state = times(self.jacobians[:, t - 1], s - self.states[:, t - 1])
        by_input = times(self.input_jacobians[:, t - 1], a_x - self.inputs[:, t - 1])
        state = self.states[:, t] + (by_state + by_input)
        return state, state

    def state(self, record: Array, s: Array) -> Array:
        """Return s_t."""
        return record

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the recorded Jacobians of steps start + 1, …."""
        return _RecordedLinearisation(self)


class _RecordedLinearisation(Linearisation):
    def __init__(self, cell: Recorded) -> None:
        self._J, self._B = cell.jacobians, cell.input_jacobians

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(W, self._J[:, t - 1], out)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        matmul_into(self._J[:, t - 1], V, out)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        matmul_into(W, self._B[:, t - 1], out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        matmul_into(self._B[:, t - 1], X, out)

    def dense(self, t: int) -> Array:
        J: Array = namespace(self._J).asarray(self._J[:, t - 1], copy=True)
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        """Nothing: it has no weights."""
        return ()
