"""What a file may ask for: bounds in terms of its own size, so that a small file cannot cost much."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.tensors import shown

FREE_BYTES = 16 << 20
"""A compressed member may always expand to so much."""
EXPANSION = 20
"""Beyond that, to so many times its stored size: trained weights hardly compress, a bomb does a thousandfold."""
MAX_DIMENSIONS = 32
"""Axes of an array: the bound of NumPy 1, beyond which it cannot hold one."""


def require_plausible_expansion(path: str, name: str, stored: int, expanded: int) -> None:
    """Refuse a compressed part that grows beyond all proportion.

    Raises
    ------
    VanishgradError
        If `expanded` is over 16 MiB and over twenty times `stored`.
    """
    if expanded > max(FREE_BYTES, EXPANSION * stored):
        raise VanishgradError(
            f"expected weights, which hardly compress, got {path} with {shown(name)}, {stored} bytes that expand "
            f"to {expanded}; try saving the file without compression"
        )


def elements(path: str, name: str, shape: Sequence[object], most: int) -> int:
    """Return the product of a shape that a file declares, at most `most`.

    Raises
    ------
    VanishgradError
        If a size is negative or no integer, or if the product is larger than the file has room for.
    """
    plain = [size for size in shape if isinstance(size, int) and not isinstance(size, bool) and size >= 0]
    if len(plain) != len(shape) or len(shape) > MAX_DIMENSIONS:
        raise VanishgradError(
            f"expected a shape of at most {MAX_DIMENSIONS} sizes from 0 up, got {shown(str(list(shape[:40])))} "
            f"for tensor {shown(name)} of {path}; try saving the file again"
        )
    count = math.prod(plain)
    if count > most:
        raise VanishgradError(
            f"expected at most {most} elements for tensor {shown(name)}, which is what {path} has room for, "
            f"got {_short(count)}; the file is damaged or cut short, try copying it again"
        )
    return count


def _short(count: int) -> str:
    return str(count) if count < 10**15 else f"more than 10^{int(math.log10(count))}"
