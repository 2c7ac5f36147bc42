"""A request for a certificate in Coq, and for its check."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from vanishgrad.certificates.checking.verdict import Verification
from vanishgrad.certificates.formal.check import check
from vanishgrad.certificates.formal.prove import Formal, prove
from vanishgrad.certificates.prove import demanded
from vanishgrad.certificates.request import CertifyRequest
from vanishgrad.certificates.source import beside, of_source
from vanishgrad.certificates.subject import subject
from vanishgrad.errors import UsageError
from vanishgrad.weights.hints import flag

ENDING = ".v"


@dataclass(frozen=True, eq=False)
class FormallyCertified:
    """What a request ends with: the prover's outcome, and the files to write, by path; none if it is inconclusive."""

    outcome: Formal
    files: dict[str, bytes]


def certify_formally(request: CertifyRequest) -> FormallyCertified:
    """Prove what is asked for, and return the file for Coq with the weights of a MODEL beside it.

    Raises
    ------
    UsageError
        For a claim that is no upper bound for all inputs, a wrong MODEL or a missing bound of the inputs.
    VanishgradError
        For what depends on a file.
    """
    if request.claim != "upper" or request.is_along:
        raise UsageError(
            "expected --coq with an upper bound for all inputs; try it without --claim lower, --input and --along"
        )
    for name in ("length", "repeat", "embedding", "alphabet", "hull"):
        if getattr(request, name) is not None:
            raise UsageError(f"expected {flag(name)} with --output, got --coq, which refutes nothing; try without it")
    if not request.output.endswith(ENDING):
        raise UsageError(f"expected --coq FILE{ENDING}, got {request.output!r}; try {request.output}{ENDING}")
    layer = of_source(request)
    target = subject(layer.cell)
    outcome = prove(target, demanded(request.input_bound, target) if target.is_gated else None)
    if outcome.source is None:
        return FormallyCertified(outcome, {})
    return FormallyCertified(outcome, {**layer.files, request.output: outcome.source.text.encode()})


def check_formally(path: str, weights: str | None = None, **options: Any) -> Verification:
    """Check a file of Coq against one layer of a file of weights: by default of the one beside it.

    `options` are the layer and the hints, as for `CertifyRequest`.

    Raises
    ------
    UsageError
        If no weights are named and none lie beside the file.
    VanishgradError
        If a file cannot be read, or Coq is not installed.
    """
    own = beside(path, "weights.npz")
    if weights is None and not os.path.exists(own):
        raise UsageError(f"expected the weights that {path} speaks of; try --check {path} WEIGHTS")
    layer = of_source(CertifyRequest(weights or own, path, **options))
    return check(path, subject(layer.cell))
