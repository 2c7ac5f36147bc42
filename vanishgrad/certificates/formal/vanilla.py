r"""The literals of an RNN's certificate: a Gram completion, or a positive vector.

Both say ρ and C in units of 2⁻⁴⁰, rounded up, and as small as their own integers allow: one unit less is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.integer_products import gram
from vanishgrad.certificates.formal.integer_weights import (
    DIGITS,
    condition_up,
    in_units,
    root_up,
    rows_of,
    whole_weights,
)
from vanishgrad.certificates.formal.methods import HALVINGS
from vanishgrad.certificates.formal.source import CoqSource, digits
from vanishgrad.certificates.perron import perron_scale, positive_vectors
from vanishgrad.certificates.scaling import balanced_scale, short
from vanishgrad.certificates.subject import CertifiedCell

FACTOR_DIGITS = 28
"""Binary digits of the largest entry of R: what is cut off costs ρ about n 2⁻²⁸ of itself."""
SLACK = 2.0**-24
"""By how much of itself μ² exceeds the largest eigenvalue, so that the floating factorisation goes through."""
MAX_WEIGHT = 2.0**100
"""Weights above it would overflow when squared and scaled."""
MAX_SCALED_SHARE = 0.99
"""What a diagonal must leave of ‖W‖₂ to be worth its digits."""


def gram_source(subject: CertifiedCell) -> CoqSource | None:
    """Return a Gram completion with the diagonal that makes ρ smallest, or None if floating arithmetic finds none."""
    W = subject.tensors["W_hh"]
    k, whole = in_units({"W_hh": W})
    if np.abs(W).max() > MAX_WEIGHT:
        return None
    scale = _integer_scale(W)
    R = _factor(W, scale)
    if R is None:
        return None
    shift = max(0, k + int(np.frexp(np.abs(R).max())[1]) - FACTOR_DIGITS)
    factor = np.rint(np.ldexp(R, k - shift)).astype(np.int64).astype(object) << shift
    M = np.concatenate([scale[:, None] * whole["W_hh"], factor])
    budgets = np.abs(gram(M)).sum(axis=1)
    halvings = HALVINGS[subject.activation]
    worst = max(Fraction(int(each), int(d) ** 2) for each, d in zip(budgets, scale, strict=True))
    r = root_up(worst * 4**DIGITS / 4 ** (k + halvings))
    lo, hi = int(scale.min()), int(scale.max())
    columns, R_columns = rows_of(whole["W_hh"].T), [row[: j + 1] for j, row in enumerate(rows_of(factor.T))]
    width = digits([*whole["W_hh"].flat, *factor.flat, hi])
    head = _head(subject, width, k, r, -(-(hi << DIGITS) // lo), lo, hi)
    return CoqSource(
        "gram", subject.activation, {**head, "scale": scale.tolist(), "columns": columns, "factor": R_columns}
    )


def _head(subject: CertifiedCell, w: int, k: int, r: int, c: int, lo: int, hi: int) -> dict[str, int]:
    return {"n": subject.hidden_size, "w": w, "k": k, "e": DIGITS, "f": DIGITS, "r": r, "c": c, "lo": lo, "hi": hi}


def _integer_scale(W: Array) -> Array:
    """Return a diagonal of positive integers; ones, unless another is worth it."""
    ones = np.ones(len(W))
    plain = _scaled_norm(W, ones)
    best, scale = MAX_SCALED_SHARE * plain, ones
    for candidate in _candidates(W):
        if _scaled_norm(W, candidate) < best:
            best, scale = _scaled_norm(W, candidate), candidate
    return np.array([int(each) for each in scale], dtype=object)


def _candidates(W: Array) -> Iterator[Array]:
    for scale in (perron := short(perron_scale(W)), balanced_scale(W, perron) if len(W) > 1 else perron):
        yield np.maximum(1, np.rint(scale / scale.min() * 16))


def _scaled_norm(W: Array, scale: Array) -> float:
    return float(np.linalg.norm(scale[:, None] * W / scale, 2))


def _factor(W: Array, scale: Array) -> Array | None:
    """Return R with RᵀR ≈ μ² D² - WᵀD²W."""
    floating = scale.astype(np.float64)
    B = floating[:, None] * W / floating
    mu = float(np.linalg.norm(B, 2))
    try:
        root = np.linalg.cholesky((mu * mu * (1 + SLACK) + np.finfo(float).tiny) * np.eye(len(W)) - B.T @ B).T
    except np.linalg.LinAlgError:
        return None
    factor: Array = root * floating
    return factor


def max_norm_source(subject: CertifiedCell) -> CoqSource:
    """Return the positive vector, of those tried, that makes C ρ^lag fall soonest."""
    W = subject.tensors["W_hh"]
    k, whole = in_units({"W_hh": W})
    halvings, size = HALVINGS[subject.activation], np.abs(whole["W_hh"])
    best: tuple[int, Array] | None = None
    for candidate in positive_vectors(lambda x: np.abs(W) @ x, len(W)):
        x = np.array(whole_weights(candidate), dtype=object)
        images = (Fraction(int(y), int(each)) for y, each in zip(size @ x, x, strict=True))
        worst = max(images) * 2**DIGITS / 2 ** (k + halvings)
        r = -(-worst.numerator // worst.denominator)
        if best is None or r < best[0]:
            best = r, x
    assert best is not None
    r, x = best
    lo, hi = int(x.min()), int(x.max())
    width = digits([*whole["W_hh"].flat, hi])
    head = _head(subject, width, k, r, condition_up(len(x), lo, hi), lo, hi)
    return CoqSource("max_norm", subject.activation, {**head, "x": x.tolist(), "rows": rows_of(whole["W_hh"])})
