"""The rows of a product while it grows on the right, scaled so that no entry is ever lost.

All blocks of a trial share one exponent, and one step is one application of the cell's linearisation, as long as their
sizes lie within the range in which that is exact. As soon as an entry may fall out of it (a hidden state that forgets
beside a cell that does not, a direction that has fallen behind and may lead again, a unit that saturates) the product
goes on in extended range, where every entry has an exponent of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from vanishgrad.arrays import Array, like, multiply_into, namespace, on_host
from vanishgrad.extended_range import ExtendedRange, on_one_scale, scaled, zeros
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.scaling import RangeWatch, Steepness, range_bits, shifted

WHOLE = "state"
LOSS = "loss"
PROBES = "~"
"""Behind a part's name: the rows of its probes."""

Apply = Callable[[int, Array, Array], None]
"""(t, W, out): write what step t makes of rows W into `out`."""


class Step(Steepness, Protocol):
    """What multiplies rows by one step's Jacobian, in floating point or in extended range."""

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        """Write W J_t into `out`, both (B, p, m)."""


class Sweep:
    """Rows of a product in groups, from those at lag 0 on.

    Parameters
    ----------
    columns : mapping
        Name of a part → where it stands in the state.
    groups : mapping
        Name → rows of the product at lag 0, (B, p, m).
    carried : mapping
        Further rows that are carried along and that do not count when the sweep is scaled.
    input_size : int
        The width d of the input, where the sweep is to carry its derivative.

    Attributes
    ----------
    P : (B, p, m) array
    groups : tuple of str
    rows, columns : dict
        Name of a block of rows or columns → where it stands.
    exponents : (B, rows, columns) array of int
    mass : (B, rows, columns) array
        Squared Frobenius norms of the stored blocks.
    shared : bool
        Whether every block of a trial has the same exponent, but for those that are carried along.
    extended : ExtendedRange or None
        The rows in extended range, (B, p, m), once they have left floating point; P then has what is in range of the
        largest entry of each block.
    """

    def __init__(
        self,
        columns: Mapping[str, slice],
        groups: Mapping[str, Array],
        carried: Mapping[str, Array] | None = None,
        input_size: int = 0,
    ) -> None:
        first, blocks = next(iter(groups.values())), {**groups, **(carried or {})}
        xp = namespace(first)
        self._xp, self._dtype = xp, first.dtype
        self.columns, self.groups = dict(columns), tuple(groups)
        self.extended: ExtendedRange | None = None
        self._watch = RangeWatch(first)
        self._hidden, self._d = next(iter(columns)), input_size
        self.exponents = xp.zeros((first.shape[0], 1, len(columns)), dtype=xp.int64)
        self.rows: dict[str, slice] = {}
        self.take(blocks)
        bits = range_bits(self.P)
        self._band, self._spread = bits // 4, bits // 2

    @property
    def shared(self) -> bool:
        """Whether the product is in floating point."""
        return self.extended is None

    def take(self, blocks: Mapping[str, Array]) -> None:
        """Hold these blocks of rows, in this order, instead of those held now.

        Probes and what is new are on their trial's exponent.
        """
        xp, stop = self._xp, 0
        places = {name: i for i, name in enumerate(self.rows) if not name.endswith(PROBES)}
        self.exponents = xp.stack([self.exponents[:, places.get(name, 0)] for name in blocks], axis=1)
        rows: dict[str, slice] = {}
        for name, block in blocks.items():
            rows[name] = slice(stop, stop + block.shape[1])
            stop += block.shape[1]
        self.rows = rows
        self.P = xp.concat(list(blocks.values()), axis=1)
        self._next = xp.empty_like(self.P)
        self._inputs: dict[str, Array] = {}
        self._membership = xp.zeros((stop, len(rows)), dtype=self._dtype)
        for i, span in enumerate(rows.values()):
            self._membership[span, i] = 1
        self.mass = self._masses()
        self._watch.forget()

    def block(self, name: str) -> Array:
        """Return a block of rows, a view."""
        return self.P[:, self.rows[name]]

    def on_trial_scale(self, name: str) -> Array | None:
        """Return rows that are carried along on their trial's scale, or None if they are out of its range."""
        by = self.exponents[:, list(self.rows).index(name), 0] - self.exponents[:, 0, 0]
        return None if self._xp.any(self._xp.abs(by) > self._spread) else shifted(self.block(name), by)

    def through_input(self, linearisation: EitherRange, t: int) -> tuple[Array, Array, Array | None]:
        """Return ∂h_T/∂x_t, (B, r, d), its exponents, (B,), and the probes of its rows on the same scale."""
        matrix, exponents = self._through_input(linearisation, t, self._hidden)
        if self._hidden + PROBES not in self.rows:
            return matrix, exponents, None
        probes, theirs = self._through_input(linearisation, t, self._hidden + PROBES)
        return matrix, exponents, shifted(probes, theirs - exponents)

    def _through_input(self, linearisation: EitherRange, t: int, name: str) -> tuple[Array, Array]:
        W, exponents = self.block(name), self.exponents[:, list(self.rows).index(name), 0]
        if name not in self._inputs:
            self._inputs[name] = self._xp.empty((*W.shape[:-1], self._d), dtype=self._dtype)
        out = self._inputs[name]
        if self.extended is None:
            linearisation.input_cotangent(t, W, out)
            if self._watch.covers(linearisation, t) or self._watch.is_whole(out):
                return out, exponents
            apply, is_single = linearisation.input_cotangent, self._dtype == self._xp.float32
            products = self._in_double(apply, linearisation, t, W, self._d) if is_single else None
            if products is not None and RangeWatch(out).fits(products):
                out[...] = self._xp.astype(products, self._dtype)
                return out, exponents
        rows: Any = self._in_extended_range()[:, self.rows[name]]
        wide: Any = zeros(out.shape)
        linearisation.input_cotangent(t, rows, wide)
        matrix, exponents = on_one_scale(wide)
        out[...] = like(out, matrix.astype(on_host(out).dtype))
        return out, like(out, exponents)

    def step(self, linearisation: Step, t: int) -> None:
        """Multiply by J_t."""
        if self.extended is None and self._stepped(linearisation, t):
            self.P, self._next = self._next, self.P
            self.mass = self._masses()
            self._rescale()
            return
        if self.extended is None:
            self.widen()
        rows: Any = self.extended
        products: Any = zeros(rows.shape)
        linearisation.cotangent(t, rows, products)
        self.extended = products
        self._read()

    def _stepped(self, linearisation: Step, t: int) -> bool:
        """Multiply by J_t in floating point, and return whether nothing was lost."""
        safe = self._watch.lasts(self.P, linearisation, t)
        if not safe and linearisation.depth(t, True) == math.inf:
            return False
        if not safe and self._dtype == self._xp.float32:
            return self._stepped_in_double(linearisation, t)
        linearisation.cotangent(t, self.P, self._next)
        return safe or self._watch.lasted(self._next)

    def _stepped_in_double(self, linearisation: Step, t: int) -> bool:
        """Multiply by J_t in float64, whose range shows what float32 would lose, and return whether that is nothing."""
        products = self._in_double(linearisation.cotangent, linearisation, t, self.P, self.P.shape[-1])
        if products is None:
            return False
        self._next[...] = self._xp.astype(products, self._dtype)
        return self._watch.fits(products)

    def _in_double(self, apply: Apply, step: Step, t: int, W: Array, width: int) -> Array | None:
        """Return what a step makes of rows W in float64, (B, p, width); None where that has no room for it."""
        rows = self._xp.astype(W, self._xp.float64)
        if not RangeWatch(rows).lasts(rows, step, t):
            return None
        products: Array = self._xp.empty((*W.shape[:-1], width), dtype=rows.dtype)
        apply(t, rows, products)
        return products

    def _in_extended_range(self) -> ExtendedRange:
        if self.extended is not None:
            return self.extended
        P, exponents = on_host(self.P), on_host(self.exponents)[:, :, 0]
        by_row = np.concatenate(
            [np.repeat(exponents[:, [i]], span.stop - span.start, axis=1) for i, span in enumerate(self.rows.values())],
            axis=1,
        )
        return scaled(P.astype(np.float64), by_row[..., None])

    def widen(self) -> None:
        """Go on in extended range, which is NumPy's."""
        self.extended = self._in_extended_range()
        self._xp, self._dtype, self._inputs = np, on_host(self.P).dtype, {}
        self._membership = on_host(self._membership)
        self._read()

    def _read(self) -> None:
        """Bring every block in range of its own largest entry."""
        assert self.extended is not None
        self.P = np.empty(self.extended.shape, self._dtype)
        self.exponents = np.empty((len(self.P), len(self.rows), len(self.columns)), dtype=np.int64)
        for i, rows in enumerate(self.rows.values()):
            for j, columns in enumerate(self.columns.values()):
                self.P[:, rows, columns], self.exponents[:, i, j] = on_one_scale(self.extended[:, rows, columns])
        self.mass = self._masses()

    def _rescale(self) -> None:
        """Bring trials back to order 1, and leave floating point once blocks drift apart."""
        xp = self._xp
        if 2.0**-self._band < xp.min(self.mass) and xp.max(self.mass) < 2.0**self._band:
            return
        mass = self.mass[:, : len(self.groups)]
        top = xp.max(mass, axis=(1, 2))
        some = xp.where(mass > 0, mass, top[:, None, None])
        if xp.any(some < top[:, None, None] * 2.0**-self._spread) or self._hidden_by_underflow():
            self.widen()
            return
        self._divide(top, slice(0, len(self.groups)))
        for i in range(len(self.groups), len(self.rows)):
            self._divide(xp.max(self.mass[:, i], axis=-1), slice(i, i + 1))

    def _divide(self, mass: Array, places: slice) -> None:
        """Bring some groups of rows, of which the largest block of a trial has a mass, (B,), to order 1."""
        xp = self._xp
        if not xp.any((mass < 2.0**-self._band) | (mass > 2.0**self._band)):
            return
        spans = list(self.rows.values())[places]
        by = xp.astype(xp.round(xp.log2(xp.where(mass > 0, mass, 1)) / 2), xp.int64)
        factor = xp.astype(2.0 ** -xp.astype(by, self._dtype), self._dtype)[:, None, None]
        rows = self.P[:, spans[0].start : spans[-1].stop]
        multiply_into(rows, factor, rows)
        self.mass[:, places] = self.mass[:, places] * factor**2
        self.exponents = xp.asarray(self.exponents, copy=True)  # for products have been handed out
        self.exponents[:, places] = self.exponents[:, places] + by[:, None, None]
        self._watch.scaled(int(xp.max(by)))

    def _masses(self) -> Array:
        xp = self._xp
        by_row = [xp.vecdot(self.P[..., columns], self.P[..., columns]) for columns in self.columns.values()]
        return xp.matrix_transpose(xp.stack(by_row, axis=1) @ self._membership)

    def _hidden_by_underflow(self) -> bool:
        """Whether a block has no mass although it is not zero: its squares are below the range."""
        if bool(self._xp.all(self.mass > 0)):
            return False
        blocks = [
            (self.mass[:, i, j] == 0) & self._xp.any(self.P[:, rows, columns] != 0, axis=(1, 2))
            for i, rows in enumerate(self.rows.values())
            for j, columns in enumerate(self.columns.values())
        ]
        return any(bool(self._xp.any(block)) for block in blocks)
