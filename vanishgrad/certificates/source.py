"""What a certificate is about: a layer of a file, or trial 0 of a MODEL, with its inputs and the files beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.cells.own import OwnCell
from vanishgrad.certificates.subject import demand_provable
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.models.open import Opened, open_models
from vanishgrad.models.random_models import weights_of
from vanishgrad.models.subject import Prepared
from vanishgrad.weights.model_string import ModelSpec
from vanishgrad.weights.save_npz import cell_npz, npz

if TYPE_CHECKING:
    from vanishgrad.certificates.request import CertifyRequest
    from vanishgrad.weights.layers import LayerFile


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
    starts : (B, m) array or None
        Where each of them begins; None: at 0.
    tokens : list of (1, d) arrays
        The rows of its embedding, those within the bound of the inputs.
    name, layer : str
        Its file, and which layer of it.
    files : mapping
        What to write beside the certificate, by path.
    """

    cell: Cell
    sequences: list[Array]
    starts: Array | None
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
    sequences, starts = _along(next(opened.prepared_subjects()), request) if request.is_along else ([], None)
    cell = layers[0].build()
    tokens = _tokens(opened.file, layers[0].input_size, request) if not sequences and request.embedding else []
    if isinstance(request.source, Mapping):
        path = beside(request.output, "weights.npz")
        files = {path: cell_npz(cell, layers[0].name)}
        return CertifiedSource(cell, sequences, starts, tokens, os.path.basename(path), "", files)
    assert not isinstance(request.source, OwnCell)
    name = os.path.relpath(request.source, Path(request.output).resolve().parent)
    return CertifiedSource(cell, sequences, starts, tokens, Path(name).as_posix(), layers[0].name, {})


def _along(prepared: Prepared, request: CertifyRequest) -> tuple[list[Array], Array | None]:
    """Return the sequences, (T, d), that a claim is along, and where they begin."""
    if prepared.sequences.masked_steps:
        raise VanishgradError(
            f"expected sequences of which every step is taken to certify, got masked steps in {request.input!r}; try "
            "each sequence's own steps alone"
        )
    lengths, steps = prepared.sequences.lengths, prepared.sequences.steps
    sequences = [xs[steps - int(length) :] for xs, length in zip(prepared.sequences.xs, lengths, strict=True)]
    return sequences, _own_starts(prepared.s0)


def _own_starts(s0: Array) -> Array | None:
    """Return starts that are not all 0, as float64."""
    return s0.astype(np.float64) if s0.any() else None


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
    cell = weights.cell(spec).trial(0)
    if not request.is_along:
        return CertifiedSource(cell, [], None, [], os.path.basename(path), "", files)
    sequences = list(opened.sequences.xs)
    s0 = initial_state(request.initial, cell, spec.cell, len(sequences), request.seed, request.dtype)
    return CertifiedSource(cell, sequences, _own_starts(s0), [], os.path.basename(path), "", files)
