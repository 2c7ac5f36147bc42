r"""The checker: is a certificate what it says it is, and does what it says hold?

It shares no code with the prover beyond reading files, and believes no number of the witness: every inequality is
shown again
in exact integers and rationals. A change without a new digest is invalid; with one, the verdict is whether the claim
as written
follows from the witness as written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.certificate import ARITHMETIC, Certificate, Sealed, statement
from vanishgrad.certificates.checking import witness as demanded
from vanishgrad.certificates.checking.bilinear_form import bilinear
from vanishgrad.certificates.checking.enclosed_norms import enclosed_norms
from vanishgrad.certificates.checking.minimal_gate import as_gru
from vanishgrad.certificates.checking.periodic_orbit import periodic_orbit
from vanishgrad.certificates.checking.rates import GATED_ONLY, LOWER, RNN_ONLY, UPPER, RateClaim
from vanishgrad.certificates.checking.verdict import CertificateVerdict, Inequalities, Refuted, Undecided, Verification
from vanishgrad.certificates.checking.word_norms import word_norms
from vanishgrad.certificates.reading import beside, layer_subject, read_certificate, sequence
from vanishgrad.certificates.subject import CertifiedCell, digest_of

MAX_STEPS = 100_000
ENCLOSING = (("along", "bilinear"), ("enclosure", "enclosure"), ("words", "words"), ("refuted", "periodic_orbit"))
"""Kinds and methods whose checks run the cell."""


def check(path: str, weights: str | None = None) -> Verification:
    """Check a certificate's file against a file of weights: by default the one that it names.

    Raises
    ------
    VanishgradError
        If a file cannot be read, or the certificate's holds none.
    """
    read = read_certificate(path)
    named = beside(path, str(read.certificate.weights.get("file")))
    where = weights if weights is not None else named

    def subject() -> CertifiedCell:
        if weights is None and not os.path.exists(named):
            raise Undecided(f"the weights are there to compare with, {named}; try --check {path} WEIGHTS")
        return layer_subject(where, read.certificate.weights)

    def inputs() -> Array:
        file = str(demanded.mapping(read.certificate.claim, "inputs").get("file"))
        return sequence(beside(path, file))

    shown = Inequalities()
    try:
        _demand_sealed(read, shown)
        verify(read.certificate, subject(), inputs() if "inputs" in read.certificate.claim else None, shown)
    except Refuted as reason:
        return Verification(CertificateVerdict.INVALID, f"it does not hold that {reason}", tuple(shown.shown))
    except Undecided as reason:
        return Verification(CertificateVerdict.INCONCLUSIVE, f"it could not be shown that {reason}", tuple(shown.shown))
    return Verification(CertificateVerdict.VALID, read.certificate.statement, tuple(shown.shown))


def _demand_sealed(read: Sealed, shown: Inequalities) -> None:
    shown.demand(read.carried_digest == read.content_digest, "the content has the sha256 that it carries")
    shown.demand(read.stated == _statement(read.certificate), "the statement says what the numbers say")
    shown.demand(read.arithmetic == ARITHMETIC, "the rounding constants are those of float64")


def _statement(certificate: Certificate) -> str | None:
    try:
        return statement(certificate.claim, certificate.model)
    except (KeyError, TypeError):
        return None


def verify(certificate: Certificate, subject: CertifiedCell, xs: Array | None, shown: Inequalities) -> None:
    """Show every inequality that a certificate needs, for weights and inputs that are in memory.

    Raises
    ------
    Refuted, Undecided
        At the first that fails, or cannot be decided.
    """
    shown.demand(certificate.weights.get("sha256") == subject.sha256, "the weights have the sha256 that it names")
    shown.demand(dict(certificate.model) == subject.described, "the model is the one that it describes")
    subject = as_gru(subject, shown)
    kind, method = certificate.claim.get("kind"), certificate.method
    if (kind, method) in ENCLOSING:
        known = (subject.activation, subject.gate_activation) == ("tanh", "sigmoid")
        shown.demand(known or not subject.is_gated or None, "the gates are σ and the candidate tanh")
    if kind == "along" and method == "bilinear" and xs is not None:
        _along(certificate, subject, xs, shown)
        return
    if kind == "enclosure" and method == "enclosure" and xs is not None:
        _enclosure(certificate, subject, xs, shown)
        return
    if kind == "words" and method == "words" and xs is not None:
        _demand_rows(certificate.claim, subject, xs, shown)
        word_norms(subject, certificate.claim, xs, shown)
        return
    rows = _rows(certificate.claim, subject, xs, shown)
    if kind == "refuted" and method == "periodic_orbit":
        periodic_orbit(subject, certificate.claim, certificate.witness, shown, rows)
        return
    methods: dict[str, Any] = {"upper": UPPER, "lower": LOWER}.get(str(kind), {})
    fits = method in methods and method not in (RNN_ONLY if subject.is_gated else GATED_ONLY)
    shown.demand(fits, "the method proves this kind of claim")
    methods[method](subject, RateClaim(certificate.claim, rows), certificate.witness, shown)


def _along(certificate: Certificate, subject: CertifiedCell, xs: Array, shown: Inequalities) -> None:
    """‖J_{T:k}‖₂ ≥ |uᵀ J_{T:k} v| / (‖u‖₂ ‖v‖₂)."""
    claim = certificate.claim
    steps = demanded.count(claim, "steps", MAX_STEPS)
    start, value = demanded.count(claim, "start", max(0, steps - 1)), demanded.exact(claim, "value")
    named = demanded.mapping(claim, "inputs").get("sha256")
    shown.demand(xs.shape == (steps, subject.input_size), "the inputs have the shape that it names")
    shown.demand(named == digest_of({"inputs": xs}), "the inputs have the sha256 that it names")
    u, v = (demanded.vector(certificate.witness, name, subject.state_size) for name in "uv")
    form, error = bilinear(subject, xs, start, _starts(claim, subject, 1)[0], u, v)
    square = value**2 * _square(u) * _square(v)
    if (abs(form) + error) ** 2 < square:
        raise Refuted("|uᵀ J v| ≥ value ‖u‖ ‖v‖")
    shown.demand(_square(u) * _square(v) > 0, "u, v ≠ 0")
    shown.demand((abs(form) > error and (abs(form) - error) ** 2 >= square) or None, "|uᵀ J v| ≥ value ‖u‖ ‖v‖")


def _rows(claim: Mapping[str, Any], subject: CertifiedCell, xs: Array | None, shown: Inequalities) -> Array | None:
    """Return the rows among which, or in whose convex hull, a claim's inputs lie; None if it has only a bound."""
    among = claim.get("among")
    if among is None:
        return None
    if among not in ("rows", "hull") or xs is None:
        raise Refuted("inputs are among rows, or in their convex hull")
    _demand_rows(claim, subject, xs, shown)
    return xs


def _demand_rows(claim: Mapping[str, Any], subject: CertifiedCell, xs: Array, shown: Inequalities) -> None:
    named = demanded.mapping(claim, "inputs").get("sha256")
    shown.demand(len(xs) > 0 and xs.shape[1] == subject.input_size, "the inputs have the cell's width")
    shown.demand(named == digest_of({"inputs": xs}), "the inputs have the sha256 that it names")


def _enclosure(certificate: Certificate, subject: CertifiedCell, xs: Array, shown: Inequalities) -> None:
    """Show the bounds along each sequence, whose inputs stand one after the other."""
    claim, blocks = certificate.claim, certificate.witness.get("blocks")
    lengths, sequences = claim.get("lengths"), claim.get("sequences")
    if not isinstance(lengths, list) or not isinstance(sequences, list) or not 1 <= len(lengths) == len(sequences):
        raise Refuted("there are bounds for each sequence")
    counts = [demanded.count({"length": each}, "length", MAX_STEPS) for each in lengths]
    start, named = demanded.count(claim, "start", max(0, min(counts) - 1)), demanded.mapping(claim, "inputs")
    shown.demand(xs.shape == (sum(counts), subject.input_size), "the inputs have the shape that it names")
    shown.demand(named.get("sha256") == digest_of({"inputs": xs}), "the inputs have the sha256 that it names")
    parts, starts = np.split(xs, np.cumsum(counts)[:-1]), _starts(claim, subject, len(counts))
    for number, (part, s0, bounds) in enumerate(zip(parts, starts, sequences, strict=True)):
        of_blocks = blocks[number] if isinstance(blocks, list) and len(blocks) == len(counts) else []
        if not isinstance(of_blocks, list):
            raise Refuted("blocks begin after lags")
        lags = [demanded.count({"lag": each}, "lag", len(part)) for each in of_blocks]
        by_name = demanded.mapping({"bounds": bounds}, "bounds")
        enclosed_norms(subject, part, start, s0, by_name, shown, f"sequence {number}", [lag for lag in lags if lag > 0])


def _starts(claim: Mapping[str, Any], subject: CertifiedCell, count: int) -> Array:
    """Return where each of the sequences begins: at 0, unless the claim says it."""
    if "starts" not in claim:
        return np.zeros((count, subject.state_size))
    starts = demanded.vectors(claim, "starts", subject.state_size, count)
    if len(starts) != count:
        raise Refuted("there is a start for each sequence")
    return starts


def _square(x: Array) -> Fraction:
    return sum((Fraction(float(each)) ** 2 for each in np.asarray(x)), Fraction(0))
