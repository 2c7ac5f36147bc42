"""A request for a certificate: the argument as typed, and all options."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.certificate import Certificate
from vanishgrad.certificates.lower_bound_along_sequence import along
from vanishgrad.certificates.prove import Outcome, lower, upper
from vanishgrad.certificates.subject import digest_of
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import DEFAULT_STEPS, InputRequest, input_sequences
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import names_file, parse
from vanishgrad.weights.recognition import recurrent_layers
from vanishgrad.weights.save_npz import npz

CLAIMS = ("upper", "lower")


@dataclass(frozen=True)
class CertifyRequest:
    """Every option of a certificate.

    Attributes
    ----------
    source : str
        A MODEL, or a file of weights.
    output : str
        Where the certificate will be: names in it are seen from its folder, files beside it begin with its stem.
    claim : str
        ``upper``, or ``lower``: for all inputs, or along `input` if that is given.
    input_bound : float or None
        B: inputs |x_j| ≤ B. Gated cells need it.
    layer : str or None
        Which layer of the file.
    hidden, input_size, seed : int
        Of a MODEL.
    input : str or None
        ``white[:STD]``, ``zeros`` or a file: the claim is along this one sequence.
    steps : int or None
        Its length.
    start : int
        k of ∂s_T/∂s_k along it.
    hints : mapping of name → value
        As the options of formats; None where the file decides.
    """

    source: str
    output: str
    claim: str = "upper"
    input_bound: float | None = None
    layer: str | None = None
    hidden: int = 64
    input_size: int | None = None
    seed: int = 0
    input: str | None = None
    steps: int | None = None
    start: int = 0
    hints: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.claim not in CLAIMS:
            raise UsageError(f"expected --claim upper or lower, got {self.claim!r}")
        if self.input_bound is not None and self.input is not None:
            raise UsageError("expected --input-bound (all inputs) or --input (one sequence), got both; try one of them")


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
    found = of_source(request)
    files, xs = dict(found.files), None
    if request.input is None:
        outcome = (upper if request.claim == "upper" else lower)(found.cell, request.input_bound)
    else:
        xs = _inputs(request, found.cell.input_size)
        outcome = along(found.cell, xs, request.start)
    if outcome.certificate is None:
        return Certified(outcome, {})
    hints = {name: value for name, value in request.hints.items() if value not in (None, ())}
    named = {**outcome.certificate.weights, "file": found.name, "layer": found.layer, "hints": hints}
    certificate = replace(outcome.certificate, weights=named)
    if xs is not None:
        certificate, files[beside(request.output, "inputs.npy")] = _with_inputs(certificate, request, xs)
    files[request.output] = certificate.to_json().encode()
    return Certified(replace(outcome, certificate=certificate), files)


def beside(output: str, ending: str) -> str:
    """Return the path of a file beside a certificate: ``cert.json`` → ``cert.weights.npz``."""
    path = Path(output)
    return str(path.with_name(f"{path.stem}.{ending}"))


def of_source(request: CertifyRequest) -> Found:
    """Return the cell that a request is about."""
    return of_file(request) if names_file(request.source) else _of_model(request)


@dataclass(frozen=True, eq=False)
class Found:
    """A cell, the name of its file seen from the certificate's folder, its layer, and what to write beside it."""

    cell: Cell
    name: str
    layer: str
    files: dict[str, bytes]


def _of_model(request: CertifyRequest) -> Found:
    """Trial 0 of a MODEL, which is written beside the certificate, and read back from there by the checker."""
    spec = parse(request.source)
    resolved = spec.resolved(request.hidden, request.steps or DEFAULT_STEPS)
    if resolved.keys.get("untied"):
        raise UsageError(f"expected tied weights, got {request.source!r}; try it without untied=true")
    for name in set(request.hints) | {"layer"}:
        if request.hints.get(name) or (name == "layer" and request.layer):
            raise UsageError(
                f"expected --{name.replace('_', '-')} with a file, got the MODEL {request.source!r}; try without it"
            )
    width = request.input_size or resolved.keys["hidden"]
    weights = draw(resolved, width, DEFAULT_STEPS, 1, request.seed)
    path = beside(request.output, "weights.npz")
    cell = weights.cell(resolved)
    return Found(cell, os.path.basename(path), "", {path: npz(weights, resolved, request.seed, 0)})


def of_file(request: CertifyRequest) -> Found:
    """Return the one layer of a file that a request names."""
    layers = recurrent_layers(request.source, **request.hints).select([request.layer] if request.layer else [])
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
    name = os.path.relpath(request.source, Path(request.output).resolve().parent)
    return Found(layers[0].build(), Path(name).as_posix(), layers[0].name, {})


def _inputs(request: CertifyRequest, width: int) -> Array:
    """Return the sequence (T, d) of trial 0."""
    asked = InputRequest(str(request.input), request.steps, 1, width, 0, None, request.seed, "float64")
    return np.ascontiguousarray(input_sequences(asked, width).xs[0])


def _with_inputs(certificate: Certificate, request: CertifyRequest, xs: Array) -> tuple[Certificate, bytes]:
    """Return the certificate with the name and digest of its inputs, and their file."""
    buffer = io.BytesIO()
    np.save(buffer, xs)
    named = {"file": os.path.basename(beside(request.output, "inputs.npy")), "sha256": digest_of({"inputs": xs})}
    return replace(certificate, claim={**certificate.claim, "inputs": named}), buffer.getvalue()
