"""A request for a certificate: the argument as typed, and all options."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field, replace

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.own import OwnCell
from vanishgrad.certificates.boxes import InputSet
from vanishgrad.certificates.certificate import Certificate
from vanishgrad.certificates.decide import decided
from vanishgrad.certificates.enclosure_along_sequence import enclosed
from vanishgrad.certificates.lower_bound_along_sequence import along
from vanishgrad.certificates.prove import Outcome, lower
from vanishgrad.certificates.reading import input_rows, word
from vanishgrad.certificates.source import CertifiedSource, beside, of_source
from vanishgrad.certificates.subject import digest_of, subject
from vanishgrad.certificates.word_norms import word_norms
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputRequest
from vanishgrad.models.open import Source, holds_weights
from vanishgrad.models.options import ModelOptions
from vanishgrad.weights.hints import flag
from vanishgrad.weights.model_string import names_own_cell

CLAIMS = ("upper", "lower")


ALL_INPUTS = "all"
"""The input of a claim about all input sequences."""
ALONG = ("start", "stack", "initial")
"""The options that speak of one input sequence; a MODEL's chrono law takes its `steps` from the others."""


@dataclass(frozen=True)
class CertifyRequest(ModelOptions):
    """Every option of a certificate.

    Attributes
    ----------
    source : str, path or mapping
        A MODEL, a file of weights, name → array, or a captured run; the weights of the last two are written beside.
    output : str
        Where the certificate will be: names in it are seen from its folder, files beside it begin with its stem.
    claim : str
        ``upper``, or ``lower``: for all inputs, or along `input` if that is one.
    input_bound : float or None
        B: inputs |x_j| ≤ B. Gated cells need it.
    input : str
        ``all``, or as for every command: the claim is then along the first sequence, of length `steps`.
    along : str or None
        The input sequences, as for every command, along which norms are enclosed from both sides, all of them; with
        ``white``, one.
    start : int
        k of ∂s_T/∂s_k along `input`; the least k along `along`.
    alphabet, hull : str or None
        A file (S, d) of inputs: the claim is about sequences of its rows, or of anything in their convex hull. So it
        is about sequences of the rows of `embedding` where there is no `input_bound`.
    length : int or None
        L: the claim is about ‖∂s_L/∂s_0‖₂ of all words of L rows of `alphabet`, or of `embedding`.
    repeat : str or None
        A file (d,) or (p, d) of inputs: a refutation repeats it too, beside zero and constants. So are the rows of
        `embedding`, each alone.
    """

    UNUSED = ("trials", "burn_in", "lengths", "padding", "mask", "dtype")

    source: Source
    output: str
    claim: str = "upper"
    input_bound: float | None = None
    input: str = field(default=ALL_INPUTS, kw_only=True)
    along: str | None = None
    start: int = 0
    repeat: str | None = None
    alphabet: str | None = None
    length: int | None = None
    hull: str | None = None

    def __post_init__(self) -> None:
        if self.along is not None:
            if self.input not in (ALL_INPUTS, self.along):
                raise UsageError("expected --along or --input, got both; try --along alone")
            object.__setattr__(self, "input", self.along)
        super().__post_init__()
        if isinstance(self.source, OwnCell) or names_own_cell(self.source):
            raise UsageError(
                f"expected a MODEL or weights to certify, got the cell of one's own {self.source}; "
                "try vanishgrad verify"
            )
        if self.along is not None and self.claim != "upper":
            raise UsageError("expected --along, which has both sides, or --claim lower, got both; try --along alone")
        if self.claim not in CLAIMS:
            raise UsageError(f"expected --claim upper or lower, got {self.claim!r}")
        if self.input_bound is not None and not self.input_bound >= 0:
            raise UsageError(f"expected --input-bound from 0 on, got {self.input_bound:g}; try --input-bound 1")
        self._demand_words()
        sets = [name for name in ("input_bound", "alphabet", "hull") if getattr(self, name) is not None]
        if len(sets) > 1 or (sets and self.is_along and sets[0] != "input_bound"):
            others = " and ".join(map(flag, [*sets, *(["input"] if self.is_along else [])]))
            raise UsageError(f"expected one set of inputs, got {others}; try one of them")
        if self.input_bound is not None and self.is_along:
            raise UsageError("expected --input-bound (all inputs) or --input (one sequence), got both; try one of them")
        if self.repeat is not None and (self.is_along or self.claim != "upper"):
            raise UsageError("expected --repeat with an upper bound for all inputs, got another claim; try without it")
        if self.embedding is not None and self.claim != "upper" and not self.is_along:
            raise UsageError("expected --embedding with --input or --claim upper, got --claim lower; try without it")
        for name in () if self.is_along else (*ALONG, *(("steps",) if holds_weights(self.source) else ())):
            if getattr(self, name) not in (None, 0, (), "zeros"):
                raise UsageError(
                    f"expected --input or --along with {flag(name)}, got a claim about all; try --input white"
                )

    def _demand_words(self) -> None:
        if self.length is None:
            return
        if self.alphabet is None and self.embedding is None:
            raise UsageError("expected --length with --alphabet or --embedding, got neither; try --alphabet FILE")
        for name in ("hull", "input_bound", "repeat"):
            if getattr(self, name) is not None:
                raise UsageError(f"expected --length alone with its rows, got {flag(name)} too; try without it")
        if self.is_along or self.claim != "upper":
            raise UsageError("expected --length, which is about all words, got another claim; try without the latter")

    @property
    def is_along(self) -> bool:
        """Whether the claim is along one input sequence."""
        return self.input != ALL_INPUTS

    def shared_input(self) -> InputRequest:
        """Return one sequence; of a claim about all, the one whose length a MODEL's law takes."""
        one = replace(super().shared_input(), trials=self._sequences, repeated=self.along is None)
        return one if self.is_along else replace(one, source="white")

    def layer_input(self) -> InputRequest:
        """Return one sequence."""
        return replace(super().layer_input(), trials=self._sequences)

    @property
    def _sequences(self) -> int | None:
        """How many sequences are read: one, or all of a file."""
        return 1 if self.along is None or self.is_noise else None


@dataclass(frozen=True, eq=False)
class Certified:
    """What a request ends with: the prover's outcome, and the files to write, by path; none if it is inconclusive."""

    outcome: Outcome
    files: dict[str, bytes]


def certify(request: CertifyRequest) -> Certified:
    """Prove what is asked for, and return the certificate with the files that belong beside it.

    Raises
    ------
    UsageError
        For a wrong MODEL or a combination of options that cannot be.
    VanishgradError
        For what depends on a file.
    """
    target = of_source(request)
    files, sequences = dict(target.files), target.sequences
    if request.length is not None:
        sequences = [_alphabet(target, request)]
        outcome = word_norms(target.cell, sequences[0], request.length)
    elif not sequences:
        inputs = _inputs(target, request)
        if inputs is not None and inputs.rows is not None:
            sequences = [inputs.rows]
        if request.claim == "lower":
            outcome = lower(target.cell, request.input_bound, inputs)
        else:
            outcome = _decided(target, request, inputs)
    elif request.along is not None:
        outcome = enclosed(target.cell, sequences, request.start, target.starts)
    else:
        outcome = along(target.cell, sequences[0], request.start, None if target.starts is None else target.starts[0])
    if outcome.certificate is None:
        return Certified(outcome, {})
    given = {} if files else request.hints  # weights that are written beside it stand there as they were read
    hints = {name: value for name, value in given.items() if value not in (None, ()) and value is not False}
    named = {**outcome.certificate.weights, "file": target.name, "layer": target.layer, "hints": hints}
    certificate = replace(outcome.certificate, weights=named)
    if sequences:
        xs = np.concatenate(sequences)
        certificate, files[beside(request.output, "inputs.npy")] = _with_inputs(certificate, request, xs)
    files[request.output] = certificate.to_json().encode()
    return Certified(replace(outcome, certificate=certificate), files)


def _alphabet(target: CertifiedSource, request: CertifyRequest) -> Array:
    """Return the rows that words are made of, in the order of their file."""
    if request.alphabet is not None:
        return input_rows(request.alphabet, target.cell.input_size)
    return np.concatenate(target.tokens)


def _inputs(target: CertifiedSource, request: CertifyRequest) -> InputSet | None:
    """Return the set of inputs that a claim is about; None where --input-bound says it, and for an RNN: all."""
    path = request.alphabet or request.hull
    if not subject(target.cell).is_gated:
        if path is not None:
            raise UsageError(
                "expected --alphabet or --hull with a gated cell, got an rnn, whose bound holds for every input; "
                "try it without"
            )
        return None
    if path is not None:
        rows = np.unique(input_rows(path, target.cell.input_size), axis=0)
    elif request.embedding is not None and request.input_bound is None:
        rows = np.unique(np.concatenate(target.tokens), axis=0)
    else:
        return None
    return InputSet(float(np.abs(rows).max()), rows, request.hull is not None)


def _decided(target: CertifiedSource, request: CertifyRequest, inputs: InputSet | None) -> Outcome:
    bound, words = request.input_bound, list(target.tokens)
    if inputs is not None and inputs.rows is not None:
        bound, words = inputs.bound, [row[None] for row in inputs.rows]
    if request.repeat is not None:
        repeated = word(request.repeat, target.cell.input_size, bound)
        if inputs is not None and not inputs.holds(repeated):
            raise VanishgradError(
                f"expected inputs of the set to repeat, got others in {request.repeat!r}; try another --repeat"
            )
        words.append(repeated)
    return decided(target.cell, bound, words, inputs)


def _with_inputs(certificate: Certificate, request: CertifyRequest, xs: Array) -> tuple[Certificate, bytes]:
    """Return the certificate with the name and digest of its inputs, and their file."""
    buffer = io.BytesIO()
    np.save(buffer, xs)
    named = {"file": os.path.basename(beside(request.output, "inputs.npy")), "sha256": digest_of({"inputs": xs})}
    return replace(certificate, claim={**certificate.claim, "inputs": named}), buffer.getvalue()
