"""Stacked layers as one cell: each layer's hidden state is the input of the layer above at the same step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells.activations import Activation
from vanishgrad.cells.cell import Cell, Part
from vanishgrad.cells.cell_row import CellRow
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.cells.trajectory import StoredTrajectory
from vanishgrad.random_streams import ANY_CELL

if TYPE_CHECKING:
    from typing_extensions import Self


ROW = CellRow("stack", f"{__name__}:Stack", ANY_CELL, gates="", candidate="")


class Stack(Cell):
    r"""At every step layer l sees what layer l - 1 puts out at that step; the state is all layers', the top one first.

    So J_t is block triangular: with A_l = ∂s_t^l/∂s_{t-1}^l and B_l = ∂s_t^l/∂h_t^{l-1}, the derivative of layer l's
    state by layer j's is B_l (∂h_t^{l-1}/∂s_{t-1}^j) for j < l, and A_l for j = l.

    Parameters
    ----------
    layers : sequence of Cell
        From the bottom, which the input drives, to the top.
    """

    name = "stack"
    curves = {}
    tensors = ()

    def __init__(self, layers: Sequence[Cell]) -> None:
        self._layers = tuple(layers)

    @property
    def layers(self) -> tuple[Cell, ...]:
        """The cells, from the bottom to the top."""
        return self._layers

    @property
    def activations(self) -> tuple[Activation, ...]:
        """Those of all layers."""
        return tuple(each for layer in self.layers for each in layer.activations)

    @property
    def row(self) -> CellRow:
        """No row of the registry: it has no gates but its layers'."""
        return ROW

    @property
    def hidden_size(self) -> int:
        """The number of units of the top layer."""
        return self.layers[-1].hidden_size

    @property
    def input_size(self) -> int:
        """The width of the bottom layer's input."""
        return self.layers[0].input_size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the weights."""
        return self.layers[0].dtype

    @property
    def bits(self) -> int:
        """How many bits a number of the weights has."""
        return self.layers[0].bits

    @property
    def record_size(self) -> int:
        """How many numbers a step keeps for its linearisation."""
        return sum(layer.record_size for layer in self.layers)

    @property
    def trials(self) -> int:
        """The largest number of independent weights of any layer."""
        return max(layer.trials for layer in self.layers)

    def with_tensors(self, changed: Callable[[Array], Array]) -> Self:
        """Return the cell with each tensor of each layer changed."""
        other = copy.copy(self)
        other._layers = tuple(layer.with_tensors(changed) for layer in self.layers)
        return other

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the top layer, under their own names, then those of each layer below, numbered downwards."""
        downwards = enumerate(reversed(self.layers))
        return tuple(
            Part(f"{part.name}{-depth if depth else ''}", part.size)
            for depth, layer in downwards
            for part in layer.parts
        )

    @property
    def spans(self) -> tuple[slice, ...]:
        """Where the state of each layer stands, from the bottom to the top."""
        ends, end = [], self.state_size
        for layer in self.layers:
            ends.append(slice(end - layer.state_size, end))
            end -= layer.state_size
        return tuple(ends)

    def input_preactivation(self, xs: Array) -> Array:
        """Return the input pre-activation of the bottom layer; the others' depends on it."""
        return self.layers[0].input_preactivation(xs)

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return all layers' states and records, the top one's states first, the bottom one's records first."""
        states, records = list[Array](), list[Array]()
        for layer, span in zip(self.layers, self.spans, strict=True):
            if states:
                below = self.layers[len(states) - 1].parts[0].size
                a_x = layer.input_preactivation(states[-1][:, None, :below])[0]
            state, record = layer.advance(t, a_x, s[..., span])
            states.append(state)
            records.append(record)
        xp = namespace(s)
        return xp.concat(states[::-1], axis=-1), xp.concat(records, axis=-1)

    def state(self, record: Array, s: Array) -> Array:
        """Return all layers' states."""
        states, begin = list[Array](), 0
        for layer, span in zip(self.layers, self.spans, strict=True):
            end = begin + layer.record_size
            states.append(layer.state(record[..., begin:end], s[..., span]))
            begin = end
        return namespace(s).concat(states[::-1], axis=-1)

    def with_differences(
        self, records: Array, states: Array, before: Array | None = None, marks: Array | None = None
    ) -> Array:
        """Return all layers' records with what only the step before each of them tells."""
        begin = 0
        for layer, span in zip(self.layers, self.spans, strict=True):
            own = slice(begin, begin + layer.record_size)
            own_before = None if before is None else before[..., own]
            layer.with_differences(records[..., own], states[..., span], own_before, marks)
            begin = own.stop
        return records

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        own = zip(self.layers, self._split(states, records), strict=True)
        return _StackLinearisation(self, [layer.along(each.states, each.records, start) for layer, each in own])

    def gate_values(self, trajectory: StoredTrajectory) -> dict[str, Array]:
        """Return the gates of every layer, each (T, B, n), with the layer's place before the name."""
        return {
            f"{place}.{name}": values
            for place, (layer, layer_trajectory) in enumerate(
                zip(self.layers, self._split(trajectory.states, trajectory.records), strict=True)
            )
            for name, values in layer.gate_values(layer_trajectory).items()
        }

    def _split(self, states: Array, records: Array) -> Iterator[StoredTrajectory]:
        """Yield each layer's own trajectory."""
        begin = 0
        for layer, span in zip(self.layers, self.spans, strict=True):
            end = begin + layer.record_size
            yield StoredTrajectory(states[..., span], records[..., begin:end])
            begin = end


class _StackLinearisation(Linearisation):
    def __init__(self, cell: Stack, layers: Sequence[Linearisation]) -> None:
        self._cell, self._layers, self._m = cell, layers, cell.state_size

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        for layer, span, rows in self._downwards(t, W):
            own = namespace(W).empty_like(rows)
            layer.cotangent(t, rows, own)
            out[..., span] = own

    def _downwards(self, t: int, W: Array) -> Iterator[tuple[Linearisation, slice, Array]]:
        """Yield each layer from the top with the rows that reach its state, what comes from above included."""
        xp, from_above = namespace(W), None
        for place in range(len(self._layers) - 1, -1, -1):
            span, layer = self._cell.spans[place], self._layers[place]
            rows = xp.astype(W[..., span], W.dtype, copy=True)
            if from_above is not None:
                rows[..., : from_above.shape[-1]] += from_above
            yield layer, span, rows
            if place:
                from_above = xp.empty((*rows.shape[:-1], self._cell.layers[place].input_size), dtype=W.dtype)
                layer.input_cotangent(t, rows, from_above)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        below: Array | None = None
        for layer, cell, span in self._upwards():
            own = namespace(V).empty_like(V[:, span])
            layer.tangent(t, V[:, span], own)
            if below is not None:
                driven = namespace(V).empty_like(own)
                layer.input_tangent(t, below, driven)
                own += driven
            out[:, span], below = own, own[:, : cell.parts[0].size]

    def factors(self, t: int, identity: Array) -> tuple[Array, Array] | None:
        """K is block diagonal, each layer's own; X is what their images make of the layers above."""
        xp, batch = namespace(identity), identity.shape[0]
        own = [layer.factors(t, identity[:, span, span]) for layer, _, span in self._upwards()]
        layers = [each for each in own if each is not None]
        if len(layers) < len(own):
            return None
        size = sum(K.shape[1] for _, K in layers)
        X_all, K_all = (xp.zeros((batch, *shape), dtype=identity.dtype) for shape in ((self._m, size), (size, self._m)))
        below, begin = None, 0
        for (X, K), (layer, cell, span) in zip(layers, self._upwards(), strict=True):
            inner, begin = slice(begin, begin + K.shape[1]), begin + K.shape[1]
            K_all[:, inner, span] = K
            if below is not None:
                driven = xp.zeros((batch, cell.state_size, size), dtype=identity.dtype)
                layer.input_tangent(t, below, driven)
                X_all[:, span] = driven
            X_all[:, span, inner] = X
            below = X_all[:, span][:, : cell.parts[0].size]
        return X_all, K_all

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        below = X
        for layer, cell, span in self._upwards():
            own = namespace(X).empty((X.shape[0], cell.state_size, X.shape[2]), dtype=X.dtype)
            layer.input_tangent(t, below, own)
            out[:, span], below = own, own[:, : cell.parts[0].size]

    def _upwards(self) -> Iterator[tuple[Linearisation, Cell, slice]]:
        return zip(self._layers, self._cell.layers, self._cell.spans, strict=True)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        *_, (bottom, _, rows) = self._downwards(t, W)
        bottom.input_cotangent(t, rows, out)

    def dense(self, t: int) -> Array:
        bottom = self._layers[0].dense(t)
        xp, m = namespace(bottom), self._cell.state_size
        identity = xp.eye(m, dtype=bottom.dtype) + xp.zeros((bottom.shape[0], 1, 1), dtype=bottom.dtype)
        J: Array = xp.empty_like(identity)
        self.cotangent(t, identity, J)
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        terms = [layer.weight_gradient(t, rows[:, 0]) for layer, _, rows in self._downwards(t, w[:, None])]
        return tuple(
            term._replace(tensor=f"{place}.{term.tensor}")
            for place, layer_terms in enumerate(terms[::-1])
            for term in layer_terms
        )
