r"""Bilinear form uᵀ J_{T:k} v along one input sequence, enclosed in fixed point of as many digits as it takes.

The state is run from s_0 with its radius; then the row w = uᵀ is carried back, w ← w J_t, and ends as uᵀ J_{T:k}.
"""

from __future__ import annotations

import contextlib
from fractions import Fraction

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.ball_arithmetic import Coarse, ball
from vanishgrad.certificates.checking.ball_steps import ball_step
from vanishgrad.certificates.subject import CertifiedCell

FIRST_BITS, MAX_BITS = 160, 1 << 15
ACCURATE = Fraction(1, 10**10)
MIN_CLAIM = Fraction(1, 1 << 1080)
"""Less than any number that a certificate can claim."""


def bilinear(subject: CertifiedCell, xs: Array, start: int, s0: Array, u: Array, v: Array) -> tuple[Fraction, Fraction]:
    """Return a number and how far uᵀ J_{T:k} v may be from it: 1e-10 of it, unless 2¹⁵ bits do not suffice.

    xs (T, d); k = start; s_0, u, v (m,).
    """
    bits, value, error = FIRST_BITS, Fraction(0), Fraction(1)
    while error > max(ACCURATE * abs(value), MIN_CLAIM) and bits <= MAX_BITS:
        with contextlib.suppress(Coarse):
            value, error = _enclosed(subject, xs, start, s0, u, v, bits)
        bits *= 2
    return value, error


def _enclosed(
    subject: CertifiedCell, xs: Array, start: int, s0: Array, u: Array, v: Array, p: int
) -> tuple[Fraction, Fraction]:
    step = ball_step(subject, p)
    s, pulls = ball(s0, p), []
    for x in xs:
        s, pull = step(s, ball(x, p))
        pulls.append(pull)
    w = ball(u, p)
    for pull in reversed(pulls[start:]):
        w = pull(w)
    exact = [Fraction(float(each)) for each in v]
    value = sum((Fraction(int(a), 1 << p) * b for a, b in zip(w.middle, exact, strict=True)), Fraction(0))
    return value, Fraction(w.radius, 1 << p) * sum(map(abs, exact))
