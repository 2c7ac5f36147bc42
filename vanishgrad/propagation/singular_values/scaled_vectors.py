"""Vectors with one exponent each, multiplied by J_t from the left or the right: Jacobian-vector products of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array, like, multiply_into, namespace
from vanishgrad.cells import Cell, Linearisation, Trajectory
from vanishgrad.cells.gate_products import NARROW
from vanishgrad.propagation.products.products import longest_stretch

BAND = 60
"""Binary orders of magnitude that a vector may drift from 1 before it is brought back."""


@dataclass(eq=False)
class ScaledVectors:
    """ScaledVectors, (B, a, m), that stand for 2^exponents times themselves, (B, a).

    They are passed on to a step in chunks that are narrow enough for it to scale them and not the weights.
    """

    values: Array
    exponents: Array

    @classmethod
    def on(cls, x: Array, values: Array) -> ScaledVectors:
        """Return NumPy's values on the device of `x`."""
        return cls(like(x, values), like(x, np.zeros(values.shape[:2], dtype=np.int64)))

    def __getitem__(self, places: slice) -> ScaledVectors:
        """Return some of the vectors, copied."""
        xp = namespace(self.values)
        return ScaledVectors(xp.asarray(self.values[:, places], copy=True), self.exponents[:, places])

    def and_also(self, others: ScaledVectors) -> ScaledVectors:
        """Return all of these and others."""
        xp = namespace(self.values)
        return ScaledVectors(
            xp.concat([self.values, others.values], axis=1), xp.concat([self.exponents, others.exponents], axis=1)
        )

    def cotangent(self, linearisation: Linearisation, t: int) -> None:
        """Multiply every vector by J_t from the right."""
        self._through(lambda W, out: linearisation.cotangent(t, W, out))

    def tangent(self, linearisation: Linearisation, t: int) -> None:
        """Multiply every vector by J_t from the left."""
        self._through(lambda W, out: linearisation.tangent(t, _turned(W), out), turned=True)

    def _through(self, step: Callable[[Array, Array], None], turned: bool = False) -> None:
        xp, count = namespace(self.values), self.values.shape[1]
        moved = xp.empty_like(self.values)
        for first in range(0, count, NARROW):
            chunk = self.values[:, first : first + NARROW]
            out = xp.empty(_shape(chunk, turned), dtype=chunk.dtype, device=chunk.device)
            step(chunk, out)
            moved[:, first : first + NARROW] = _turned(out) if turned else out
        self.values = moved
        self._rescale()

    def _rescale(self) -> None:
        xp = namespace(self.values)
        size = xp.max(xp.abs(self.values), axis=-1)
        if not xp.any((size < 2.0**-BAND) | (size > 2.0**BAND)):
            return
        by = xp.astype(xp.round(xp.log2(xp.where(size > 0, size, 1))), xp.int64)
        half = by // 2
        for each in (half, by - half):  # 2^-by itself may be out of range
            factor = xp.astype(2.0 ** -xp.astype(each, self.values.dtype), self.values.dtype)
            multiply_into(self.values, factor[..., None], self.values)
        self.exponents = self.exponents + by


def _turned(W: Array) -> Array:
    return namespace(W).matrix_transpose(W)


def _shape(W: Array, turned: bool) -> tuple[int, ...]:
    return (W.shape[0], W.shape[2], W.shape[1]) if turned else tuple(W.shape)


def backward_steps(cell: Cell, path: Trajectory, first: int = 1) -> Iterator[tuple[int, Linearisation]]:
    """Yield t = T … first with a linearisation that holds step t."""
    for start, stop in reversed(list(path.stretches(longest_stretch(cell, path.start.shape[0])))):
        start = max(start, first - 1)
        if start >= stop:
            return
        linearisation = cell.linearise(path, start, stop)
        for t in range(stop, start, -1):
            yield t, linearisation


def forward_steps(cell: Cell, path: Trajectory, first: int) -> Iterator[tuple[int, Linearisation]]:
    """Yield t = first … T with a linearisation that holds step t."""
    for start, stop in path.stretches(longest_stretch(cell, path.start.shape[0])):
        start = max(start, first - 1)
        if start >= stop:
            continue
        linearisation = cell.linearise(path, start, stop)
        for t in range(start + 1, stop + 1):
            yield t, linearisation
