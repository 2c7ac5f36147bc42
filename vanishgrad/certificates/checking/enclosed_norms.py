r"""Enclosures along input sequences: bounds of ‖∂s_T/∂s_k‖₂, of its least singular value, and of ‖∂s_T/∂x_k‖₂.

The state is run from s_0 in ball arithmetic, and the rows of the identity are carried back through all steps: a
matrix within a radius of the real one, in Frobenius' norm. Its float64 neighbour A is then within a rational τ, and
with exact integers

    ‖A‖₂ ≤ high - τ (a Cholesky factor),   ‖A v‖ ≥ (low + τ) ‖v‖ (any v),
    (1 - ‖I - X A‖_F) / ‖X‖₂ ≥ low + τ (any X),   ‖A w‖ ≤ (high - τ) ‖w‖ (any w).

Where no X has that, σ_min is at least that at an earlier lag, times that of the Jacobians' product from there on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking import witness as demanded
from vanishgrad.certificates.checking.ball_arithmetic import Ball, Coarse, ball
from vanishgrad.certificates.checking.ball_steps import Pull, ball_step
from vanishgrad.certificates.checking.integer_products import product
from vanishgrad.certificates.checking.norm_bound import norm_at_most
from vanishgrad.certificates.checking.rational import integers
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted, Undecided
from vanishgrad.certificates.subject import CertifiedCell

FIRST_BITS, MAX_BITS = 192, 1 << 14
SPARE_BITS = 96
"""Binary digits beyond those that the radii take up."""
SHORT = 1 - Fraction(1, 1 << 50)
QUANTITIES = ("state", "sigma_min", "input")


def enclosed_norms(
    subject: CertifiedCell,
    xs: Array,
    start: int,
    s0: Array,
    bounds: Mapping[str, Any],
    shown: Inequalities,
    name: str,
    blocks: Sequence[int] = (),
) -> None:
    """Show the bounds of one sequence (T, d) from s_0 (m,): `bounds` has low and high of each quantity, by lag.

    `blocks` are lags after which a product of Jacobians begins that may bound σ_min from below.
    """
    lags = len(xs) - start
    claimed = {
        quantity: [demanded.vector(demanded.mapping(bounds, quantity), side, lags) for side in ("low", "high")]
        for quantity in QUANTITIES
    }
    for quantity, lag, matrix, block in _matrices(subject, xs, start, s0, blocks):
        low, high = (float(side[lag]) for side in claimed[quantity])
        if not 0 <= low <= high < math.inf:
            raise Refuted(f"0 ≤ low ≤ high < ∞ for {quantity} {lag} of {name}")
        A, stray = _neighbour(matrix)
        is_enclosed = _least_within if quantity == "sigma_min" else norm_within
        label = f"{quantity} at {len(xs) - lag - (quantity != 'input')} of {name}"
        verdict = is_enclosed(A, stray, Fraction(low), Fraction(high))
        if verdict is None and block is not None:
            base = claimed[quantity][0][max(each for each in blocks if each <= lag) - 1]
            is_above = _least_beyond(block, Fraction(low), Fraction(float(base)))
            verdict = _both(is_above, _least_within(A, stray, Fraction(0), Fraction(high)))
        if verdict is not True:
            shown.demand(verdict, f"low ≤ {label} ≤ high")
    shown.demand(True, f"low ≤ norm ≤ high along {name}, at {lags} lags")


def _matrices(
    subject: CertifiedCell, xs: Array, start: int, s0: Array, blocks: Sequence[int] = ()
) -> Iterator[tuple[str, int, Ball, Ball | None]]:
    """Yield which quantity, its place in the claim, the matrix that it is of, and for σ_min the last block's."""
    pulls, p = _pulls(subject, xs, s0)
    m = subject.state_size
    one = Ball(np.eye(m, dtype=np.int64).astype(object) << p, 0, p)
    P, block = one, None
    for lag, pull in enumerate(reversed(pulls[start:])):
        yield "input", lag, pull.entry(P), None
        P = pull(P)
        yield "state", lag, P, None
        if lag in blocks:
            block = one
        block = None if block is None else pull(block)
        yield "sigma_min", lag, P, block


def last_product(subject: CertifiedCell, xs: Array) -> tuple[Array, Fraction]:
    """Return a float64 matrix near ∂s_T/∂s_0 along xs (T, d), and how far from it that may be."""
    *_, (_, _, matrix, _) = _matrices(subject, xs, 0, np.zeros(subject.state_size))
    return _neighbour(matrix)


def _pulls(subject: CertifiedCell, xs: Array, s0: Array) -> tuple[list[Pull], int]:
    """Return the steps, with as many digits as radii grow to twice over: forward, and back again."""
    p = FIRST_BITS
    while p <= MAX_BITS:
        try:
            step, s, pulls, widest = ball_step(subject, p), ball(s0, p), list[Pull](), 1
            for x in xs:
                s, pull = step(s, ball(x, p))
                pulls.append(pull)
                widest = max(widest, s.radius)
        except Coarse:
            p *= 2
            continue
        if p >= 2 * widest.bit_length() + SPARE_BITS:
            return pulls, p
        p = 2 * widest.bit_length() + SPARE_BITS + 32
    raise Undecided("the run is known with the digits that there are")


def _neighbour(matrix: Ball) -> tuple[Array, Fraction]:
    """Return a float64 matrix near a ball, and how far from it a matrix of the ball can be, in Frobenius' norm."""
    unit = 1 << matrix.p
    A = np.array([each / unit for each in matrix.middle.flat], dtype=np.float64).reshape(matrix.middle.shape)
    largest = Fraction(float(np.abs(A).max(initial=0.0)))
    return A, Fraction(matrix.radius, unit) + matrix.root * (largest / (1 << 53) + Fraction(1, 1 << 1074))


def norm_within(A: Array, stray: Fraction, low: Fraction, high: Fraction) -> bool | None:
    """Return whether low ≤ ‖·‖₂ ≤ high for all matrices near A (True), for none (False), or None."""
    below: bool | None = True if low <= 0 or _stretches(A, low + stray) else None
    if below is None and _at_most(A, (low - stray) * SHORT, math.floor):
        below = False
    above: bool | None = True if _at_most(A, high - stray, math.floor) else None
    if above is None and _at_most(A, high + stray, math.ceil) is False:
        above = False
    return _both(below, above)


def _least_within(A: Array, stray: Fraction, low: Fraction, high: Fraction) -> bool | None:
    """Return whether low ≤ σ_min ≤ high for all matrices near A (True), for none (False), or None."""
    X = _inverse(A)
    w = np.linalg.svd(A)[2][-1] if X is None else X @ np.linalg.svd(X)[2][0]
    size, length = _image(A, w), _square(w)
    above = True if high > stray and size <= (high - stray) ** 2 * length else None
    if size < (low - stray) ** 2 * length and low > stray:
        return False
    if low <= 0:
        return above
    if X is None:
        return None
    reach = _inverse_reach(A, X)
    if reach is not None and reach - stray > high:
        return False
    return _both(True if reach is not None and reach >= low + stray else None, above)


def _least_beyond(block: Ball, low: Fraction, base: Fraction) -> bool | None:
    """Return whether base σ_min ≥ low for all matrices of a ball (True), or None."""
    A, stray = _neighbour(block)
    X = _inverse(A)
    reach = None if X is None else _inverse_reach(A, X)
    return True if reach is not None and base * (reach - stray) >= low else None


def _both(first: bool | None, second: bool | None) -> bool | None:
    return False if first is False or second is False else True if first and second else None


def _at_most(A: Array, bound: Fraction, side: Callable[[Fraction], int]) -> bool | None:
    """Return whether ‖A‖₂ is at most a bound, rounded to a float64 down or up."""
    if bound < 0:
        return False
    mu = float(bound)
    if side is math.floor and Fraction(mu) > bound:
        mu = math.nextafter(mu, 0)
    elif side is math.ceil and Fraction(mu) < bound:
        mu = math.nextafter(mu, math.inf)
    return norm_at_most(np.ones(len(A)), A, np.ones(A.shape[1]), mu)


def _stretches(A: Array, least: Fraction) -> bool:
    """Return whether some v has ‖A v‖ ≥ least ‖v‖."""
    v = np.linalg.svd(A)[2][0]
    return _image(A, v) >= least**2 * _square(v)


def _image(A: Array, v: Array) -> Fraction:
    """Return ‖A v‖²."""
    a, b = integers(A), integers(v)
    return Fraction(sum(int(each) ** 2 for each in a.values @ b.values), 1 << 2 * (a.scale + b.scale))


def _square(v: Array) -> Fraction:
    return sum((Fraction(float(each)) ** 2 for each in v), Fraction(0))


def _inverse(A: Array) -> Array | None:
    try:
        X: Array = np.linalg.inv(A)
    except np.linalg.LinAlgError:
        return None
    return X if np.isfinite(X).all() and np.abs(X).max(initial=0.0) < 1e150 else None


def _inverse_reach(A: Array, X: Array) -> Fraction | None:
    """Return a lower bound of σ_min: (1 - ‖I - X A‖_F) / ‖X‖₂."""
    a, b = integers(A), integers(X)
    defect = -product(b.values, a.values)
    defect[np.diag_indices(len(defect))] += 1 << (a.scale + b.scale)
    gap = Fraction(math.isqrt(sum(int(each) ** 2 for each in defect.flat)) + 1, 1 << (a.scale + b.scale))
    norm = float(np.linalg.norm(X, 2)) * (1 + 2.0**-40)
    if gap >= 1 or not norm_at_most(np.ones(len(X)), X, np.ones(len(X)), norm):
        return None
    return (1 - gap) / Fraction(norm)
