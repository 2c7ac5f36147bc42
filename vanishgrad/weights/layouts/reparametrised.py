"""Weight dropping (AWD-LSTM): the trained matrix stands outside the wrapped module, under a name that ends in _raw."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from vanishgrad.weights.tensors import Tensor, derived

RAW = re.compile(r"(?P<path>(?:.*\.)?)(?P<name>(?:weight|bias)_(?:ih|hh|hr)(?:_l\d{1,4})?(?:_reverse)?)_raw")
WRAPPED = re.compile(r"(?P<outer>(?:.*\.)?)module\." + r"(?P<name>(?:weight|bias)_(?:ih|hh)_l\d{1,4}(?:_reverse)?)")


def undropped(free: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return, under the plain names, the ``_raw`` weights and the other weights of the module that they belong to."""
    return dict(_raw(free))


def shadowed(name: str, free: Mapping[str, Tensor]) -> bool:
    """Return whether a weight is the dropped copy of a ``_raw`` one further out."""
    match = WRAPPED.fullmatch(name)
    return bool(match and f"{match['outer']}{match['name']}_raw" in free)


def copies(stored: Collection[str], free: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield the names of the dropped copies of ``_raw`` weights, which the wrapped module keeps."""
    for name in stored:
        if match := RAW.fullmatch(name):
            copy = f"{match['path']}module.{match['name']}"
            if copy in free:
                yield copy


def _raw(free: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    dropped = set()
    for name, tensor in free.items():
        if match := RAW.fullmatch(name):
            plain = match["path"] + match["name"]
            dropped.add(match["path"])
            yield plain, derived(plain, tensor.shape, tensor.read, (tensor,))
    for name, tensor in free.items() if dropped else ():
        match = WRAPPED.fullmatch(name)
        if match and match["outer"] in dropped and not shadowed(name, free):
            yield match["outer"] + match["name"], derived(name, tensor.shape, tensor.read, (tensor,))
