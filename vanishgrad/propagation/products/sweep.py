"""The rows of a product while it grows on the right, scaled so that none is ever lost.

All blocks of a trial share one exponent, and one step is one application of the cell's linearisation, as long as their
sizes lie within the range in which that is exact. Where a block falls far behind another (a hidden state that forgets
beside a cell that does not) each block gets an exponent of its own, and a step is one application for each part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from vanishgrad.arrays import Array, multiply_into, namespace
from vanishgrad.cells import Linearisation
from vanishgrad.propagation.products.scaling import ABSENT, powers, range_bits, shifted, summed

FLUSH_EVERY = 16
"""Steps between two looks for entries that would soon be subnormal, and stall the product a hundredfold."""
WHOLE = "state"
LOSS = "loss"
PROBES = "~"
"""Behind a part's name: the rows of its probes."""


class Step(Protocol):
    """What multiplies rows by one step's Jacobian."""

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
        Whether every block of a trial has the same exponent.
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
        self._xp, self._dtype, self._age = xp, first.dtype, 0
        self.columns, self.groups, self.shared = dict(columns), tuple(groups), True
        self._hidden, self._d = next(iter(columns)), input_size
        self.exponents = xp.zeros((first.shape[0], len(blocks), len(columns)), dtype=xp.int64)
        self.take(blocks)
        bits = range_bits(self.P)
        self._band, self._spread = bits // 4, bits // 2

    def take(self, blocks: Mapping[str, Array]) -> None:
        """Hold these blocks of rows, in this order, instead of those held now; a new one takes its trial's exponent."""
        xp, stop = self._xp, 0
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
        self.exponents = self.exponents[:, :1, :] + xp.zeros((1, len(rows), 1), dtype=xp.int64)
        self.mass = self._masses()

    def block(self, name: str) -> Array:
        """Return a block of rows, a view."""
        return self.P[:, self.rows[name]]

    def through_input(self, linearisation: Linearisation, t: int) -> tuple[Array, Array, Array | None]:
        """Return ∂h_T/∂x_t, (B, r, d), its exponents, (B,), and the probes of its rows on the same scale."""
        matrix, exponents = self._through_input(linearisation, t, self._hidden)
        if self._hidden + PROBES not in self.rows:
            return matrix, exponents, None
        probes, theirs = self._through_input(linearisation, t, self._hidden + PROBES)
        return matrix, exponents, probes if self.shared else shifted(probes, theirs - exponents)

    def _through_input(self, linearisation: Linearisation, t: int, name: str) -> tuple[Array, Array]:
        W = self.block(name)
        if name not in self._inputs:
            self._inputs[name] = self._xp.empty((*W.shape[:-1], self._d), dtype=self._dtype)
        out = self._inputs[name]
        if self.shared:
            linearisation.input_cotangent(t, W, out)
            return out, self.exponents[:, 0, 0]
        terms = self._terms(lambda rows, out: linearisation.input_cotangent(t, rows, out), W, out)
        return summed(terms, self.exponents[:, list(self.rows).index(name)])

    def step(self, linearisation: Step, t: int) -> None:
        """Multiply by J_t."""
        if self.shared:
            linearisation.cotangent(t, self.P, self._next)
        else:
            self._step_by_parts(lambda W, out: linearisation.cotangent(t, W, out))
        self.P, self._next = self._next, self.P
        self._age += 1
        if self._age % FLUSH_EVERY == 0:
            self._flush()
        self.mass = self._masses()
        if self.shared:
            self._rescale()

    def _flush(self) -> None:
        xp, tiny = self._xp, float(self._xp.finfo(self._dtype).smallest_normal) * 2.0**64
        multiply_into(self.P, xp.astype(xp.abs(self.P) > tiny, self._dtype), self.P)

    def _rescale(self) -> None:
        """Bring trials back to order 1, and give every block its own exponent once they drift apart."""
        xp = self._xp
        mass = self.mass[:, : len(self.groups)]
        if 2.0**-self._band < xp.min(mass) and xp.max(mass) < 2.0**self._band:
            return
        top = xp.max(mass, axis=(1, 2))
        some = xp.where(mass > 0, mass, top[:, None, None])
        if xp.any(some < top[:, None, None] * 2.0**-self._spread) or self._hidden_by_underflow(mass):
            self.shared = False
            self.exponents = xp.asarray(self.exponents, copy=True)
            self._normalise_blocks()
            self.mass = self._masses()
        elif xp.any((top < 2.0**-self._band) | (top > 2.0**self._band)):
            by = xp.astype(xp.round(xp.log2(xp.where(top > 0, top, 1)) / 2), xp.int64)
            factor = xp.astype(2.0 ** -xp.astype(by, self._dtype), self._dtype)[:, None, None]
            multiply_into(self.P, factor, self.P)
            self.mass = self.mass * factor**2
            self.exponents = self.exponents + by[:, None, None]

    def _masses(self) -> Array:
        xp = self._xp
        by_row = [xp.vecdot(self.P[..., columns], self.P[..., columns]) for columns in self.columns.values()]
        return xp.matrix_transpose(xp.stack(by_row, axis=1) @ self._membership)

    def _hidden_by_underflow(self, mass: Array) -> bool:
        """Whether a block has no mass although it is not zero: its squares are below the range."""
        if bool(self._xp.all(mass > 0)):
            return False
        blocks = [
            (mass[:, i, j] == 0) & self._xp.any(self.P[:, rows, columns] != 0, axis=(1, 2))
            for i, rows in enumerate(list(self.rows.values())[: mass.shape[1]])
            for j, columns in enumerate(self.columns.values())
        ]
        return any(bool(self._xp.any(block)) for block in blocks)

    def _normalise_blocks(self) -> None:
        xp = self._xp
        for i, rows in enumerate(self.rows.values()):
            for j, columns in enumerate(self.columns.values()):
                block, exponents = self.P[:, rows, columns], self.exponents[:, i, j]
                found = powers(block, exponents)
                found = xp.where(found == ABSENT, exponents, found)
                block[...] = shifted(block, exponents - found)
                self.exponents[:, i, j] = found

    def _step_by_parts(self, apply: Callable[[Array, Array], None]) -> None:
        exponents = self._xp.empty_like(self.exponents)
        for i, rows in enumerate(self.rows.values()):
            terms = self._terms(apply, self.P[:, rows], self._next[:, rows])
            for j, columns in enumerate(self.columns.values()):
                block, exponents[:, i, j] = summed([term[..., columns] for term in terms], self.exponents[:, i])
                self._next[:, rows, columns] = block
        self.exponents = exponents

    def _terms(self, apply: Callable[[Array, Array], None], W: Array, like: Array) -> list[Array]:
        """Apply a linear map to each part of W alone."""
        xp, terms = self._xp, []
        for columns in self.columns.values():
            alone, out = xp.zeros_like(W), xp.empty_like(like)
            alone[..., columns] = W[..., columns]
            apply(alone, out)
            terms.append(out)
        return terms
