"""Weights that PyTorch stores in pieces, folded into the matrix that the layer uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.weights.tensors import Tensor, derived

WEIGHT = r"(?P<path>(?:.*\.)?)(?P<name>(?:weight|bias)_(?:ih|hh|hr)(?:_l\d{1,4})?(?:_reverse)?)"
NORMED = re.compile(WEIGHT + r"_g")
PARAMETRIZED = re.compile(
    r"(?P<path>(?:.*\.)?)parametrizations\.(?P<name>(?:weight|bias)_(?:ih|hh|hr)(?:_l\d{1,4})?(?:_reverse)?)\.original0"
)
RAW = re.compile(WEIGHT + r"_raw")
WRAPPED = re.compile(r"(?P<outer>(?:.*\.)?)module\." + r"(?P<name>(?:weight|bias)_(?:ih|hh)_l\d{1,4}(?:_reverse)?)")
UNFOLDED = re.compile(
    r"(?P<path>(?:.*\.)?)(?:weight_hh(?:_l\d{1,4})?(?:_reverse)?_orig|parametrizations\.weight_hh\w*\.original)"
)


def folded(free: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return, under the plain names, what weight normalisation and weight dropping keep in pieces.

    Weight normalisation: W = g v / ‖v‖, the norm over the axes along which g is 1. Weight dropping (AWD-LSTM): the
    ``_raw`` matrix is the trained one; the other weights stay with the wrapped module.
    """
    return {**dict(_normed(free)), **dict(_raw(free))}


def shadowed(name: str, free: Mapping[str, Tensor]) -> bool:
    """Return whether a weight is the dropped copy of a ``_raw`` one further out."""
    found = WRAPPED.fullmatch(name)
    return bool(found and f"{found['outer']}{found['name']}_raw" in free)


def copies(stored: Collection[str], free: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield the names of the dropped copies of ``_raw`` weights, which the wrapped module keeps."""
    for name in stored:
        if found := RAW.fullmatch(name):
            copy = f"{found['path']}module.{found['name']}"
            if copy in free:
                yield copy


def _normed(free: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name in free:
        for pattern, other in ((NORMED, "_v"), (PARAMETRIZED, "1")):
            if (found := pattern.fullmatch(name)) and (partner := name[: -len(other)] + other) in free:
                plain, g, v = found["path"] + found["name"], free[name], free[partner]
                if _is_norm_of(g.shape, v.shape):
                    yield plain, derived(plain, v.shape, partial(_product, g, v), (g, v))


def _is_norm_of(g: tuple[int, ...], v: tuple[int, ...]) -> bool:
    return not g or (len(g) == len(v) and all(norm in (1, size) for norm, size in zip(g, v, strict=True)))


def _product(g: Tensor, v: Tensor) -> Array:
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        length, direction = g.read().astype(np.float64), v.read().astype(np.float64)
        over = tuple(axis for axis in range(direction.ndim) if length.ndim == 0 or length.shape[axis] == 1)
        normed: Array = direction * (length / np.sqrt(np.sum(direction**2, axis=over, keepdims=True)))
    return normed


def _raw(free: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    dropped = set()
    for name, tensor in free.items():
        if found := RAW.fullmatch(name):
            plain = found["path"] + found["name"]
            dropped.add(found["path"])
            yield plain, derived(plain, tensor.shape, tensor.read, (tensor,))
    for name, tensor in free.items() if dropped else ():
        found = WRAPPED.fullmatch(name)
        if found and found["outer"] in dropped and not shadowed(name, free):
            yield found["outer"] + found["name"], derived(name, tensor.shape, tensor.read, (tensor,))
