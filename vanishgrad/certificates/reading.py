"""The files that a certificate names: weights of one layer, inputs of one sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.certificate import MAX_BYTES, Sealed, parse_certificate
from vanishgrad.certificates.subject import CertifiedCell, subject
from vanishgrad.errors import VanishgradError
from vanishgrad.file_bytes import file_bytes
from vanishgrad.inputs.files import load_array
from vanishgrad.weights.hints import Hints
from vanishgrad.weights.recognition import recurrent_layers

LONGEST_WORD = 64

HINTS = {each.name for each in fields(Hints)} - {"ignore"}
"""What a certificate may say of how its file is read; never what was left out."""


def read_certificate(path: str) -> Sealed:
    """Return the certificate in a file.

    Raises
    ------
    VanishgradError
        If the file cannot be read or holds no certificate.
    """
    return parse_certificate(certificate_text(path), path)


def certificate_text(path: str) -> str:
    """Return the text of a certificate's file, of either kind.

    Raises
    ------
    VanishgradError
        If it cannot be read, or is too long.
    """
    try:
        return file_bytes(path, "a certificate", MAX_BYTES).decode()
    except UnicodeDecodeError:
        raise VanishgradError(
            f"expected a certificate in {path}, got bytes that are no UTF-8; try another file"
        ) from None


def layer_subject(path: str, weights: Mapping[str, Any]) -> CertifiedCell:
    """Return the layer of a file that a certificate names, read as the certificate says.

    Raises
    ------
    VanishgradError
        If the file cannot be read, or has no such layer.
    """
    hints = {
        name: value
        for name, value in dict(weights.get("hints", {})).items()
        if name in HINTS and isinstance(value, int | float if name == "forget_offset" else str)
    }
    layer = str(weights.get("layer"))
    layers = recurrent_layers(path, **hints).select([layer] if layer else [])
    named = [each for each in layers if each.name == layer] or list(layers)
    if len(named) != 1:
        raise VanishgradError(
            f"expected one layer {layer!r} in {path}, got {len(named)}; try the file that was certified"
        )
    return subject(named[0].build())


def sequence(path: str) -> Array:
    """Return the inputs (T, d) of a .npy file."""
    xs = load_array(path, "the certified inputs")
    if xs.ndim != 2 or not np.isfinite(xs).all():
        raise VanishgradError(
            f"expected finite inputs (T, d), got shape {xs.shape} in {path!r}; try the file beside the certificate"
        )
    return xs.astype(np.float64)


def word(path: str, width: int, bound: float | None) -> Array:
    """Return the inputs (p, d) that a file has repeated.

    Raises
    ------
    VanishgradError
        If the file holds none of that width, or they are not within the bound.
    """
    xs = np.atleast_2d(load_array(path, "inputs to repeat").astype(np.float64))
    if xs.ndim != 2 or not 1 <= len(xs) <= LONGEST_WORD or xs.shape[1] != width or not np.isfinite(xs).all():
        raise VanishgradError(
            f"expected finite inputs ({width},) or (p, {width}) with p up to {LONGEST_WORD}, got shape {xs.shape} in "
            f"{path!r}; try another --repeat"
        )
    if bound is not None and np.abs(xs).max() > bound:
        raise VanishgradError(
            f"expected inputs within --input-bound {bound:g}, got {np.abs(xs).max():.6g} in {path!r}; try a larger one"
        )
    return xs


def input_rows(path: str, width: int) -> Array:
    """Return the inputs (S, d) that a set is made of, in the file's order.

    Raises
    ------
    VanishgradError
        If the file holds none of that width.
    """
    rows = np.atleast_2d(load_array(path, "inputs").astype(np.float64))
    if rows.ndim == 3:
        rows = rows.reshape(-1, rows.shape[2])
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != width or not np.isfinite(rows).all():
        raise VanishgradError(
            f"expected finite inputs (S, {width}) or (B, T, {width}), got shape {rows.shape} in {path!r}; try the file "
            "that the layer is driven by"
        )
    return rows


def beside(certificate: str, name: str) -> str:
    """Return the path of a file that a certificate names, seen from the certificate's folder."""
    return str(Path(certificate).parent / name)
