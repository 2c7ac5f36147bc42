r"""A verified lower bound along one input sequence: ‖J_{T:k}‖₂ ≥ |uᵀ J_{T:k} v| for unit u, v.

u and v come from power iteration in float64; any u, v give a bound, the leading singular vectors the best. uᵀ
J_{T:k} v is then
computed with as many decimal digits as its error bound asks for.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.decimal_steps import decimal_step, known
from vanishgrad.certificates.decimals import DecimalWeights, TooCoarse, context
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.prove import Outcome, beyond_proof, certificate, claimed_starts
from vanishgrad.certificates.subject import CertifiedCell, subject
from vanishgrad.errors import UsageError
from vanishgrad.propagation.run import run

DIGITS, MAX_DIGITS = 50, 10_000
ITERATIONS, WIDTH = 12, 8
"""Of the subspace iteration for u and v: sweeps, and vectors."""
ACCURATE = Decimal("1e-9")


def along(cell: Cell, xs: Array, start: int = 0, s0: Array | None = None) -> Outcome:
    r"""Prove :math:`\|\partial s_T/\partial s_k\|_2 \ge` value along xs (T, d) from s_0, 0 if None, k = `start`.

    The certificate's claim lacks the name and digest of the inputs, which the caller adds. O(T n²) operations on
    decimals, each
    about 0.3 µs, a few times over.

    Raises
    ------
    VanishgradError
        For a cell that has no certificates; if the state overflows.
    UsageError
        If `start` is not a step before the last.
    """
    if not 0 <= start < len(xs):
        raise UsageError(f"expected --start from 0 to {len(xs) - 1}, got {start}; try --start 0")
    target = subject(cell)
    if unknown := beyond_proof(target):
        return Outcome(None, unknown)
    begun = np.zeros(target.state_size) if s0 is None else s0
    u, v = _singular_pair(cell, xs, start, begun)
    value, error = _bilinear(equivalent_gru(target), xs, start, u, v, begun)
    norm = Decimal(float(np.linalg.norm(u) * np.linalg.norm(v))) * (1 + Decimal("1e-12"))
    bound = math.nextafter(float((abs(value) - error) / norm * (1 - Decimal("1e-9"))), -math.inf)
    if not bound > 1e-300:
        return Outcome(
            None, f"uᵀJv along this sequence is {value:.3e} ± {error:.1e}: no lower bound above 0 can be proved"
        )
    claim = {"kind": "along", "value": bound, "steps": len(xs), "start": start, "inputs": {}}
    claim |= claimed_starts(None if s0 is None else [s0])
    return Outcome(
        certificate(target, claim, "bilinear", {"u": u.tolist(), "v": v.tolist()}), "proved along the sequence"
    )


def _singular_pair(cell: Cell, xs: Array, start: int, s0: Array) -> tuple[Array, Array]:
    """Return approximate leading singular vectors of J_{T:k}, as float32 numbers, by subspace iteration."""
    trajectory = run(cell, xs[None], s0[None])
    steps, times = cell.linearise(trajectory, start, len(xs)), range(start + 1, len(xs) + 1)
    m = cell.state_size
    V = np.linalg.qr(np.random.default_rng(0).standard_normal((m, min(m, WIDTH))))[0]
    for _ in range(ITERATIONS):
        U, _, turned = np.linalg.svd(_swept(steps.tangent, times, V[None])[0], full_matrices=False)
        u, v = U[:, 0], V @ turned[0]
        V = np.linalg.qr(_swept(steps.cotangent, reversed(times), np.ascontiguousarray(U.T)[None])[0].T)[0]
    return u.astype(np.float32).astype(np.float64), v.astype(np.float32).astype(np.float64)


def _swept(apply: Callable[[int, Array, Array], None], times: Iterable[int], block: Array) -> Array:
    """Return a block carried through all steps, kept at norm 1."""
    for t in times:
        out = np.empty_like(block)
        apply(t, block, out)
        norm = np.linalg.norm(out)
        block = out / norm if norm > 0 else out
    return block


def _bilinear(target: CertifiedCell, xs: Array, start: int, u: Array, v: Array, s0: Array) -> tuple[Decimal, Decimal]:
    """Return uᵀ J v with an error bound, at most 1e-9 of it unless 10 000 digits do not suffice."""
    digits, value, error = DIGITS, Decimal(0), Decimal(1)
    while error > max(ACCURATE * abs(value), Decimal("1e-330")) and digits <= MAX_DIGITS:
        with contextlib.suppress(TooCoarse), localcontext(context(digits)):
            value, error = _enclosed(target, xs, start, u, v, s0)
        digits *= 2
    return value, error


def _enclosed(target: CertifiedCell, xs: Array, start: int, u: Array, v: Array, s0: Array) -> tuple[Decimal, Decimal]:
    step = decimal_step(target)
    s, pulls = known(s0), []
    for x in xs:
        s, pull = step(s, known(x))
        pulls.append(pull)
    w = known(u)
    for pull in reversed(pulls[start:]):
        w = pull(w)
    total = DecimalWeights(v[None]) @ w
    return total.values[0], total.error
