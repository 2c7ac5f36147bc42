r"""Two-sided enclosures along one input sequence: ‖∂s_T/∂s_k‖₂, its least singular value, and ‖∂s_T/∂x_k‖₂, every k.

First with products of float64, and with more and more limbs where those leave too much between the bounds
(`enclosed_products`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.enclosed_products import EnclosedProducts, Enclosure
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.fixed_point_run import fixed_point_run
from vanishgrad.certificates.limb_arrays import LIMB_BITS, MAX_TERMS, fits
from vanishgrad.certificates.prove import Outcome, beyond_proof, certificate, claimed_starts
from vanishgrad.certificates.step_jacobians import FLOATS, limbs
from vanishgrad.certificates.subject import CertifiedCell, subject
from vanishgrad.errors import UsageError

FLOAT_BITS = 80
"""Binary digits of the run whose Jacobians are float64: more than those have."""
FIRST_LIMBS, MAX_LIMBS = 5, 20
"""Of the Jacobians, where float64 is not enough: as many more as are missing at a relative width of `WIDTH`."""
ENTRY_LIMBS = 4
"""Of ∂s_t/∂x_t, which no product is made of: more than float64 holds."""
BITS_PER_LIMB = 40
"""Binary digits of the run for each limb of its Jacobians."""
WIDTH = 5e-9
"""Relative width of an enclosure that is narrow enough."""


def enclosed(
    cell: Cell, sequences: Sequence[Array], start: int = 0, starts: Sequence[Array] | Array | None = None
) -> Outcome:
    r"""Enclose :math:`\|\partial s_T/\partial s_k\|_2` and what belongs to it along each of the sequences (T, d).

    Each begins with its own of the `starts`, (m,), or with s_0 = 0. The certificate's claim lacks the name and digest
    of the inputs, which the caller adds.

    Raises
    ------
    VanishgradError
        For a cell that has no certificates.
    UsageError
        If `start` is not a step before the last of each sequence.
    """
    shortest = min(map(len, sequences))
    if not 0 <= start < shortest:
        raise UsageError(f"expected --start from 0 to {shortest - 1}, got {start}; try --start 0")
    target = subject(cell)
    if unknown := beyond_proof(target):
        return Outcome(None, unknown)
    found = []
    for number, xs in enumerate(sequences):
        try:
            with np.errstate(all="ignore"):
                one = enclosure(equivalent_gru(target), xs, start, None if starts is None else starts[number])
        except OverflowError:
            one = None
        if one is None or not all(math.isfinite(high) for _, high in one.state + one.input):
            return Outcome(None, "the run along this sequence could not be enclosed; try fewer --steps")
        found.append(one)
    claim = {
        "kind": "enclosure",
        "lengths": [len(xs) for xs in sequences],
        "start": start,
        "inputs": {},
        "sequences": [each.bounds for each in found],
        **claimed_starts(starts),
    }
    width = max(each.width for each in found)
    witness = {"blocks": [each.blocks for each in found]} if any(each.blocks for each in found) else {}
    return Outcome(certificate(target, claim, "enclosure", witness), f"enclosed to a relative width of {width:.1e}")


def enclosure(target: CertifiedCell, xs: Array, start: int, s0: Array | None = None) -> Enclosure | None:
    """Return the enclosure along xs (T, d) from s_0, 0 if None, for k ≥ `start`; None if no precision is enough.

    O((T - k) m³) in float64, K² times that with K limbs.
    """
    quick = EnclosedProducts(target, fixed_point_run(target, xs, FLOAT_BITS, s0), start, FLOATS, FLOATS).enclosure()
    if quick is not None and quick.width <= WIDTH and quick.has_narrow_least:
        return quick
    best, count = None, FIRST_LIMBS
    while count <= MAX_LIMBS and fits(target.state_size, count) and target.input_size <= MAX_TERMS:
        run = fixed_point_run(target, xs, count * BITS_PER_LIMB, s0)
        latest = EnclosedProducts(target, run, start, limbs(count), limbs(ENTRY_LIMBS)).enclosure()
        width, before = (math.inf if each is None else each.width for each in (latest, best))
        if width < before:
            best = latest
        if width <= WIDTH or (math.isfinite(width) and width > before / 2):
            break
        missing = math.ceil(math.log2(width / WIDTH) / LIMB_BITS) if width < 1 else count
        count += missing
    return best
