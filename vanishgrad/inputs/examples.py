"""Sequences with targets in a .npz file: x, y and perhaps a mask."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.files import load_archive


def read_examples(path: str) -> tuple[Array, Array, Array | None]:
    """Return x (N, T, d) of numbers or (N, T) of token ids, y (N, …) and mask (N, L) or None.

    Raises
    ------
    VanishgradError
        If the file cannot be read or does not hold them.
    """
    arrays = load_archive(path, "x, y and perhaps mask", ("x", "y", "mask"))
    if missing := [name for name in ("x", "y") if name not in arrays]:
        raise VanishgradError(
            f"expected the arrays x and y in {path!r}, got no {missing[0]}; try numpy.savez(x=…, y=…)"
        )
    _demand_numbers(arrays, path)
    x, y = arrays["x"], arrays["y"]
    if x.ndim not in (2, 3) or (x.ndim == 2 and x.dtype.kind not in "iu") or 0 in x.shape:
        raise VanishgradError(
            f"expected x as (N, T, d) numbers or (N, T) token ids in {path!r}, got {x.dtype} {x.shape}; "
            "try x.reshape(N, T, d)"
        )
    if y.ndim < 1 or len(y) != len(x) or 0 in y.shape:
        raise VanishgradError(f"expected a target for each of {len(x)} sequences in {path!r}, got y {y.shape}")
    return x, y, arrays.get("mask")


def _demand_numbers(arrays: dict[str, Array], path: str) -> None:
    for name, values in arrays.items():
        if values.dtype.kind not in "iufb":
            raise VanishgradError(f"expected {name} as real numbers in {path!r}, got {values.dtype}; try astype(float)")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise VanishgradError(f"expected finite numbers as {name} in {path!r}, got NaN or an infinity")
        if values.dtype.kind in "iu" and name != "mask" and values.size and values.min() < 0:
            raise VanishgradError(f"expected {name} from 0 on in {path!r}, got {values.min()}; try subtracting it")
