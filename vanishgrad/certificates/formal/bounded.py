"""What the certificates of gated cells share: the box of inputs, the choice of a positive vector, the literals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.certificates.formal import fixed_point as fp
from vanishgrad.certificates.formal.integer_weights import DIGITS, condition_up, whole_weights
from vanishgrad.certificates.formal.methods import Value
from vanishgrad.certificates.formal.source import digits
from vanishgrad.certificates.subject import CertifiedCell

BOUND_DIGITS = 20
"""Binary digits of the bound of the inputs, which is rounded up to them."""
BOX_MARGINS = (1e-7, 1e-5, 1e-3, 1e-1)
"""By how much a floating box is widened, in turn, until the integers see that no step leaves it."""


def input_limit(bound: float) -> int:
    """Return the bound of the inputs in fixed point, rounded up."""
    return math.ceil(bound * 2**BOUND_DIGITS) << (fp.P - BOUND_DIGITS)


def wider(box: Array) -> Iterator[list[int]]:
    """Yield a floating box in fixed point, a little wider each time, at most 1."""
    for room in BOX_MARGINS:
        yield [min(fp.ONE, math.ceil(float(each) * (1 + room) * fp.ONE) + 1) for each in box]


def least_rate(candidates: Iterable[Array], rates: Callable[[list[int]], Iterable[int]]) -> tuple[int, list[int]]:
    """Return the least ρ of all candidates in units of 2⁻⁴⁰, each demanded by its worst row, with its vector."""
    vectors = [whole_weights(candidate) for candidate in candidates]
    return min((max(rates(w)), w) for w in vectors)


def rate(row: int, w: int) -> int:
    """Return the least ρ, in units of 2⁻⁴⁰, with which a row passes."""
    return fp.cdiv(row << DIGITS, fp.ONE * w)


def head(
    subject: CertifiedCell, k: int, r: int, limit: int, w: Sequence[int], literals: Mapping[str, Any]
) -> dict[str, Value]:
    """Return the literals that are single numbers, and fit the others."""
    lo, hi = min(w), max(w)
    return {
        "n": subject.hidden_size, "d": subject.input_size, "w": digits(_flat(literals.values())), "k": k,
        "e": DIGITS, "f": DIGITS, "r": r, "c": condition_up(len(w), lo, hi), "lo": lo, "hi": hi,
        "p": fp.P, "s": fp.S, "q": fp.Q, "bound": limit,
    }  # fmt: skip


def _flat(values: Iterable[Any]) -> Iterator[int]:
    for value in values:
        if isinstance(value, int):
            yield value
        else:
            yield from _flat(value)
