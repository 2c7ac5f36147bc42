"""Vectors with one exponent each, multiplied by J_t from the left or the right: Jacobian-vector products of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vanishgrad.arrays import Array, is_extended, like, multiply_into, namespace, on_host
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.cells.gate_products import NARROW
from vanishgrad.extended_range import extended, on_one_scale
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.products import longest_stretch
from vanishgrad.propagation.products.scaling import RangeWatch
from vanishgrad.steps_done import counted

BAND = 60
"""Binary orders of magnitude that a vector may drift from 1 before it is brought back."""


@dataclass(eq=False)
class ScaledVectors:
    """Vectors (B, a, m) with one exponent each, (B, a): each stands for 2^exponent times itself.

    Values are in extended range once an entry may fall out of that of floating point.

    They are passed on to a step in chunks that are narrow enough for it to scale them and not the weights.
    """

    values: Array
    exponents: Array

    def __post_init__(self) -> None:
        self._watch = RangeWatch(self.values)

    @classmethod
    def on(cls, x: Array, values: Array) -> ScaledVectors:
        """Return NumPy's values on the device of `x`."""
        return cls(like(x, values), like(x, np.zeros(values.shape[:2], dtype=np.int64)))

    def __getitem__(self, places: slice) -> ScaledVectors:
        """Return some of the vectors, copied."""
        xp = namespace(self.values)
        return ScaledVectors(xp.asarray(self.values[:, places], copy=True), self.exponents[:, places])

    def and_also(self, others: ScaledVectors) -> ScaledVectors:
        """Return all of these and others, in extended range if either are."""
        if is_extended(others.values):
            self.widen()
        xp = namespace(self.values)
        exponents = namespace(self.exponents).concat([self.exponents, others.exponents], axis=1)
        return ScaledVectors(xp.concat([self.values, others.values], axis=1), exponents)

    def widen(self) -> None:
        """Go on in extended range, which is NumPy's: there every entry keeps an exponent of its own."""
        if not is_extended(self.values):
            values: Any = extended(on_host(self.values))
            self.values, self.exponents = values, on_host(self.exponents)

    def vector(self, place: int, span: slice) -> tuple[Array, Array]:
        """Return a part of one vector on the host, (B, q), on the scale of its own largest entry, and its exponent."""
        values, exponents = self.values[:, place : place + 1, span], on_host(self.exponents[:, place])
        wide: Any = extended(on_host(values)) if not is_extended(values) else values
        matrix, own = on_one_scale(wide)
        return matrix[:, 0], exponents + own

    def cotangent(self, linearisation: EitherRange, t: int) -> None:
        """Multiply every vector by J_t from the right."""
        m = self.values.shape[2]
        self.values = self._image(linearisation, t, lambda W, out: linearisation.cotangent(t, W, out), m)
        self._rescale()

    def tangent(self, linearisation: EitherRange, t: int) -> None:
        """Multiply every vector by J_t from the left."""
        m = self.values.shape[2]
        self.values = self._image(linearisation, t, _from_left(linearisation.tangent, t, m), m)
        self._rescale()

    def through_input(self, linearisation: EitherRange, t: int, d: int) -> ScaledVectors:
        """Return every vector multiplied by ds_t/dx_t from the right."""
        image = self._image(linearisation, t, lambda W, out: linearisation.input_cotangent(t, W, out), d)
        return ScaledVectors(image, self.exponents)

    def from_input(self, linearisation: EitherRange, t: int, m: int) -> ScaledVectors:
        """Return every vector multiplied by ds_t/dx_t from the left."""
        image = self._image(linearisation, t, _from_left(linearisation.input_tangent, t, m), m)
        return ScaledVectors(image, self.exponents)

    def _image(self, linearisation: EitherRange, t: int, step: Callable[[Array, Array], None], size: int) -> Array:
        """Return what a step makes of the vectors, (B, a, size), in extended range if anything was lost else."""
        if not math.prod(self.values.shape):
            return self._through(step, size)
        if not is_extended(self.values):
            safe = self._watch.lasts(self.values, linearisation, t)
            if safe or linearisation.depth(t, True) < math.inf:
                image = self._through(step, size)
                if safe or self._watch.lasted(image):
                    return image
            self.widen()
        return self._through(step, size)

    def _through(self, step: Callable[[Array, Array], None], size: int) -> Array:
        xp, (batch, count, _) = namespace(self.values), self.values.shape
        kind = {"dtype": self.values.dtype, "device": self.values.device}
        image: Array = xp.empty((batch, count, size), **kind)
        for first in range(0, count, NARROW):
            chunk = self.values[:, first : first + NARROW]
            out = xp.empty((batch, chunk.shape[1], size), **kind)
            step(chunk, out)
            image[:, first : first + NARROW] = out
        return image

    def _rescale(self) -> None:
        if is_extended(self.values):
            return
        xp = namespace(self.values)
        size = xp.max(xp.abs(self.values), axis=-1)
        if not xp.any((size < 2.0**-BAND) | (size > 2.0**BAND)):
            return
        by = xp.astype(xp.round(xp.log2(xp.where(size > 0, size, 1))), xp.int64)
        half = by // 2
        for part in (half, by - half):  # 2^-by itself may be out of range
            factor = xp.astype(2.0 ** -xp.astype(part, self.values.dtype), self.values.dtype)
            multiply_into(self.values, factor[..., None], self.values)
        self.exponents = self.exponents + by
        self._watch.scaled(int(xp.max(by)))


def _turned(W: Array) -> Array:
    return namespace(W).matrix_transpose(W)


def _from_left(apply: Callable[[int, Array, Array], None], t: int, m: int) -> Callable[[Array, Array], None]:
    """Return what takes vectors as rows to a map of columns, whose result is a contiguous array of its own."""

    def step(W: Array, out: Array) -> None:
        columns = namespace(W).empty((W.shape[0], m, W.shape[1]), dtype=W.dtype, device=W.device)
        apply(t, _turned(W), columns)
        out[...] = _turned(columns)

    return step


class LinearisedSteps:
    """A run's linearised steps in either direction; the stretch that was last in use is kept.

    So sweeps back and forth linearise a run of one stretch once, and a longer one once a sweep less its first stretch.
    """

    def __init__(self, cell: Cell, path: Trajectory) -> None:
        self._cell, self._path, self._held = cell, path, dict[tuple[int, int], EitherRange]()
        self._longest = longest_stretch(cell, path.start.shape[0])

    def backward(self, first: int = 1) -> Iterator[tuple[int, EitherRange]]:
        """Return t = T … first with a linearisation that holds step t."""
        return counted("products with vectors, back", self._backward(first), self._path.steps - first + 1)

    def _backward(self, first: int) -> Iterator[tuple[int, EitherRange]]:
        for start, stop in reversed(list(self._path.stretches(self._longest))):
            start = max(start, first - 1)
            if start >= stop:
                return
            for t in range(stop, start, -1):
                yield t, self._linearisation(start, stop)

    def forward(self, first: int) -> Iterator[tuple[int, EitherRange]]:
        """Return t = first … T with a linearisation that holds step t."""
        return counted("products with vectors", self._forward(first), self._path.steps - first + 1)

    def _forward(self, first: int) -> Iterator[tuple[int, EitherRange]]:
        for start, stop in self._path.stretches(self._longest):
            start = max(start, first - 1)
            for t in range(start + 1, stop + 1):
                yield t, self._linearisation(start, stop)

    def _linearisation(self, start: int, stop: int) -> EitherRange:
        if (start, stop) not in self._held:
            self._held.clear()
            self._held[start, stop] = EitherRange(self._cell, self._path, start, stop)
        return self._held[start, stop]
