"""The three verdicts on a bound for all inputs: proved, refuted with its witness, or the gap between both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.boxes import InputSet
from vanishgrad.certificates.certificate import Certificate
from vanishgrad.certificates.check import verify
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted, Undecided
from vanishgrad.certificates.prove import Outcome, beyond_proof, upper
from vanishgrad.certificates.refute import refutations
from vanishgrad.certificates.subject import CertifiedCell, digest_of, subject

USELESS_RHO = 0.999
"""From here on a bound ρ^lag takes over 1000 steps to fall by e: that none below can hold is the answer."""


def decided(
    cell: Cell, input_bound: float | None = None, words: Sequence[Array] = (), inputs: InputSet | None = None
) -> Outcome:
    r"""Decide whether :math:`\|\partial s_t/\partial s_k\|_2 \le C\rho^{t-k}` can be proved with a ρ < 1.

    Inputs are bounded by `input_bound`, any where that is None, or lie in `inputs`. For a refutation the inputs of
    `words` (p, d) are repeated, and zero and constants within a bound; the checker has shown it before it is handed on.

    Raises
    ------
    VanishgradError
        For a cell that has no certificates.
    """
    outcome, target = upper(cell, input_bound, inputs), subject(cell)
    if outcome.certificate is not None or beyond_proof(target):
        return outcome
    witness = next(
        (each for each in refutations(cell, input_bound, words, inputs) if _is_shown(each, target, inputs)), None
    )
    least = min((each.rho for each in outcome.attempts), default=math.inf)
    if witness is None:
        gap = f"no repeated input refutes a ρ, and none below {least!r} was proved: the gap is from 0 to that"
        return Outcome(None, f"{outcome.reason}; {gap}", outcome.attempts)
    rho, period = witness.claim["rho"], len(witness.witness["word"])
    if rho >= USELESS_RHO:
        return Outcome(witness, f"refuted by {period} repeated input{'s' * (period > 1)}", outcome.attempts)
    gap = f"no bound for every s_0 has a ρ below {rho!r}, and none below {least!r} was proved: the gap is between them"
    return Outcome(None, f"{outcome.reason}; {gap}", outcome.attempts)


def _is_shown(certificate: Certificate, target: CertifiedCell, inputs: InputSet | None) -> bool:
    rows = None if inputs is None else inputs.rows
    if rows is not None:
        named = {"inputs": {"file": "", "sha256": digest_of({"inputs": rows})}}
        certificate = replace(certificate, claim={**certificate.claim, **named})
    try:
        verify(certificate, target, rows, Inequalities())
    except (Refuted, Undecided):
        return False
    return True
