"""The array API's linear algebra for arrays in extended range."""

from __future__ import annotations

import numpy as np

from vanishgrad.extended_range.array import ExtendedRange, scaled, shifted


def vector_norm(x: ExtendedRange, axis: int) -> ExtendedRange:
    """Return Euclidean norms."""
    top = x.e.max(axis=axis, keepdims=True)
    norms = np.linalg.vector_norm(shifted(x.m, x.e - top), axis=axis)
    return scaled(norms, np.squeeze(top, axis=axis))
