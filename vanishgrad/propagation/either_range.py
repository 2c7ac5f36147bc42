"""Linearisation in either range: one-step Jacobians in floating point, and in extended range for such rows."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from vanishgrad.arrays import Array, is_extended, namespace, on_host
from vanishgrad.cells import Cell, Linearisation, Outer, Split, StoredTrajectory, Trajectory
from vanishgrad.cells.masked_steps import NOT_BEGUN, TAKEN, marks_of
from vanishgrad.extended_range import extended, stack, where
from vanishgrad.propagation.products.scaling import LN_2, depth, range_bits, size

FACTORS = 2
"""An entry of J is a product of up to two derivatives and two values of activations, each of which decays by half of
what a derivative of tanh does; and of up to two weights."""
ROOM = 64
"""Bits below 1 up to which a coefficient may be lost that stands beside no other: φ'(a) itself."""


class EitherRange(Linearisation):
    """Linearisation of steps start + 1 … stop that takes rows and columns in floating point or in extended range.

    The latter is made when it is first asked for, from the pre-activations: activations and states that have left the
    range of floating point are back in it, for neither is taken from the run.
    """

    def __init__(self, cell: Cell, trajectory: Trajectory, start: int, stop: int) -> None:
        self._cell, self._start = cell, start
        self._states, self._records = trajectory.between(start, stop)
        self._trajectory = trajectory
        self._floating = cell.linearise(trajectory, start, stop)

    @cached_property
    def _extended(self) -> Linearisation:
        cell: Cell = self._cell.between(self._start, self._start + len(self._records)).with_tensors(_extended)
        records, marks = _extended(self._records), marks_of(self._records, cell.record_size)
        states = [_extended(self._states[0])]
        for i, (record, floating) in enumerate(zip(records, _extended(self._states[1:]), strict=True)):
            state: Any = cell.state(record[..., : cell.record_size], states[-1])
            if marks is not None:
                state = where((marks[i] == TAKEN)[:, None], state, states[-1])
            states.append(where(state.e < -range_bits(on_host(self._states)), state, floating))
        path: Any = stack(states)
        before, own = self._before, records[..., : cell.record_size]  # a view: the differences are written into it
        if marks is not None:
            previous = (
                np.full_like(marks[:1], NOT_BEGUN) if before is None else marks_of(before[None], cell.record_size)
            )
            marks = np.concatenate([previous, marks])
        cell.with_differences(own, path, None if before is None else _extended(before[..., : cell.record_size]), marks)
        along: Any = StoredTrajectory(path, records)
        return cell.linearise(along, 0, len(self._records))

    @property
    def _before(self) -> Array | None:
        """The record of the step before, None at the beginning."""
        return self._trajectory.between(self._start - 1, self._start)[1][0] if self._start else None

    @cached_property
    def _double(self) -> Linearisation:
        cell: Cell = self._cell.between(self._start, self._start + len(self._records)).with_tensors(_in_double)
        path = StoredTrajectory(_in_double(self._states), _in_double(self._records))
        return cell.linearise(path, 0, len(self._records))

    def _on(self, t: int, operand: Array) -> tuple[Linearisation, int]:
        if is_extended(operand):
            return self._extended, t - self._start
        return (self._floating, t) if operand.dtype == self._records.dtype else (self._double, t - self._start)

    @cached_property
    def _depths(self) -> Array:
        """How many bits below 1 activations may lie at each step, and their products in an entry of J."""
        xp, decay = namespace(self._records), max((each.decay for each in self._cell.activations), default=0.0)
        sizes = (on_host(xp.max(xp.abs(x), axis=(1, 2))) for x in (self._records, self._states[1:]))
        layers = len(self._cell.layers)
        return np.ceil(FACTORS * layers * decay / LN_2 * np.maximum(*sizes))

    @cached_property
    def _factors(self) -> list[Array]:
        weights = [getattr(layer, name) for layer in self._cell.layers for name in layer.tensors]
        return [each for each in (*weights, self._states, self._records) if math.prod(each.shape)]

    @cached_property
    def _smallest(self) -> float:
        """How many bits below 1 weights, states and records lie, and their products in an entry of J."""
        return FACTORS * len(self._cell.layers) * sum(depth(each) for each in self._factors)

    @cached_property
    def _least_column(self) -> float:
        """How many bits below 1 the largest weight lies of any column that is not zero."""
        weights = [getattr(layer, name) for layer in self._cell.layers for name in layer.tensors]
        return sum(
            depth(namespace(W).max(namespace(W).abs(W), axis=-2)) for W in weights if W.ndim > 2 and math.prod(W.shape)
        )

    @cached_property
    def _steep(self) -> bool:
        """Whether a step may enlarge a product by more than its scale leaves room for."""
        largest = sum(max(0.0, math.log2(max(size(each), 1.0))) for each in self._factors)
        return largest > range_bits(self._records) / 8

    def depth(self, t: int, sparse: bool) -> float:
        """Return how many bits smaller the non-zero entries of W J_t may be than those of W.

        In a `sparse` W a single entry may make one of W J_t; else all of a column do, and its largest weight counts.
        """
        if self._steep:
            return math.inf
        return float(self._depths[t - self._start - 1]) + (self._smallest if sparse else self._least_column)

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        linearisation, step = self._on(t, W)
        linearisation.cotangent(step, W, out)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        linearisation, step = self._on(t, V)
        linearisation.tangent(step, V, out)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        linearisation, step = self._on(t, W)
        linearisation.input_cotangent(step, W, out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        linearisation, step = self._on(t, X)
        linearisation.input_tangent(step, X, out)

    def factors(self, t: int, identity: Array) -> tuple[Array, Array] | None:
        linearisation, step = self._on(t, identity)
        return linearisation.factors(step, identity)

    def dense(self, t: int) -> Array:
        return self._floating.dense(t)

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        linearisation, step = self._on(t, w)
        return linearisation.weight_gradient(step, w)

    def taken(self, t: int) -> Array | None:
        return self._floating.taken(t)

    def conveyor(self, t: int) -> Array | None:
        """Return the diagonal, in extended range where it may have left that of floating point."""
        if self._depths[t - self._start - 1] > ROOM:
            return self._extended.conveyor(t - self._start)
        return self._floating.conveyor(t)

    def detours(self, t: int, W: Array) -> Split | None:
        linearisation, step = self._on(t, W)
        return linearisation.detours(step, W)

    def total(self, t: int, W: Array) -> Array | None:
        linearisation, step = self._on(t, W)
        return linearisation.total(step, W)


def _in_double(x: Array) -> Array:
    xp = namespace(x)
    double: Array = xp.astype(x, xp.float64)
    return double


def _extended(x: Array) -> Any:
    return extended(on_host(x))
