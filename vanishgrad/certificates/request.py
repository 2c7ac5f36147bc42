"""A request for a certificate: the argument as typed, and all options."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.cells.own import OwnCell
from vanishgrad.certificates.certificate import Certificate
from vanishgrad.certificates.decide import decided
from vanishgrad.certificates.enclosure_along_sequence import enclosed
from vanishgrad.certificates.lower_bound_along_sequence import along
from vanishgrad.certificates.prove import Outcome, lower
from vanishgrad.certificates.reading import word
from vanishgrad.certificates.subject import demand_provable, digest_of
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputRequest
from vanishgrad.models.open import Opened, Source, holds_weights, open_models
from vanishgrad.models.options import ModelOptions
from vanishgrad.models.random_models import weights_of
from vanishgrad.models.subject import Prepared
from vanishgrad.weights.hints import flag
from vanishgrad.weights.model_string import ModelSpec, names_own_cell
from vanishgrad.weights.save_npz import cell_npz, npz

if TYPE_CHECKING:
    from vanishgrad.weights.layers import LayerFile

CLAIMS = ("upper", "lower")


ALL_INPUTS = "all"
"""The input of a claim about all input sequences."""
ALONG = ("start", "stack")
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
    repeat : str or None
        A file (d,) or (p, d) of inputs: a refutation repeats it too, beside zero and constants. So are the rows of
        `embedding`, each alone.
    """

    UNUSED = ("trials", "initial", "burn_in", "lengths", "padding", "mask", "dtype")

    source: Source
    output: str
    claim: str = "upper"
    input_bound: float | None = None
    input: str = field(default=ALL_INPUTS, kw_only=True)
    along: str | None = None
    start: int = 0
    repeat: str | None = None

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
        if self.input_bound is not None and self.is_along:
            raise UsageError("expected --input-bound (all inputs) or --input (one sequence), got both; try one of them")
        if self.repeat is not None and (self.is_along or self.claim != "upper"):
            raise UsageError("expected --repeat with an upper bound for all inputs, got another claim; try without it")
        if self.embedding is not None and self.claim != "upper" and not self.is_along:
            raise UsageError("expected --embedding with --input or --claim upper, got --claim lower; try without it")
        for name in () if self.is_along else (*ALONG, *(("steps",) if holds_weights(self.source) else ())):
            if getattr(self, name):
                raise UsageError(f"expected --input with {flag(name)}, got a claim about all; try --input white")

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
    if not sequences:
        outcome = lower(target.cell, request.input_bound) if request.claim == "lower" else _decided(target, request)
    elif request.along is not None:
        outcome = enclosed(target.cell, sequences, request.start)
    else:
        outcome = along(target.cell, sequences[0], request.start)
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


def _decided(target: CertifiedSource, request: CertifyRequest) -> Outcome:
    bound, words = request.input_bound, list(target.tokens)
    if request.repeat is not None:
        words.append(word(request.repeat, target.cell.input_size, bound))
    return decided(target.cell, bound, words)


def beside(output: str, ending: str) -> str:
    """Return the path of a file beside a certificate: ``cert.json`` → ``cert.weights.npz``."""
    path = Path(output)
    return str(path.with_name(f"{path.stem}.{ending}"))


@dataclass(frozen=True, eq=False)
class CertifiedSource:
    """What a certificate is about: a cell along inputs, seen from the certificate's folder.

    Attributes
    ----------
    cell : Cell
    sequences : list of (T, d) arrays
        The input sequences, if the claim is along some.
    tokens : list of (1, d) arrays
        The rows of its embedding, those within the bound of the inputs.
    name, layer : str
        Its file, and which layer of it.
    files : mapping
        What to write beside the certificate, by path.
    """

    cell: Cell
    sequences: list[Array]
    tokens: list[Array]
    name: str
    layer: str
    files: dict[str, bytes]


def of_source(request: CertifyRequest) -> CertifiedSource:
    """Return the one layer of a file that a request names, or trial 0 of its MODEL.

    The MODEL's weights are written beside the certificate, and read back from there by the checker.
    """
    (opened,) = open_models([request.source], request)
    if opened.file is None:
        return _of_model(opened, request)
    layers = opened.file.select(request.layer)
    if len(layers) != 1:
        names = ", ".join(each.name for each in layers)
        raise VanishgradError(
            f"expected one layer of {request.source}, got {len(layers)} ({names}); try --layer {layers[0].name}"
        )
    if layers[0].without:
        raise VanishgradError(
            f"expected a layer that is wholly understood to certify, got {layers[0].name} read without "
            f"{', '.join(layers[0].without)}; try it without --ignore"
        )
    demand_provable(layers[0].cell)
    if layers[0].masked_by:
        raise VanishgradError(
            f"expected a layer that takes every step to certify, got {layers[0].name} behind {layers[0].masked_by}: a "
            "masked step hands the state on, and no bound by lag holds; try a model without it"
        )
    sequences = _along(next(opened.prepared_subjects()), request) if request.is_along else []
    cell = layers[0].build()
    tokens = _tokens(opened.file, layers[0].input_size, request) if not sequences and request.embedding else []
    if isinstance(request.source, Mapping):
        path = beside(request.output, "weights.npz")
        files = {path: cell_npz(cell, layers[0].name)}
        return CertifiedSource(cell, sequences, tokens, os.path.basename(path), "", files)
    assert not isinstance(request.source, OwnCell)
    name = os.path.relpath(request.source, Path(request.output).resolve().parent)
    return CertifiedSource(cell, sequences, tokens, Path(name).as_posix(), layers[0].name, {})


def _along(prepared: Prepared, request: CertifyRequest) -> list[Array]:
    """Return the sequences, (T, d), that a claim is along; the claim begins with s_0 = 0."""
    if prepared.s0.any():
        raise UsageError("expected a captured run that starts from 0 for a claim along it, got a start of its own; "
                         "try --input with the sequence alone")  # fmt: skip
    if prepared.sequences.masked_steps:
        raise VanishgradError(
            f"expected sequences of which every step is taken to certify, got masked steps in {request.input!r}; try "
            "each sequence's own steps alone"
        )
    lengths, steps = prepared.sequences.lengths, prepared.sequences.steps
    return [xs[steps - int(length) :] for xs, length in zip(prepared.sequences.xs, lengths, strict=True)]


def _tokens(file: LayerFile, width: int, request: CertifyRequest) -> list[Array]:
    assert request.embedding is not None
    rows, bound = file.embedding(request.embedding), request.input_bound
    if rows.shape[1] != width or not np.isfinite(rows).all():
        raise VanishgradError(
            f"expected an embedding with finite rows of {width} numbers, got {rows.shape[1]} in {request.embedding}; "
            "try that of this layer"
        )
    return [row[None] for row in rows if bound is None or np.abs(row).max() <= bound]


def _of_model(opened: Opened, request: CertifyRequest) -> CertifiedSource:
    assert isinstance(opened.argument, ModelSpec) and opened.sequences is not None
    if opened.argument.keys.get("untied"):
        raise UsageError(f"expected tied weights, got {request.source!r}; try it without untied=true")
    spec, weights = weights_of(opened.argument, opened.options, opened.sequences)
    path = beside(request.output, "weights.npz")
    files = {path: npz(weights, spec, request.seed, 0)}
    sequences = list(opened.sequences.xs) if request.is_along else []
    return CertifiedSource(weights.cell(spec).trial(0), sequences, [], os.path.basename(path), "", files)


def _with_inputs(certificate: Certificate, request: CertifyRequest, xs: Array) -> tuple[Certificate, bytes]:
    """Return the certificate with the name and digest of its inputs, and their file."""
    buffer = io.BytesIO()
    np.save(buffer, xs)
    named = {"file": os.path.basename(beside(request.output, "inputs.npy")), "sha256": digest_of({"inputs": xs})}
    return replace(certificate, claim={**certificate.claim, "inputs": named}), buffer.getvalue()
