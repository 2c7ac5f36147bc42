r"""The arithmetic of the library's checkers, FixedPoint.v and Gates.v, integer for integer.

With it the prover knows what Coq will compute: the least ρ that passes, and whether the box of states does.
An integer z stands for z / 2^p; bounds of e^y come from (1 + y / 2^s)^(2^s), s squarings with q more digits.
"""

from __future__ import annotations

from collections.abc import Sequence

P, S, Q = 40, 30, 10
ONE = 1 << P
_FULL = P + S + Q
GATE_PIECES = 8
"""Pieces of the range of |g|, as in `certificates.gated`."""


def cdiv(a: int, b: int) -> int:
    """Return a / b rounded up."""
    return -(-a // b)


def exp_low(y: int) -> int:
    """Return a lower bound of e^y."""
    t = max(0, (1 << _FULL) + (y << Q))
    for _ in range(S):
        t = t * t >> _FULL
    return t


def sigma_high(a: int) -> int:
    """Return an upper bound of σ(a)."""
    return cdiv(1 << (P + _FULL), (1 << _FULL) + exp_low(-a))


def sigma_low(a: int) -> int:
    """Return a lower bound of σ(a)."""
    return ONE - sigma_high(-a)


def sigmas(reached: tuple[int, int]) -> tuple[int, int]:
    """Return bounds of σ(a) for lo ≤ a ≤ hi."""
    return sigma_low(reached[0]), sigma_high(reached[1])


def tanh_sizes(reached: tuple[int, int]) -> tuple[int, int]:
    """Return bounds of |tanh a| for lo ≤ a ≤ hi."""
    return tanh_low(nearest(*reached)), tanh_high(farthest(*reached))


def tanh_high(a: int) -> int:
    """Return an upper bound of tanh a."""
    return 2 * sigma_high(2 * a) - ONE


def tanh_low(a: int) -> int:
    """Return a lower bound of tanh a."""
    return 2 * sigma_low(2 * a) - ONE


def times(a: int, b: int) -> int:
    """Return a product rounded up."""
    return cdiv(a * b, ONE)


def peak(lo: int, hi: int, x: int, k: int, G: int) -> int:
    """Return an upper bound of s x + (1 - s) k + s (1 - s) G over lo ≤ s ≤ hi, by its tangent at t."""
    t = max(lo, min(hi, hi if G == 0 else ONE * (x - k + G) // (2 * G)))
    slope, constant = ONE * (x - k) + G * (ONE - 2 * t), G * t * t + ONE * ONE * k
    return max(cdiv(constant + s * slope, ONE * ONE) for s in (lo, hi))


def upto_times(lo: int, hi: int, y: int) -> int:
    """Return an upper bound of s t over 0 ≤ lo ≤ s ≤ hi, t ≤ y."""
    return max(times(lo, y), times(hi, y))


def slope_high(g: int) -> int:
    """Return an upper bound of 1 - y² for |y| ≥ g."""
    return ONE - max(0, g) ** 2 // ONE


def nearest(lo: int, hi: int) -> int:
    """Return the least |a| of lo ≤ a ≤ hi."""
    return max(0, lo, -hi)


def farthest(lo: int, hi: int) -> int:
    """Return the largest |a| of lo ≤ a ≤ hi."""
    return max(-lo, hi)


def cut(lo: int, hi: int, piece: int) -> int:
    """Return where a range is cut."""
    return lo + (hi - lo) * piece // GATE_PIECES


def absdot(row: Sequence[int], weights: Sequence[int]) -> int:
    """Return Σ |row_i| weights_i."""
    return sum(abs(a) * w for a, w in zip(row, weights, strict=False))


def pre_activation(k: int, bias: int, reach: int) -> tuple[int, int]:
    """Return bounds of a bias in units of 2^-k, give or take a reach in units of 2^-(k + p)."""
    stray = cdiv(reach, 1 << k)
    return (bias * ONE >> k) - stray, cdiv(bias * ONE, 1 << k) + stray


def spread(k: int, row: Sequence[int], weights: Sequence[int]) -> int:
    """Return |W| w for one row in units of 2^-k and whole weights."""
    return cdiv(absdot(row, weights) * ONE, 1 << k)


def gather(k: int, row: Sequence[int], bounds: Sequence[int]) -> int:
    """Return |W| y for one row in units of 2^-k and bounds y in fixed point."""
    return cdiv(absdot(row, bounds), 1 << k)
