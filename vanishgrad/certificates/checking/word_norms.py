r"""All words over a file's rows: low ≤ ‖∂s_L/∂s_0‖₂ ≤ high for each, and the two that are said to attain the ends.

Word after word in float64 intervals: a state enclosed entry by entry, a Jacobian and the product with those before in a
ball of Frobenius' norm. Of the product A, within τ, and G = AᵀA

    ‖A‖₂ ≤ ‖G‖_F^½, or ‖G²‖_F^¼, or a Cholesky factor in integers;     ‖A v‖ ≥ (low + τ) ‖v‖ for some v;

what that leaves open goes through the integers of `enclosed_norms`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking import witness as demanded
from vanishgrad.certificates.checking.enclosed_norms import last_product, norm_within
from vanishgrad.certificates.checking.float_intervals import (
    RAISED,
    UNIT,
    Interval,
    MatrixBall,
    blocks,
    diagonal,
    frobenius,
    image,
    point,
    scaled,
    sigma,
    tanh,
)
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted
from vanishgrad.certificates.subject import CertifiedCell

MAX_LENGTH, MAX_WORDS = 64, 10_000_000
ITERATIONS = 60
"""Of v ← G v, until ‖A v‖ is large enough."""
Word = tuple[int, ...]
Jacobian = Callable[[int], MatrixBall]


def word_norms(subject: CertifiedCell, claim: Mapping[str, Any], rows: Array, shown: Inequalities) -> None:
    """Show the bounds of all words of the claim's length."""
    length = demanded.count(claim, "length", MAX_LENGTH)
    count = demanded.count(claim, "count", MAX_WORDS)
    shown.demand(length > 0 and len(rows) ** length == count, "all words are counted")
    ends = {}
    for name in ("least", "greatest"):
        end = demanded.mapping(claim, name)
        low, high = demanded.number(end, "low"), demanded.number(end, "high")
        shown.demand(0 <= low <= high < math.inf, f"0 ≤ low ≤ high < ∞ of the {name}")
        ends[name] = (_word(end, length, len(rows)), low, high)
    (least, low, least_high), (greatest, greatest_low, high) = ends["least"], ends["greatest"]
    words = _Words(subject, rows, length)
    with np.errstate(all="ignore"):
        for word, product in words.products():
            over = max(low, greatest_low) if word == greatest else low
            under = min(high, least_high) if word == least else high
            verdict = words.is_within(word, product, over, under)
            if verdict is not True:
                shown.demand(verdict, f"low ≤ norm ≤ high for the word {' '.join(map(str, word))}")
    shown.demand(True, f"low ≤ norm ≤ high for {len(rows) ** length} words, and both ends are attained")


def _word(end: Mapping[str, Any], length: int, size: int) -> Word:
    word = end.get("word")
    if not isinstance(word, list) or len(word) != length:
        raise Refuted("a word has as many rows as the length says")
    return tuple(demanded.count({"row": each}, "row", size - 1) for each in word)


class _Words:
    """The words over an alphabet, with what is known of each one's product."""

    def __init__(self, subject: CertifiedCell, rows: Array, length: int) -> None:
        self._subject, self._rows, self._length = subject, rows, length
        self._step = subject.of_cell(_rnn, _lstm, _gru)
        self._v = np.ones(subject.state_size)

    def products(self) -> Iterator[tuple[Word, MatrixBall]]:
        """Yield every word with its product of Jacobians."""
        m = self._subject.state_size
        yield from self._longer((), point(np.zeros(m)), MatrixBall(np.eye(m), 0.0))

    def _longer(self, word: Word, state: Interval, P: MatrixBall) -> Iterator[tuple[Word, MatrixBall]]:
        states, jacobian = self._step(self._subject, state, self._rows)
        for row in range(len(self._rows)):
            longer, product = (*word, row), jacobian(row) @ P
            if len(longer) == self._length:
                yield longer, product
            else:
                yield from self._longer(longer, states[row], product)

    def is_within(self, word: Word, product: MatrixBall, low: float, high: float) -> bool | None:
        """Return whether low ≤ norm ≤ high for a word (True), whether not (False), or None."""
        if self._is_below(product, high) and self._stretches(product, low):
            return True
        return norm_within(*last_product(self._subject, self._rows[list(word)]), Fraction(low), Fraction(high))

    def _is_below(self, product: MatrixBall, high: float) -> bool:
        A, least = product.middle, (high - product.radius) / RAISED
        if not (least > 0 and math.isfinite(product.radius)):
            return False
        G = A.T @ A
        own = 2 * (len(A) + 4) * UNIT * frobenius(A) ** 2
        if (frobenius(G) + own) * RAISED <= least**2:
            return True
        size = frobenius(G)
        fourth = frobenius(G @ G) + 2 * (len(A) + 4) * UNIT * size**2 + 2 * size * own + own**2
        return fourth * RAISED <= least**4

    def _stretches(self, product: MatrixBall, low: float) -> bool:
        """Return whether ‖A v‖ ≥ (low + τ) ‖v‖ for a v, the last word's to begin with."""
        A, least = product.middle, (low + product.radius) * RAISED
        own = 2 * (A.shape[1] + 4) * UNIT * frobenius(A)
        for _ in range(ITERATIONS):
            u = A @ self._v
            length = frobenius(self._v)
            if float(np.linalg.norm(u)) / RAISED - own * length >= least * length:
                return True
            v = A.T @ u
            size = float(np.linalg.norm(v))
            if not 0 < size < math.inf:
                self._v = np.ones(A.shape[1])
                return False
            self._v = v / size
        return False


def _rnn(subject: CertifiedCell, h: Interval, rows: Array) -> tuple[Interval, Jacobian]:
    W, name = subject.tensors["W_hh"], subject.activation
    a = image(W, h) + image(subject.tensors["W_hx"], point(rows)) + point(subject.tensors["b"])
    if name == "linear":
        y, slope = a, point(np.ones_like(a.lo))
    elif name == "relu":
        y = Interval(np.maximum(a.lo, 0), np.maximum(a.hi, 0))
        slope = Interval((a.lo > 0).astype(np.float64), (a.hi >= 0).astype(np.float64))
    else:
        y = sigma(a) if name == "sigmoid" else tanh(a)
        slope = y * (1 - y) if name == "sigmoid" else 1 - y * y
    return y, lambda row: scaled(slope[row], W)


def _lstm(subject: CertifiedCell, s: Interval, rows: Array) -> tuple[Interval, Jacobian]:
    n = subject.hidden_size
    h, c, W = s[:n], s[n:], {gate: subject.gate("W_hh", gate) for gate in "ifgo"}
    a = {gate: _reached(subject, gate, h, rows) for gate in "ifgo"}
    i, f, o, g = sigma(a["i"]), sigma(a["f"]), sigma(a["o"]), tanh(a["g"])
    new_c = f * c + i * g
    y = tanh(new_c)
    to_c = {"i": g * i * (1 - i), "f": c * f * (1 - f), "g": i * (1 - g * g)}
    E, to_h = o * (1 - y * y), y * o * (1 - o)
    through = {gate: E * x for gate, x in to_c.items()}

    def jacobian(row: int) -> MatrixBall:
        C, top = _sum(to_c, W, row), scaled(to_h[row], W["o"]) + _sum(through, W, row)
        return blocks([[top, diagonal((E * f)[row])], [C, diagonal(f[row])]])

    new_h = o * y
    return Interval(np.hstack([new_h.lo, new_c.lo]), np.hstack([new_h.hi, new_c.hi])), jacobian


def _gru(subject: CertifiedCell, h: Interval, rows: Array) -> tuple[Interval, Jacobian]:
    W, is_after = {gate: subject.gate("W_hh", gate) for gate in "rzn"}, subject.reset == "after"
    b_n = point(subject.tensors["b_hn"])
    r, z = (sigma(_reached(subject, gate, h, rows)) for gate in "rz")
    inner = image(W["n"], h) + b_n
    mixed = r * inner if is_after else image(W["n"], r * h) + b_n
    y = tanh(image(subject.gate("W_hx", "n"), point(rows)) + point(subject.gate("b", "n")) + mixed)
    write, to_z, steep = (1 - z) * (1 - y * y), (h + -y) * z * (1 - z), r * (1 - r)

    def jacobian(row: int) -> MatrixBall:
        J = diagonal(z[row]) + scaled(to_z[row], W["z"])
        if is_after:
            return J + scaled((write * r)[row], W["n"]) + scaled((write * inner * steep)[row], W["r"])
        return J + scaled(write[row], W["n"]) @ (diagonal(r[row]) + scaled((h * steep)[row], W["r"]))

    return (1 - z) * y + z * h, jacobian


def _reached(subject: CertifiedCell, gate: str, h: Interval, rows: Array) -> Interval:
    """Return a gate's pre-activation for every row."""
    entered = image(subject.gate("W_hx", gate), point(rows)) + point(subject.gate("b", gate))
    return entered + image(subject.gate("W_hh", gate), h)


def _sum(coefficients: Mapping[str, Interval], W: Mapping[str, Array], row: int) -> MatrixBall:
    """Return Σ diag(x) W over gates."""
    parts = [scaled(x[row], W[gate]) for gate, x in coefficients.items()]
    return parts[0] + parts[1] + parts[2]
