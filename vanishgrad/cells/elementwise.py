"""Elementwise cells: units meet in the pre-activations alone, and J_t = D + Σ_gates diag(∂s/∂a_g) W_g.

What such a cell has to say is its step and a few diagonals (`Slopes`); products, gradients and detours follow from
them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from vanishgrad.arrays import Array, namespace, times
from vanishgrad.cells.cell import Cell
from vanishgrad.cells.convex_update import ConvexUpdate
from vanishgrad.cells.gate_products import GateProducts
from vanishgrad.cells.linearisation import Linearisation, Outer, Split
from vanishgrad.errors import VanishgradError


@dataclass(frozen=True, eq=False)
class Slopes:
    """The diagonals of the one-step Jacobians of a stretch of steps, each (T', B, n).

    Attributes
    ----------
    gates : tuple of arrays
        ∂y/∂a_g of each stacked gate, y what they write into: one vector for all, or one for each group of `groups`.
    kept : mapping
        (to, from) parts of the state → ∂s^to/∂s^from with all pre-activations held fixed.
    written : mapping
        Part → ∂s^part/∂y, where there is one y; 1 for the only part of a state. Of several each belongs to one part,
        in the order of the parts.
    conveyor : array or None
        The factor that is kept, where there is a conveyor.
    groups : tuple of tuples of int
        The gates that write into each part, where every part has gates of its own.
    """

    gates: tuple[Array, ...]
    kept: Mapping[tuple[str, str], Array]
    written: Mapping[str, float] = field(default_factory=lambda: {"h": 1.0})
    conveyor: Array | None = None
    groups: tuple[tuple[int, ...], ...] = ()


class ElementwiseCell(Cell):
    """s_t is elementwise in a_t = W_hh s_{t-1} + W_hx x_t + b and in s_{t-1}; all parts have the hidden size.

    W_hh has a column for each number of the parts that the gates see: the hidden state, all, or none.

    Raises
    ------
    VanishgradError
        If W_hh has other columns.
    """

    seen_parts: ClassVar[int] = 1
    """How many parts of the state the gates see."""

    def __init__(self, W_hh: Array, W_hx: Array, b: Array) -> None:
        super().__init__(W_hh, W_hx, b)
        columns = self.seen_parts * self.hidden_size
        if self.W_hh.shape[-1] != columns:
            raise VanishgradError(
                f"expected W_hh of {columns} columns for a {self.name} of {self.hidden_size} units, got "
                f"{self.W_hh.shape[-1]}; try the weights that were saved together"
            )

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return s_t and the pre-activations."""
        W = self.recurrent_weights(t)
        a = a_x + times(W, s[..., : W.shape[-1]]) if W.shape[-1] else a_x
        return self.state(a, s), a

    @property
    def is_diagonal(self) -> bool:  # type: ignore[override]
        """Whether J_t is diagonal, of real numbers or, in two parts, of complex ones: no gate sees the state."""
        return self.W_hh.shape[-1] == 0

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        return np.abs(self.slopes(a, before, after).kept["h", "h"])

    @abstractmethod
    def slopes(self, a: Array, before: Array, after: Array) -> Slopes:
        """Return the diagonals of steps with pre-activations (T', B, g·n), from s_{t-1} to s_t, both (T', B, m)."""

    def own_gradients(self, w: Array, a: Array, before: Array) -> tuple[Outer, ...]:
        """Return d(w · s_t)/dθ of the tensors beside W_hh, W_hx and b; w (B, m), a (B, g·n), s_{t-1} (B, m)."""
        return ()

    def recurrent_gradient(self, delta: Array, seen: Array) -> tuple[Outer, ...]:
        """Return d(w · s_t)/dW_hh from the cotangent of the pre-activations (B, g·n) and what they see, (B, q)."""
        return (Outer("W_hh", delta, seen),) if "W_hh" in self.tensors else ()

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return ElementwiseLinearisation(self, states, records, start)


class ElementwiseConvexUpdate(ElementwiseCell, ConvexUpdate):
    """An elementwise cell h_t = k ⊙ h_{t-1} + (1 - k) ⊙ n̂ without reset: a record ends with h_{t-1} - n̂ alone."""

    def candidate(self, record: Array) -> Array:
        """Return the pre-activation of the candidate."""
        return record[..., self.rows("n")]

    @property
    def record_size(self) -> int:
        """How many numbers a step keeps: the pre-activations, and h_{t-1} - n̂_t."""
        return int(self.W_hx.shape[-2]) + self.hidden_size

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return h_t and the pre-activations, then h_{t-1} - n̂."""
        after, a = super().advance(t, a_x, s)
        return after, namespace(a).concat([a, s - self.activation.phi(self.candidate(a))], axis=-1)


class ElementwiseLinearisation(Linearisation):
    """J_t = D + (written) K with K = Σ_gates diag(∂y/∂a_g) W_g, D the diagonal blocks that are kept."""

    def __init__(self, cell: ElementwiseCell, states: Array, a: Array, start: int) -> None:
        self._cell, self._first, self._n = cell, start + 1, cell.hidden_size
        self._before, self._a = states[:-1], a
        self._slopes = cell.slopes(a, states[:-1], states[1:])
        self._places, self._size = cell.slices, cell.state_size
        coefficients = namespace(a).stack(list(self._slopes.gates), axis=2)
        gates = self._slopes.groups or (tuple(range(len(cell.gates))),)
        W = cell.recurrent_weights(start + 1)
        self._seen = int(W.shape[-1])
        self._K = GateProducts(W, coefficients, gates) if self._seen else None
        self._K_input = GateProducts(cell.W_hx, coefficients, gates)

    def _signal(self, W: Array) -> Array:
        """Return what reaches y of cotangents of the state."""
        if self._slopes.groups:
            return W
        first, *others = [W[..., self._places[part]] * factor for part, factor in self._slopes.written.items()]
        signal: Array = sum(others, start=first)
        return signal

    def _write(self, dy: Array, out: Array) -> None:
        """Write the state's tangents into `out` from those of y."""
        if self._slopes.groups:
            out[...] = dy
            return
        written = self._slopes.written
        for part, place in self._places.items():
            out[:, place] = dy * written.get(part, 0.0)

    def _signal_columns(self, out: Array) -> Array:
        """Return room for the tangents of y beside those of the state, `out` (B, m, c)."""
        rows = self._n * max(1, len(self._slopes.groups))
        room: Array = namespace(out).empty((out.shape[0], rows, out.shape[-1]), dtype=out.dtype)
        return room

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        step, seen = t - self._first, self._seen
        if self._K is not None:
            self._K.cotangent(step, self._signal(W), out[..., :seen])
        if seen < self._size:
            out[..., seen:] = 0.0
        for (to, source), slope in self._slopes.kept.items():
            out[..., self._places[source]] += W[..., self._places[to]] * slope[step][:, None]

    def tangent(self, t: int, V: Array, out: Array) -> None:
        step = t - self._first
        if self._K is not None:
            dy = self._signal_columns(out)
            self._K.tangent(step, V[:, : self._seen], dy)
            self._write(dy, out)
        else:
            out[...] = 0.0
        for (to, source), slope in self._slopes.kept.items():
            out[:, self._places[to]] += slope[step][..., None] * V[:, self._places[source]]

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        self._K_input.cotangent(t - self._first, self._signal(W), out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        dy = self._signal_columns(out)
        self._K_input.tangent(t - self._first, X, dy)
        self._write(dy, out)

    def dense(self, t: int) -> Array:
        xp, step, batch = namespace(self._a), t - self._first, self._a.shape[1]
        identity = xp.eye(self._n, dtype=self._a.dtype)
        J: Array = xp.zeros((batch, self._size, self._size), dtype=self._a.dtype)
        if self._K is not None:
            K = self._K.dense(step)
            for part, factor in self._slopes.written.items():
                J[:, self._places[part], : self._seen] = K * factor
        for (to, source), slope in self._slopes.kept.items():
            J[:, self._places[to], self._places[source]] += slope[step][..., None] * identity
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        step = t - self._first
        delta = self._K_input.pulled_back(step, self._signal(w[:, None]))[:, 0]
        before = self._before[step]
        return (
            *self._cell.recurrent_gradient(delta, before[..., : self._seen]),
            Outer("b", delta),
            *self._cell.own_gradients(w, self._a[step], before),
        )

    def conveyor(self, t: int) -> Array | None:
        kept = self._slopes.conveyor
        return None if kept is None else kept[t - self._first]

    def detours(self, t: int, W: Array) -> Split | None:
        """A_t = diag of the factor kept; every other path returns to h through a gate."""
        kept = self.conveyor(t)
        if kept is None:
            return None
        letters, xp = self._cell.gates, namespace(W)
        none = [xp.zeros_like(W) for _ in letters]
        terms = none if self._K is None else self._K.cotangent_terms(t - self._first, W)
        return Split(W * kept[:, None], dict(zip(letters, terms, strict=True)))
