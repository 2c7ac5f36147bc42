r"""All words over a finite alphabet of inputs: the least and the largest ‖∂s_L/∂s_0‖₂ of length L, with their words.

Words share their beginnings. At a prefix w with the product P = ∂s/∂s_0 and Y = W_hh P at hand, the product of each of
its S continuations is diagonal matrices times the rows of Y and P (`rounded_steps`): O(m²) each, and the m³ of Y once.
Forward from s_0 with e = 0, Δ = 0:

    e ← ‖J‖ e + d + β e²,       Δ ← ‖J‖ Δ + (ρ + β e) ‖P‖ + R,

R the rounding of the product. Of a last step's product A, with G = AᵀA,

    ‖A v‖ / ‖v‖ - Δ ≤ ‖∂s_L/∂s_0‖₂ ≤ ‖G‖_F^½ + Δ:

which most words need no more than, to be told from the least or largest so far. What is left, and the two that win, is
enclosed along its word (`enclosure_along_sequence`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.cholesky import frobenius_up, norm_up
from vanishgrad.certificates.enclosure_along_sequence import enclosure
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.intervals import UP
from vanishgrad.certificates.matrix_norms import norm_by_gram, product_error, quick_norm_up
from vanishgrad.certificates.prove import Outcome, beyond_proof, certificate
from vanishgrad.certificates.rounded_steps import RoundedSteps, Steps
from vanishgrad.certificates.subject import CertifiedCell, subject
from vanishgrad.errors import UsageError

MAX_WORDS = 1_000_000
BATCH_NUMBERS = 1 << 21
"""Of the matrices of a batch, which share a cache's room."""
DIRECTIONS = 3
MAX_ENCLOSED = 200
"""Words whose bounds in float64 do not tell them from the winner."""
ROOM = 2.0**-30
"""Left relatively on the far side of a claim, for the checker's own rounding."""


@dataclass(frozen=True, eq=False)
class Prefix:
    """The beginning of a word: its rows, the state after it, the product P, and how far both may be off."""

    word: tuple[int, ...]
    state: Array
    P: Array
    state_error: float
    product_error: float

    @property
    def norm(self) -> float:
        """An upper bound of the norm of P as it was computed."""
        return quick_norm_up(self.P)


@dataclass(eq=False)
class Extreme:
    """The best word so far, its bounds, and all words that may beat it, with the bound that speaks for them."""

    word: tuple[int, ...] = ()
    low: float = 0.0
    high: float = math.inf
    rivals: dict[tuple[int, ...], float] = field(default_factory=dict)


def word_norms(cell: Cell, rows: Array, length: int) -> Outcome:
    r"""Bound min and max of :math:`\|\partial s_L/\partial s_0\|_2` over all words of L of the rows (S, d).

    From s_0 = 0. The certificate's claim lacks the name and digest of the rows, which the caller adds. O(S^L m³).

    Raises
    ------
    VanishgradError
        For a cell that has no certificates.
    UsageError
        If there are too many words.
    """
    if not len(rows) ** length <= MAX_WORDS:
        raise UsageError(
            f"expected at most {MAX_WORDS} words, got {len(rows)} rows and --length {length}; try a smaller --length"
        )
    target = subject(cell)
    if unknown := beyond_proof(target):
        return Outcome(None, unknown)
    with np.errstate(all="ignore"):
        extremes = _Walk(equivalent_gru(target), rows, length).extremes()
    if extremes is None:
        return Outcome(None, "the words could not all be enclosed; try a smaller --length")
    claim: dict[str, object] = {"kind": "words", "length": length, "count": len(rows) ** length, "inputs": {}}
    for name, extreme in zip(("least", "greatest"), extremes, strict=True):
        claim[name] = {"low": extreme.low, "high": extreme.high, "word": list(extreme.word)}
    return Outcome(certificate(target, claim, "words", {}), f"{len(rows) ** length} words enclosed")


class _Walk:
    """Depth first through all words."""

    def __init__(self, target: CertifiedCell, rows: Array, length: int) -> None:
        self._target, self._rows, self._length = target, rows, length
        self._steps = RoundedSteps(target, rows)
        self._limit = 1 / (1 + self._steps.weight_norm) / UP
        self._least, self._greatest = Extreme(), Extreme(low=-1.0)

    def extremes(self) -> tuple[Extreme, Extreme] | None:
        """Return the least and the greatest, or None if one of the words is not known well enough."""
        m = self._target.state_size
        if not self._descend(Prefix((), np.zeros(m), np.eye(m), 0.0, 0.0)):
            return None
        return (self._least, self._greatest) if self._settle() else None

    def _descend(self, prefix: Prefix) -> bool:
        steps, Y = self._steps(prefix.state), self._steps.shared(prefix.P)
        if not prefix.state_error <= min(self._limit, steps.margin * self._limit):
            return False
        moved = (steps.rounding + steps.curvature * prefix.state_error) * UP
        norm = (steps.norm + moved) * UP
        rounding = self._steps.product_error(steps, prefix.P, Y)
        error = (norm * prefix.product_error + moved * prefix.norm + rounding) * UP
        if not math.isfinite(error):
            return False
        if len(prefix.word) + 1 == self._length:
            self._compare(prefix, steps, Y, error)
            return True
        state_error = (norm * prefix.state_error + steps.curvature * prefix.state_error**2 + steps.defect) * UP
        for j, state in enumerate(steps.states):
            P = self._steps.products(steps, slice(j, j + 1), prefix.P, Y)[0]
            if not self._descend(Prefix((*prefix.word, j), state, P, state_error, error)):
                return False
        return True

    def _compare(self, prefix: Prefix, steps: Steps, Y: Array, error: float) -> None:
        """Compare the words that end with this step."""
        below = self._stretches(prefix, steps, Y) - error
        for which in self._batches():
            matrices = self._steps.products(steps, which, prefix.P, Y)
            for j, A in enumerate(matrices, start=which.start):
                self._weigh((*prefix.word, j), A, float(below[j]), error)

    def _batches(self) -> Iterator[slice]:
        size = max(1, BATCH_NUMBERS // self._target.state_size**2)
        return (slice(j, min(j + size, len(self._rows))) for j in range(0, len(self._rows), size))

    def _stretches(self, prefix: Prefix, steps: Steps, Y: Array) -> Array:
        """Return ‖A v‖ / ‖v‖, rounded down, for the best v of a few directions that P stretches: O(m) a word."""
        V = _leading(prefix.P)
        images = self._steps.products(steps, slice(None), prefix.P @ V, Y @ V)
        _, vectors = np.linalg.eigh(np.swapaxes(images, -1, -2) @ images)
        best = vectors[..., -1:]
        lengths = np.linalg.norm(V @ best, axis=-2) * UP
        # Both products err by no more than those of P and Y with unit vectors, and the combination by 3 terms.
        stray = self._steps.product_error(steps, prefix.P, Y) + product_error(prefix.P, V) + product_error(Y, V)
        value: Array = (np.linalg.norm(images @ best, axis=-2) / UP - 4 * stray) / lengths
        return value[..., 0]

    def _weigh(self, word: tuple[int, ...], A: Array, below: float, error: float) -> None:
        """Note a word that may be the least or the greatest."""
        G = A.T @ A
        rounding = product_error(A.T, A)
        above = (math.sqrt(frobenius_up(G) + rounding) * UP + error) * UP
        may_be_least, may_be_greatest = below <= self._least.high, above >= self._greatest.low
        if not (may_be_least or may_be_greatest):
            return
        low, high, _ = norm_by_gram(G, rounding)
        if may_be_greatest and (high + error) * UP >= self._greatest.low:
            high = min(high, norm_up(A, low))
        low, high = max(below, (low - error) / UP), min(above, (high + error) * UP)
        if low <= self._least.high:
            self._least.rivals[word] = low
            if high < self._least.high:
                self._least.word, self._least.low, self._least.high = word, low, high
        if high >= self._greatest.low:
            self._greatest.rivals[word] = high
            if low > self._greatest.low:
                self._greatest.word, self._greatest.low, self._greatest.high = word, low, high

    def _settle(self) -> bool:
        """Enclose both winners, and what float64 does not tell from them, along their words."""
        return self._settle_least() and self._settle_greatest()

    def _settle_least(self) -> bool:
        least, pairs = self._least, dict[tuple[int, ...], tuple[float, float]]()
        for word, low in sorted(least.rivals.items(), key=lambda each: each[1]):
            if low > least.high:
                break
            pair = self._enclosed(word) if len(pairs) < MAX_ENCLOSED else None
            pairs[word] = (low, math.inf) if pair is None else pair
            least.high = min(least.high, pairs[word][1])
        least.word = min(pairs, key=lambda word: pairs[word][1])
        least.low, least.high = min(low for low, _ in pairs.values()) * (1 - ROOM), pairs[least.word][1] * (1 + ROOM)
        return math.isfinite(least.high)

    def _settle_greatest(self) -> bool:
        greatest, pairs = self._greatest, dict[tuple[int, ...], tuple[float, float]]()
        for word, high in sorted(greatest.rivals.items(), key=lambda each: -each[1]):
            if high < greatest.low:
                break
            pair = self._enclosed(word) if len(pairs) < MAX_ENCLOSED else None
            pairs[word] = (0.0, high) if pair is None else pair
            greatest.low = max(greatest.low, pairs[word][0])
        greatest.word = max(pairs, key=lambda word: pairs[word][0])
        greatest.low = max(0.0, pairs[greatest.word][0]) * (1 - ROOM)
        greatest.high = max(high for _, high in pairs.values()) * (1 + ROOM)
        return math.isfinite(greatest.high)

    def _enclosed(self, word: tuple[int, ...]) -> tuple[float, float] | None:
        along = enclosure(self._target, self._rows[list(word)], 0)
        return None if along is None else along.state[-1]


def _leading(P: Array) -> Array:
    """Return a few right singular vectors of P, roughly the leading ones: (m, k)."""
    m = P.shape[1]
    V = np.random.default_rng(0).standard_normal((m, min(m, DIRECTIONS)))
    size = float(np.abs(P).max(initial=0.0))
    scaled = P / size if size > 0 else P
    for _ in range(4):
        V = np.linalg.qr(scaled.T @ (scaled @ V))[0] if size > 0 else np.linalg.qr(V)[0]
    return V
