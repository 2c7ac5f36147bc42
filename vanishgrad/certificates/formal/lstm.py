r"""The literals of an LSTM's certificate: an invariant box of states, and a positive vector w with |J| w ≤ ρ w in it.

Floating arithmetic proposes both; ρ is then the least that the checker's own integers allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vanishgrad.arrays import Array
from vanishgrad.certificates.boxes import box, input_boxes
from vanishgrad.certificates.formal import fixed_point as fp
from vanishgrad.certificates.formal.bounded import head, input_limit, least_rate, rate, wider
from vanishgrad.certificates.formal.integer_weights import in_units, rows_of
from vanishgrad.certificates.formal.methods import Value
from vanishgrad.certificates.formal.source import CoqSource
from vanishgrad.certificates.gated import rows
from vanishgrad.certificates.perron import positive_vectors
from vanishgrad.certificates.subject import CertifiedCell


@dataclass(frozen=True, eq=False)
class _Weights:
    """The weights in units of 2^-k, by rows: gates i, f, g, o one after the other."""

    k: int
    U: Sequence[Sequence[int]]
    V: Sequence[Sequence[int]]
    b: Sequence[int]

    def rows(self, unit: int) -> tuple[int, ...]:
        """Return the places of a unit's four gates."""
        n = len(self.b) // 4
        return tuple(gate * n + unit for gate in range(4))


@dataclass(frozen=True)
class _Unit:
    """What one unit's gates can do in the box, as the checker sees it; of the candidate, its size."""

    i: tuple[int, int]
    f: tuple[int, int]
    g: tuple[int, int]
    o: tuple[int, int]

    @property
    def written(self) -> int:
        """Bound of i |g|."""
        return fp.times(self.i[1], self.g[1])

    def next(self, c: int) -> int:
        """Return a bound of |c_t| for |c_{t-1}| ≤ c."""
        return fp.times(self.f[1], c) + self.written


def lstm_source(subject: CertifiedCell, bound: float) -> CoqSource | None:
    """Return the certificate, or None if no box of states is found: a forget gate may reach 1."""
    k, whole = in_units({name: subject.tensors[name] for name in ("W_hh", "W_hx", "b")})
    weights = _Weights(k, rows_of(whole["W_hh"]), rows_of(whole["W_hx"]), [int(each) for each in whole["b"]])
    limit = input_limit(bound)
    proposed = box(subject, input_boxes(limit / fp.ONE, subject.input_size, {}))
    invariant = None if proposed is None else _box(weights, [limit] * subject.input_size, proposed.h)
    if proposed is None or invariant is None:
        return None
    h, c, units = invariant
    vectors = positive_vectors(lambda x: rows(subject, proposed, x), subject.state_size)
    r, w = least_rate(vectors, lambda w: _rates(weights, units, c, w))
    literals: dict[str, Value] = {"hb": h, "cb": c, "x": w, "b": weights.b, "U": weights.U, "V": weights.V}
    return CoqSource(subject.cell, subject.activation, {**head(subject, k, r, limit, w, literals), **literals})


def _box(weights: _Weights, inputs: Sequence[int], proposed: Array) -> tuple[list[int], list[int], list[_Unit]] | None:
    """Return bounds of |h| and |c| that no step leaves, and the units in them."""
    for h in wider(proposed):
        units = [_unit(weights, inputs, h, j) for j in range(len(h))]
        if all(unit.f[1] < fp.ONE for unit in units):
            c = [fp.cdiv((unit.written + 1) * fp.ONE, fp.ONE - unit.f[1]) for unit in units]
            if all(map(_stays, units, h, c)):
                return h, c, units
    return None


def _stays(unit: _Unit, h: int, c: int) -> bool:
    return unit.next(c) <= c and fp.times(unit.o[1], fp.tanh_high(unit.next(c))) <= h


def _unit(weights: _Weights, inputs: Sequence[int], h: Sequence[int], j: int) -> _Unit:
    i, f, g, o = (
        fp.pre_activation(weights.k, weights.b[a], fp.absdot(weights.U[a], h) + fp.absdot(weights.V[a], inputs))
        for a in weights.rows(j)
    )
    return _Unit(fp.sigmas(i), fp.sigmas(f), fp.tanh_sizes(g), fp.sigmas(o))


def _rates(weights: _Weights, units: Sequence[_Unit], c: Sequence[int], w: Sequence[int]) -> Iterator[int]:
    """Yield the least ρ with which each row of |J| w ≤ ρ w passes."""
    for j, unit in enumerate(units):
        p_i, p_f, p_g, p_o = (fp.spread(weights.k, weights.U[a], w) for a in weights.rows(j))
        w_h, w_c = w[j], w[len(units) + j]
        row_c = fp.peak(*unit.f, fp.ONE * w_c, 0, fp.times(c[j], p_f)) + _wrote(unit, p_i, p_g)
        row_h = fp.peak(*unit.o, row_c, 0, fp.times(fp.tanh_high(unit.next(c[j])), p_o))
        yield rate(row_c, w_c)
        yield rate(row_h, w_h)


def _wrote(unit: _Unit, p_i: int, p_g: int) -> int:
    """Return a bound of i (1 - g²) p_g + i (1 - i) |g| p_i, the range of |g| cut into pieces."""
    cuts = [fp.cut(*unit.g, piece) for piece in range(fp.GATE_PIECES + 1)]
    pieces = (
        fp.peak(*unit.i, fp.times(fp.slope_high(low), p_g), 0, fp.times(high, p_i)) for low, high in pairwise(cuts)
    )
    return max(0, *pieces)
