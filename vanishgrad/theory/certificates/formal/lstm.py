r"""The literals of an LSTM's certificate: an invariant box of states, and a positive vector w with |J| w ≤ ρ w in it.

Floating arithmetic proposes both; ρ is then the least that the checker's own integers allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vanishgrad.cells.arrays import Array
from vanishgrad.theory.certificates.boxes import box, input_boxes
from vanishgrad.theory.certificates.formal import fixed_point as fp
from vanishgrad.theory.certificates.formal.source import Source, digits
from vanishgrad.theory.certificates.formal.units import DIGITS, condition_up, in_units, rows_of, whole_weights
from vanishgrad.theory.certificates.gated import rows
from vanishgrad.theory.certificates.perron import positive_vectors
from vanishgrad.theory.certificates.subject import Subject

ROOM = (1e-7, 1e-5, 1e-3, 1e-1)
"""By how much a floating box is widened, in turn, until the integers see that no step leaves it."""


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights in units of 2^-k, by rows: gates i, f, g, o one after the other."""

    k: int
    U: Sequence[Sequence[int]]
    V: Sequence[Sequence[int]]
    b: Sequence[int]

    @property
    def n(self) -> int:
        """The number of units."""
        return len(self.b) // 4


@dataclass(frozen=True)
class Unit:
    """What one unit's gates can do in the box, as the checker sees it."""

    i: tuple[int, int]
    f: tuple[int, int]
    g: tuple[int, int]
    o: tuple[int, int]

    @property
    def written(self) -> int:
        """Bound of i |g|."""
        return fp.times(self.i[1], self.g[1])


def lstm_source(subject: Subject, bound: float) -> Source | None:
    """Return the certificate, or None if no box of states is found: a forget gate may reach 1."""
    k, whole = in_units({name: subject.tensors[name] for name in ("W_hh", "W_hx", "b")})
    weights = Weights(k, rows_of(whole["W_hh"]), rows_of(whole["W_hx"]), [int(each) for each in whole["b"]])
    limit = int(np.ceil(bound * 2.0**20)) << (fp.P - 20)
    proposed = box(subject, input_boxes(limit / fp.ONE, subject.input_size, {}))
    found = None if proposed is None else _box(weights, limit, proposed.h)
    if proposed is None or found is None:
        return None
    h, c, units = found
    best: tuple[int, list[int]] | None = None
    for candidate in positive_vectors(lambda x: rows(subject, proposed, x), subject.state_size):
        w = whole_weights(candidate)
        r = max(_rates(weights, units, c, w))
        if best is None or r < best[0]:
            best = r, w
    assert best is not None
    r, w = best
    lo, hi = min(w), max(w)
    width = digits(
        [*h, *c, *w, *weights.b, *(each for matrix in (weights.U, weights.V) for row in matrix for each in row)]
    )
    rate = {"e": DIGITS, "f": DIGITS, "r": r, "c": condition_up(len(w), lo, hi), "lo": lo, "hi": hi}
    fixed = {"p": fp.P, "s": fp.S, "q": fp.Q, "bound": limit}
    sizes = {"n": weights.n, "d": subject.input_size, "w": width, "k": k}
    return Source(
        "lstm", subject.activation,
        {**sizes, **rate, **fixed, "hb": h, "cb": c, "x": w, "b": weights.b, "U": weights.U, "V": weights.V},
    )  # fmt: skip


def _box(weights: Weights, bound: int, proposed: Array) -> tuple[list[int], list[int], list[Unit]] | None:
    """Return bounds of |h| and |c| that no step leaves, and the units in them."""
    for room in ROOM:
        h = [min(fp.ONE, int(np.ceil(each * (1 + room) * fp.ONE)) + 1) for each in proposed]
        units = list(_units(weights, bound, h))
        if any(unit.f[1] >= fp.ONE for unit in units):
            continue
        c = [fp.cdiv(unit.written * fp.ONE + fp.ONE, fp.ONE - unit.f[1]) for unit in units]
        if all(map(_stays, units, h, c)):
            return h, c, units
    return None


def _stays(unit: Unit, h: int, c: int) -> bool:
    after = fp.times(unit.f[1], c) + unit.written
    return after <= c and fp.times(unit.o[1], fp.tanh_high(after)) <= h


def _units(weights: Weights, bound: int, h: Sequence[int]) -> Iterator[Unit]:
    n = weights.n
    inputs = [bound] * (len(weights.V[0]) if weights.V else 0)
    for j in range(n):
        i, f, g, o = (
            fp.pre_activation(weights.k, weights.b[a], fp.absdot(weights.U[a], h) + fp.absdot(weights.V[a], inputs))
            for a in (j, n + j, 2 * n + j, 3 * n + j)
        )
        size = (fp.tanh_low(fp.nearest(*g)), fp.tanh_high(fp.farthest(*g)))
        yield Unit(_sigmas(i), _sigmas(f), size, _sigmas(o))


def _sigmas(reached: tuple[int, int]) -> tuple[int, int]:
    return fp.sigma_low(reached[0]), fp.sigma_high(reached[1])


def _rates(weights: Weights, units: Sequence[Unit], c: Sequence[int], w: Sequence[int]) -> Iterator[int]:
    """Yield the least ρ, in units of 2⁻⁴⁰, with which each row of |J| w ≤ ρ w passes."""
    n = weights.n
    for j, unit in enumerate(units):
        p_i, p_f, p_g, p_o = (fp.spread(weights.k, weights.U[a], w) for a in (j, n + j, 2 * n + j, 3 * n + j))
        after = fp.times(unit.f[1], c[j]) + unit.written
        kept = fp.peak(*unit.f, fp.ONE * w[n + j], 0, fp.times(c[j], p_f))
        row_c = kept + _wrote(unit, p_i, p_g)
        row_h = fp.peak(*unit.o, row_c, 0, fp.times(fp.tanh_high(after), p_o))
        yield fp.cdiv(row_c << DIGITS, fp.ONE * w[n + j])
        yield fp.cdiv(row_h << DIGITS, fp.ONE * w[j])


def _wrote(unit: Unit, p_i: int, p_g: int) -> int:
    cuts = [fp.cut(*unit.g, piece) for piece in range(fp.PIECES + 1)]
    return max(
        0,
        *(
            fp.peak(*unit.i, fp.times(fp.slope_high(low), p_g), 0, fp.times(high, p_i))
            for low, high in zip(cuts, cuts[1:], strict=False)
        ),
    )
