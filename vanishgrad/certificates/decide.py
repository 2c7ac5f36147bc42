"""The three verdicts on a bound for all inputs: proved, refuted with its witness, or the gap between both."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.certificate import Certificate
from vanishgrad.certificates.check import verify
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted, Undecided
from vanishgrad.certificates.prove import Outcome, beyond_proof, upper
from vanishgrad.certificates.refute import refutations
from vanishgrad.certificates.subject import CertifiedCell, subject

USELESS_RHO = 0.999
"""From here on a bound ρ^lag takes over 1000 steps to fall by e: that none below can hold is the answer."""


def decided(cell: Cell, input_bound: float | None = None, words: Sequence[Array] = ()) -> Outcome:
    r"""Decide whether :math:`\|\partial s_t/\partial s_k\|_2 \le C\rho^{t-k}` can be proved with a ρ < 1.

    Inputs are bounded by `input_bound`, any where that is None; the inputs of `words` (p, d), zero and constants are
    repeated for a refutation, which the checker has shown before it is handed on.

    Raises
    ------
    VanishgradError
        For a cell that has no certificates.
    """
    outcome, target = upper(cell, input_bound), subject(cell)
    if outcome.certificate is not None or beyond_proof(target):
        return outcome
    witness = next((each for each in refutations(cell, input_bound, words) if _is_shown(each, target)), None)
    if witness is None:
        return outcome
    rho, period = witness.claim["rho"], len(witness.witness["word"])
    if rho >= USELESS_RHO:
        return Outcome(witness, f"refuted by {period} repeated input{'s' * (period > 1)}", outcome.attempts)
    least = min((each.rho for each in outcome.attempts), default=math.inf)
    gap = f"no bound for every s_0 has a ρ below {rho!r}, and none below {least!r} was proved: the gap is between them"
    return Outcome(None, f"{outcome.reason}; {gap}", outcome.attempts)


def _is_shown(certificate: Certificate, target: CertifiedCell) -> bool:
    try:
        verify(certificate, target, None, Inequalities())
    except (Refuted, Undecided):
        return False
    return True
