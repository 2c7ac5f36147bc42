r"""Invariant box of states while the inputs stay in a box, and the ranges of the gates in it.

The input box |x_j| ≤ B is cut into a grid of sub-boxes (one, if it is not cut); every step's input lies in one of them.
Arrays have the sub-box in front: (S, n).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.intervals import (
    ROUNDOFF,
    Range,
    affine,
    dot_up,
    magnitude,
    round_up,
    sech2_up,
    sigma,
    sigma_down,
    sigma_up,
    tanh_down,
    tanh_up,
)
from vanishgrad.certificates.subject import CertifiedCell

ROUNDS = 200
BOX_TOLERANCE = 1e-9
"""The iteration for a box of states stops once no bound falls by more than this fraction."""

MIN_STATE_BOUND = 2.0**-60
"""Least bound of a state: no gate feels a smaller one, and below it the checker's own error counts, 2⁻¹²⁸."""


@dataclass(frozen=True, eq=False)
class Box:
    """What holds at every step, by sub-box of the input: states |h| ≤ h, |c| ≤ c, and the gates' ranges.

    Attributes
    ----------
    h, c : (n,) arrays
        The invariant box of states; it contains s_0 = 0. A GRU has no c.
    gates : mapping of name → Range of (S, n) arrays
        σ gates as they are; of the candidate, |·|.
    complements : mapping of name → (S, n) array
        Upper bound of 1 - s = σ(-a) of a σ gate, to its own digits where s rounds to 1.
    candidate_slope : (S, n) array
        Upper bound of 1 - g² or 1 - n̂².
    c_next : (S, n) array
        Upper bound of |c_t|.
    product : (n,) array
        GRU: upper bound of |h_j| (before) or |W^n h + b_hn| (after), what the reset gate multiplies.
    """

    h: Array
    c: Array
    gates: Mapping[str, Range]
    complements: Mapping[str, Array]
    candidate_slope: Array
    c_next: Array
    product: Array


@dataclass(frozen=True, eq=False)
class InputBoxes:
    """Sub-boxes of |x_j| ≤ B: centres and half-widths (S, d); coordinate j is cut into pieces[j] equal pieces."""

    bound: float
    pieces: Mapping[int, int]
    center: Array
    radius: Array
    is_hull: bool = False
    """Whether the input lies in the convex hull of the centres: an affine function is largest at one of them."""


@dataclass(frozen=True, eq=False)
class InputSet:
    """Where every step's input lies: |x_j| ≤ `bound`; or among the `rows` (S, d), or in their convex hull.

    Attributes
    ----------
    bound : float
        Not less than any |x_j|.
    rows : (S, d) array or None
    is_hull : bool
        Whether inputs lie in the convex hull of the rows, of which each is one otherwise.
    """

    bound: float
    rows: Array | None = None
    is_hull: bool = False

    def whole(self, width: int) -> InputBoxes:
        """Return one set that holds all inputs: the box, or the hull of the rows."""
        if self.rows is None:
            return input_boxes(self.bound, width, {})
        return InputBoxes(self.bound, {}, self.rows, np.zeros_like(self.rows), is_hull=True)

    def parts(self, width: int, pieces: Mapping[int, int]) -> InputBoxes:
        """Return sets that hold all inputs together: a grid, the hull, or a point for each row."""
        if self.rows is None:
            return input_boxes(self.bound, width, pieces)
        return self.whole(width) if self.is_hull else InputBoxes(self.bound, {}, self.rows, np.zeros_like(self.rows))

    def holds(self, word: Array) -> bool:
        """Return whether every row of a word (p, d) is one of the inputs; of a hull, one of its rows."""
        if self.rows is None:
            return bool(np.abs(word).max(initial=0.0) <= self.bound)
        return all(bool((self.rows == row).all(axis=1).any()) for row in word)


def input_boxes(bound: float, width: int, pieces: Mapping[int, int]) -> InputBoxes:
    """Return the grid of sub-boxes.

    Numbers of pieces are powers of two up to 64: the cuts B (2 q / k - 1) are off by u B at most, which raising the
    half-widths B / k by 2⁻⁴⁶ of themselves makes good.
    """
    cut = sorted(pieces)
    cells = list(product(*(range(pieces[j]) for j in cut)))
    center, radius = np.zeros((len(cells), width)), np.full((len(cells), width), bound)
    for s, cell in enumerate(cells):
        for j, q in zip(cut, cell, strict=True):
            center[s, j] = bound * ((2 * q + 1) / pieces[j] - 1)
            radius[s, j] = bound / pieces[j]
    return InputBoxes(bound, dict(pieces), center, round_up(radius) if cut else radius)


class _Reach:
    """Bounds of W_hx x + b for each gate and sub-box, to which a gate's recurrent part is added."""

    def __init__(self, subject: CertifiedCell, inputs: InputBoxes) -> None:
        self._subject, self._inputs, self._hulls = subject, inputs, dict[str, Range]()

    def __call__(self, name: str, recurrent: Array) -> Range:
        """Return bounds of a gate's pre-activation, `recurrent` an upper bound of the recurrent part's size."""
        W, b = self._subject.gate("W_hx", name), self._subject.gate("b", name)
        if not self._inputs.is_hull:
            radius = dot_up(np.abs(W), self._inputs.radius.T).T + recurrent
            return affine(b, W, self._inputs.center, radius)
        if name not in self._hulls:
            ends = affine(b, W, self._inputs.center, np.zeros(len(b)))
            self._hulls[name] = Range(ends.lo.min(axis=0, keepdims=True), ends.hi.max(axis=0, keepdims=True))
        lo, hi = self._hulls[name]
        return Range(np.nextafter(lo - recurrent, -np.inf), np.nextafter(hi + recurrent, np.inf))


def box(subject: CertifiedCell, inputs: InputBoxes) -> Box | None:
    """Return an invariant box of states, as small as the iteration finds it; None if a forget gate may reach 1.

    Started from |h| ≤ 1, each round maps a box into itself, and goes on with the image; a box is kept only if its
    image has
    been seen to lie within it.
    """
    step = _lstm_step if subject.has_cell_state else _gru_step
    reach, invariant, h = _Reach(subject, inputs), None, np.ones(subject.hidden_size)
    for _ in range(ROUNDS):
        box_of_h, image = step(subject, reach, h)
        if box_of_h is None or not (image <= h).all():
            break
        invariant = box_of_h
        smaller = np.maximum(image, MIN_STATE_BOUND)
        if (smaller >= h * (1 - BOX_TOLERANCE)).all():
            break
        h = smaller
    return invariant


def _lstm_step(subject: CertifiedCell, reach: _Reach, h: Array) -> tuple[Box | None, Array]:
    """Return the box of states |h_{t-1}| ≤ `h` and the bound of |h_t| in it.

    |c_t| ≤ f̄ c̄ + ī ḡ ≤ c̄ for c̄ = ī ḡ / (1 - f̄); |h_t| ≤ ō tanh(f̄ c̄ + ī ḡ) in each sub-box.
    """
    U = {g: np.abs(subject.gate("W_hh", g)) for g in "ifgo"}
    a = {g: reach(g, dot_up(U[g], h)) for g in "ifgo"}
    gates = {g: sigma(a[g]) for g in "ifo"}
    size = magnitude(a["g"])
    gates["g"] = Range(tanh_down(size.lo), tanh_up(size.hi))
    open_part = sigma_down(-a["f"].hi)
    if not (open_part > 0).all():
        return None, h
    written = round_up(gates["i"].hi * gates["g"].hi)
    c = np.maximum(round_up(written / open_part).max(axis=0), MIN_STATE_BOUND)
    c_next = np.minimum(round_up(gates["f"].hi * c + written), c)
    image = np.minimum(round_up(gates["o"].hi * tanh_up(c_next)), 1).max(axis=0)
    complements = {g: sigma_up(-a[g].lo) for g in "ifo"}
    return Box(h, c, gates, complements, sech2_up(size.lo), c_next, np.zeros(0)), image


def _gru_step(subject: CertifiedCell, reach: _Reach, h: Array) -> tuple[Box | None, Array]:
    """Return the box of states |h_{t-1}| ≤ `h` and the candidate's bound in it: |h_t| ≤ max(|h_{t-1}|, |n̂|)."""
    n, b_hn = subject.hidden_size, subject.tensors["b_hn"]
    U = {g: np.abs(subject.gate("W_hh", g)) for g in "rzn"}
    a = {g: reach(g, dot_up(U[g], h)) for g in "rz"}
    gates, complements = {g: sigma(a[g]) for g in "rz"}, {g: sigma_up(-a[g].lo) for g in "rz"}
    if subject.reset == "after":
        stray = round_up(dot_up(U["n"], h) + 4 * ROUNDOFF * np.abs(b_hn))
        inner = _times_gate(gates["r"], Range(b_hn - stray, b_hn + stray))
        outer = reach("n", np.zeros(n))
        multiplied = round_up(np.abs(b_hn) + stray)
    else:
        inner = Range(b_hn, b_hn)
        outer = reach("n", dot_up(U["n"], round_up(gates["r"].hi * h).T).T)
        multiplied = h
    size = magnitude(Range(np.nextafter(outer.lo + inner.lo, -np.inf), np.nextafter(outer.hi + inner.hi, np.inf)))
    gates["n"] = Range(tanh_down(size.lo), tanh_up(size.hi))
    image = gates["n"].hi.max(axis=0)
    return Box(h, np.zeros(0), gates, complements, sech2_up(size.lo), np.zeros(0), multiplied), image


def _times_gate(gate: Range, inner: Range) -> Range:
    """Return bounds of a product whose first factor is not negative."""
    low = np.where(inner.lo < 0, gate.hi, gate.lo) * inner.lo
    high = np.where(inner.hi > 0, gate.hi, gate.lo) * inner.hi
    return Range(np.nextafter(low, -np.inf), np.nextafter(high, np.inf))
