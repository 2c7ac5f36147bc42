"""The prover: of the proofs found, the one that makes the gradient vanish soonest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.boxes import InputSet
from vanishgrad.certificates.certificate import Certificate
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.methods import LIPSCHITZ, Attempt, cone, gated_attempts, rnn_attempts
from vanishgrad.certificates.subject import LARGEST_WEIGHT, CertifiedCell, largest_weight, subject
from vanishgrad.errors import UsageError


class ProverVerdict(Enum):
    """What may be said of a claim."""

    PROVED = "proved"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the prover ends with: a certificate, or None and the reason, with all that it tried.

    Attributes
    ----------
    certificate : Certificate or None
        Of the claim, or that none with a smaller ρ can be; None: inconclusive.
    reason : str
        Why it is inconclusive, or what was proved.
    attempts : tuple of Attempt
    """

    certificate: Certificate | None
    reason: str
    attempts: tuple[Attempt, ...] = ()

    @property
    def verdict(self) -> ProverVerdict:
        """Whether it is proved, refuted or neither."""
        if self.certificate is None:
            return ProverVerdict.INCONCLUSIVE
        return ProverVerdict.REFUTED if self.certificate.claim["kind"] == "refuted" else ProverVerdict.PROVED


def upper(cell: Cell, input_bound: float | None = None, inputs: InputSet | None = None) -> Outcome:
    r"""Prove :math:`\|\partial s_t/\partial s_k\|_2 \le C\rho^{t-k}` with ρ < 1, for all inputs.

    Those of a gated cell are bounded, |x_j| ≤ `input_bound`, or lie in `inputs`.

    Raises
    ------
    VanishgradError
        For a cell that has no certificates.
    """
    target = subject(cell)
    if target.is_gated and inputs is None:
        inputs = InputSet(demanded(input_bound, target))
    unknown = beyond_proof(target)
    if unknown:
        return Outcome(None, unknown)
    form = equivalent_gru(target)
    with np.errstate(all="ignore"):
        attempts = tuple(rnn_attempts(form) if inputs is None else gated_attempts(form, inputs))
    best = min(attempts, key=lambda each: (each.vanishing_lag, each.rho), default=None)
    if best is None or not best.rho < 1:
        return Outcome(None, _no_contraction(target, best), attempts)
    claim = {"kind": "upper", "C": best.C, "rho": best.rho, **scope(inputs)}
    return Outcome(certificate(target, claim, best.method, best.witness), f"proved by {best.method}", attempts)


def lower(cell: Cell, input_bound: float | None, inputs: InputSet | None = None) -> Outcome:
    r"""Prove :math:`\|\partial s_t/\partial s_k\|_2 \ge \rho^{t-k}` for inputs |x_j| ≤ `input_bound` or in `inputs`.

    No direction of c (GRU, MGU: of h) dies faster.

    Raises
    ------
    VanishgradError
        For a cell that has no certificates.
    """
    target = subject(cell)
    if not target.is_gated:
        return Outcome(
            None,
            "an rnn has no lower bound for all inputs, large ones saturate it; try along one sequence with --input",
        )
    if inputs is None:
        inputs = InputSet(demanded(input_bound, target))
    if unknown := beyond_proof(target):
        return Outcome(None, unknown)
    with np.errstate(all="ignore"):
        attempt = cone(equivalent_gru(target), inputs)
    if attempt is None:
        return Outcome(
            None, "the gates of this box are not closed enough for the cone condition; try a smaller --input-bound"
        )
    claim = {"kind": "lower", "C": attempt.C, "rho": attempt.rho, **scope(inputs)}
    return Outcome(certificate(target, claim, attempt.method, attempt.witness), "proved by cone", (attempt,))


def scope(inputs: InputSet | None) -> dict[str, Any]:
    """Return what a claim says of its inputs; the caller adds the name and digest of a file of rows."""
    if inputs is None:
        return {"input_bound": None}
    if inputs.rows is None:
        return {"input_bound": inputs.bound}
    return {"input_bound": inputs.bound, "among": "hull" if inputs.is_hull else "rows", "inputs": {}}


def claimed_starts(starts: Sequence[Array] | Array | None) -> dict[str, list[list[float]]]:
    """Return what a claim along sequences says of their starts: nothing if each is 0."""
    return {} if starts is None else {"starts": [[float(each) for each in s0] for s0 in starts]}


def certificate(
    target: CertifiedCell, claim: Mapping[str, Any], method: str, witness: Mapping[str, Any]
) -> Certificate:
    """Return the certificate of a claim; the caller adds the names of the files."""
    return Certificate(
        claim, target.described, {"file": "", "layer": "", "hints": {}, "sha256": target.sha256}, method, witness
    )


def demanded(input_bound: float | None, target: CertifiedCell) -> float:
    """Return the bound of the inputs of a gated cell."""
    if input_bound is None or not 0 <= input_bound < math.inf:
        shown = "none" if input_bound is None else f"{input_bound:g}"
        raise UsageError(
            f"expected a finite --input-bound B for the cell {target.cell}, got {shown}: "
            "unbounded inputs can open every gate; try --input-bound 1"
        )
    return float(input_bound)


def beyond_proof(target: CertifiedCell) -> str:
    """Return a sentence if the cell has a function without bounds, or weights that are too large, else nothing."""
    if (largest := largest_weight(target.tensors)) > LARGEST_WEIGHT:
        return f"no proof is tried with weights above {LARGEST_WEIGHT:g}, and one is {largest:.3g}"
    if not target.is_gated:
        known = target.activation in LIPSCHITZ
    else:
        known = (target.activation, target.gate_activation) == ("tanh", "sigmoid")
    names = " and ".join(filter(None, (target.activation, target.gate_activation)))
    return "" if known else f"there is no enclosure of {names} for an {target.cell}; gated cells need tanh and sigmoid"


def _no_contraction(target: CertifiedCell, best: Attempt | None) -> str:
    if best is None:
        return "the forget gate may reach 1 in this box; try a smaller --input-bound"
    hint = "try a smaller --input-bound" if target.is_gated else "measure it instead: vanishgrad compare"
    return f"the least factor per step that could be proved is {best.rho:.6g} ({best.method}), not below 1; {hint}"
