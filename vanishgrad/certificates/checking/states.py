r"""Exact bounds of a gated cell's states and gates over a box of inputs, and whether the box of states is invariant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product as cartesian

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.integer_products import product as whole_product
from vanishgrad.certificates.checking.rational import Bounds, fractions, integers, product, sigma, tanh, vector
from vanishgrad.certificates.subject import CertifiedCell

MAX_CELLS = 4096


@dataclass(frozen=True, eq=False)
class States:
    """What is known of a step whose input lies in one sub-box and whose state before lies in |h| ≤ h, |c| ≤ c.

    Attributes
    ----------
    lo, hi : mapping of gate → array of Fraction
        Bounds of a σ gate; of the candidate's absolute value.
    h, c, c_next : arrays of Fraction
        Bounds of |h_{t-1}|, |c_{t-1}|, |c_t|; no c for a GRU.
    h_next : array of Fraction
        Bound of |h_t| (LSTM), of the candidate (GRU).
    tanh_c : array of Fraction
        LSTM: bound of tanh |c_t|.
    multiplied : array of Fraction
        GRU: bound of what the reset gate multiplies.
    """

    lo: Mapping[str, Array]
    hi: Mapping[str, Array]
    h: Array
    c: Array
    c_next: Array
    h_next: Array
    tanh_c: Array
    multiplied: Array


def sub_boxes(bound: Fraction, width: int, pieces: Mapping[int, int]) -> Iterator[tuple[Array, Array]]:
    """Yield centre and half-width of each sub-box of |x_j| ≤ bound; together they cover it."""
    coordinates = sorted(pieces)
    for cell in cartesian(*(range(pieces[j]) for j in coordinates)):
        center, radius = vector([Fraction(0)] * width), vector([bound] * width)
        for j, q in zip(coordinates, cell, strict=True):
            center[j], radius[j] = bound * (2 * q + 1 - pieces[j]) / pieces[j], bound / pieces[j]
        yield center, radius


def row_boxes(rows: Array, is_whole: bool) -> Iterator[tuple[Array, Array | None]]:
    """Yield centre and half-width of each row, a point; or the rows themselves and None, for their convex hull."""
    if is_whole:
        yield rows, None
        return
    for row in rows:
        center = fractions(row)
        yield center, center * 0


class GateBounds:
    """The pre-activations that are reached from a sub-box or a hull of inputs and a box of hidden states."""

    def __init__(self, subject: CertifiedCell, center: Array, radius: Array | None) -> None:
        self._subject, self._center, self._radius = subject, center, radius

    def reach(self, gate: str, recurrent: Array) -> Iterator[Bounds]:
        """Return bounds of each unit's W_hx x + b plus a recurrent part of at most the given size."""
        W, b = self._subject.gate("W_hx", gate), fractions(self._subject.gate("b", gate))
        if self._radius is None:
            lo, hi = _over_hull(W, self._center)
            return (Bounds(*each) for each in zip(lo + b - recurrent, hi + b + recurrent, strict=True))
        middle = product(integers(W), self._center) + b
        stray = product(integers(np.abs(W)), self._radius) + recurrent
        return (Bounds(m - r, m + r) for m, r in zip(middle, stray, strict=True))

    def recurrent(self, gate: str, h: Array) -> Array:
        """Return |W_hh^g| h."""
        return product(integers(np.abs(self._subject.gate("W_hh", gate))), h)


def _over_hull(W: Array, rows: Array) -> tuple[Array, Array]:
    """Return the least and the largest W x over the hull of rows: W is linear, so at rows."""
    a, x = integers(W), integers(rows)
    values, unit = whole_product(a.values, x.values.T), 1 << (a.scale + x.scale)
    lo, hi = (vector(Fraction(int(pick(row)), unit) for row in values) for pick in (min, max))
    return lo, hi


def states(subject: CertifiedCell, h: Array, c: Array, center: Array, radius: Array | None) -> States:
    """Return what a step can do in one sub-box, or in the hull of the rows `center` without a `radius`."""
    gates = GateBounds(subject, center, radius)
    return _lstm(gates, h, c) if subject.has_cell_state else _gru(subject, gates, h)


def _sigmas(reached: Iterator[Bounds]) -> tuple[Array, Array]:
    pairs = [(sigma(each.lo).lo, sigma(each.hi).hi) for each in reached]
    return vector(lo for lo, _ in pairs), vector(hi for _, hi in pairs)


def _absolute_tanhs(reached: Iterator[Bounds]) -> tuple[Array, Array]:
    near_far = [
        (Fraction(0) if each.lo <= 0 <= each.hi else min(abs(each.lo), abs(each.hi)), max(abs(each.lo), abs(each.hi)))
        for each in reached
    ]
    return vector(tanh(near).lo for near, _ in near_far), vector(tanh(far).hi for _, far in near_far)


def _lstm(gates: GateBounds, h: Array, c: Array) -> States:
    lo, hi = {}, {}
    for g in "ifo":
        lo[g], hi[g] = _sigmas(gates.reach(g, gates.recurrent(g, h)))
    lo["g"], hi["g"] = _absolute_tanhs(gates.reach("g", gates.recurrent("g", h)))
    c_next = hi["f"] * c + hi["i"] * hi["g"]
    tanh_c = vector(tanh(each).hi for each in c_next)
    return States(lo, hi, h, c, c_next, hi["o"] * tanh_c, tanh_c, vector([]))


def _gru(subject: CertifiedCell, gates: GateBounds, h: Array) -> States:
    lo, hi, b_hn = {}, {}, fractions(subject.tensors["b_hn"])
    for g in "rz":
        lo[g], hi[g] = _sigmas(gates.reach(g, gates.recurrent(g, h)))
    if subject.reset == "after":
        stray = gates.recurrent("n", h)
        inner = [_times(*each) for each in zip(lo["r"], hi["r"], b_hn - stray, b_hn + stray, strict=True)]
        multiplied = np.abs(b_hn) + stray
        outer = list(gates.reach("n", vector([Fraction(0)] * len(h))))
    else:
        inner = [Bounds(each, each) for each in b_hn]
        multiplied = h
        outer = list(gates.reach("n", gates.recurrent("n", hi["r"] * h)))
    reached = (Bounds(a.lo + b.lo, a.hi + b.hi) for a, b in zip(outer, inner, strict=True))
    lo["n"], hi["n"] = _absolute_tanhs(reached)
    return States(lo, hi, h, vector([]), vector([]), hi["n"], vector([]), multiplied)


def _times(r_lo: Fraction, r_hi: Fraction, lo: Fraction, hi: Fraction) -> Bounds:
    """Return bounds of r y, 0 ≤ r_lo ≤ r ≤ r_hi, lo ≤ y ≤ hi."""
    corners = (r_lo * lo, r_lo * hi, r_hi * lo, r_hi * hi)
    return Bounds(min(corners), max(corners))


def stays(box: States) -> bool:
    """Return whether the step stays in the box; |h_t| ≤ max(|h_{t-1}|, |n̂|) for a GRU."""
    return bool((box.h_next <= box.h).all() and (box.c_next <= box.c).all())
