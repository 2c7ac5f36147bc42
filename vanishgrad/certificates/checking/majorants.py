r"""Exact majorants of a gated cell's Jacobian in one box: rows of |J| x, and the a of diag(a) W in a block's norm."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.rational import integers, product, vector
from vanishgrad.certificates.checking.states import States
from vanishgrad.certificates.subject import CertifiedCell

QUARTER = Fraction(1, 4)


def peak(lo: Fraction, hi: Fraction, x: Fraction, k: Fraction, G: Fraction) -> Fraction:
    """Return the maximum of s x + (1 - s) k + s (1 - s) G over lo ≤ s ≤ hi, G ≥ 0: at the vertex or an end."""
    vertex = (x - k + G) / (2 * G) if G else (hi if x > k else lo)
    s = max(lo, min(hi, vertex))
    return s * x + (1 - s) * k + s * (1 - s) * G


def peaks(lo: Array, hi: Array, x: Array, k: Array, G: Array) -> Array:
    """Return `peak` entry by entry."""
    return vector(peak(*each) for each in zip(lo, hi, x, k, G, strict=True))


def rows(subject: CertifiedCell, states: States, x: Array, pieces: int) -> Array:
    """Return an upper bound of |J_t| x."""
    return _lstm_rows(subject, states, x, pieces) if subject.has_cell_state else _gru_rows(subject, states, x)


def _lstm_rows(subject: CertifiedCell, states: States, x: Array, pieces: int) -> Array:
    n, lo, hi = subject.hidden_size, states.lo, states.hi
    p = {g: _spread(subject, g, x[:n]) for g in "ifgo"}
    zero = vector([Fraction(0)] * n)
    direct = peaks(lo["f"], hi["f"], x[n:], zero, states.c * p["f"])
    inflow = vector(
        _written(each, pieces) for each in zip(lo["i"], hi["i"], lo["g"], hi["g"], p["i"], p["g"], strict=True)
    )
    r_h = peaks(lo["o"], hi["o"], direct + inflow, zero, states.tanh_c * p["o"])
    return np.concatenate([r_h, direct + inflow])


def _spread(subject: CertifiedCell, gate: str, x: Array) -> Array:
    return product(integers(np.abs(subject.gate("W_hh", gate))), x)


def _written(bounds: tuple[Fraction, ...], pieces: int) -> Fraction:
    """Return a bound of i (1 - g²) p_g + i (1 - i) g p_i: in each piece of g's range the two g at opposite ends."""
    i_lo, i_hi, g_lo, g_hi, p_i, p_g = bounds
    cuts = [g_lo + (g_hi - g_lo) * q / pieces for q in range(pieces + 1)]
    return max(peak(i_lo, i_hi, (1 - low * low) * p_g, Fraction(0), high * p_i) for low, high in pairwise(cuts))


def _gru_rows(subject: CertifiedCell, states: States, x: Array) -> Array:
    lo, hi = states.lo, states.hi
    zero, through = vector([Fraction(0)] * len(x)), states.multiplied * _spread(subject, "r", x)
    if subject.reset == "after":
        K = peaks(lo["r"], hi["r"], _spread(subject, "n", x), zero, through)
    else:
        K = _spread(subject, "n", _dyadic_above(peaks(lo["r"], hi["r"], x, zero, through)))
    through_z = (states.h + hi["n"]) * _spread(subject, "z", x)
    return peaks(lo["z"], hi["z"], x, (1 - lo["n"] * lo["n"]) * K, through_z)


def _dyadic_above(values: Array) -> Array:
    """Return the values rounded up to multiples of 2⁻²⁰⁰, so that a product with weights is one of integers."""
    unit = 1 << 200
    return vector(Fraction(-(-(each.numerator * unit) // each.denominator), unit) for each in values)


def amplitudes(subject: CertifiedCell, states: States) -> dict[str, Array]:
    """Return, by gate, a with |a_t| ≤ a: the diagonal factors of J's terms.

    LSTM: O = diag(a_o) W^o, C = Σ_{i,f,g} diag(a) W. GRU: J - diag z = diag(a_z) W^z + diag(a_n) W^n + diag(a_r) W^r
    (after),
    diag(a_z) W^z + diag(a_n) W^n (diag r + diag(a_r) W^r) (before).
    """
    hi, steep = states.hi, {gate: _slopes(states.lo[gate], states.hi[gate]) for gate in states.hi if gate not in "gn"}
    if subject.has_cell_state:
        return {
            "o": states.tanh_c * steep["o"],
            "i": hi["g"] * steep["i"],
            "f": states.c * steep["f"],
            "g": hi["i"] * (1 - states.lo["g"] * states.lo["g"]),
        }
    write, through = (1 - states.lo["z"]) * (1 - states.lo["n"] * states.lo["n"]), states.multiplied * steep["r"]
    after = subject.reset == "after"
    return {
        "z": (states.h + hi["n"]) * steep["z"],
        "n": write * hi["r"] if after else write,
        "r": write * through if after else through,
    }


def _slopes(lo: Array, hi: Array) -> Array:
    """Return the maximum of s (1 - s) over lo ≤ s ≤ hi."""
    return vector(
        QUARTER if low <= 2 * QUARTER <= high else max(low * (1 - low), high * (1 - high))
        for low, high in zip(lo, hi, strict=True)
    )
