"""Flax: one small kernel for each gate (linen, nnx), or dense_i and dense_h (nnx)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import english
from vanishgrad.weights.folding import leaf_names
from vanishgrad.weights.gate_order import FLAX
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.shapes import fitted, require_floats
from vanishgrad.weights.tensors import Tensor, TensorFile, derived, shape_text, stacked

KERNEL = re.compile(r"(?P<path>(?:.*[./])?)(?P<module>hi|hr|hf|dense_h|h)(?P<tail>[./]kernel(?:[./](?:raw_)?value)?)")


@dataclass(frozen=True)
class Modules:
    """The small modules of a cell in the order i f g o, r z n, f n; and the cell, where shapes do not say it."""

    title: str
    recurrent: tuple[str, ...]
    inputs: tuple[str, ...]
    cell: str | None = None


MODULES_BY_NAME = {
    "hi": (
        Modules("LSTMCell", ("hi", "hf", "hg", "ho"), ("ii", "if", "ig", "io")),
        Modules("nnx.LSTMCell", ("hi", "hf", "hg", "ho"), ("ii", "if_", "ig", "io")),
    ),
    "hf": (Modules("MGUCell", ("hf", "hn"), ("if", "in"), "mgu"),),
    "hr": (Modules("GRUCell", ("hr", "hz", "hn"), ("ir", "iz", "in")),),
    "dense_h": (Modules("a cell of nnx", ("dense_h",), ("dense_i",)),),
    "h": (Modules("SimpleCell", ("h",), ("i",)),),
}
"""The module that gives a cell away → the cells that it may be."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each set of modules that makes a cell of Flax."""
    for name in free:
        match = KERNEL.fullmatch(name)
        if match is None:
            continue
        path, tail = match["path"], match["tail"]
        for modules in MODULES_BY_NAME.get(match["module"], ()):
            kernels = [f"{path}{each}{tail}" for each in (*modules.recurrent, *modules.inputs)]
            if all(each in free for each in kernels):
                biases = [each.replace("kernel", "bias") for each in kernels]
                claims = leaf_names(free[each] for each in (*kernels, *biases) if each in free)
                yield Sighting(_label(path), claims, partial(_layer, file, free, match, modules, hints), path)


def _label(path: str) -> str:
    segments = [each for each in re.split(r"[./]", path) if each]
    return ".".join(segments[:-1] if segments[-1:] == ["cell"] and len(segments) > 1 else segments)


def _layer(file: TensorFile, free: Mapping[str, Tensor], match: re.Match[str], modules: Modules, hints: Hints) -> Layer:
    path, tail = match["path"], match["tail"]
    roles: dict[str, Tensor] = {}
    for role, bias_role, names in (("W_hh", "b_h", modules.recurrent), ("W_hx", "b_x", modules.inputs)):
        kernels = [free[f"{path}{each}{tail}"] for each in names]
        roles[role] = _beside(kernels)
        biases = [free.get(kernel.name.replace("kernel", "bias")) for kernel in kernels]
        if any(biases):
            roles[bias_role] = _with_zeros(biases, kernels)
    require_floats(roles)
    # MGUCell gives `hn` a bias exactly where its gate resets.
    resets = modules.cell is None or "b_h" in roles
    layer = fitted(
        file, _label(path), roles, FLAX, hints,
        Stated(
            reset="after" if resets else "none",
            keep="old",
            layout="flax",
            cell=modules.cell,
            open=("activation", "gate_activation"),
        ),
        why=english("the modules {names} with kernels of {shape} make {module} of Flax",
                    names=" ".join((*modules.recurrent, *modules.inputs)), shape=shape_text(free[match[0]].shape),
                    module=modules.title),
        layout="flax",
    )  # fmt: skip
    return layer


def _beside(kernels: Sequence[Tensor]) -> Tensor:
    if len({each.shape for each in kernels}) > 1 or len(kernels[0].shape) != 2:
        raise Unreadable(
            f"expected matrices of one shape for the gates, got {', '.join(map(str, kernels))}; try the whole file"
        )
    return kernels[0] if len(kernels) == 1 else stacked(kernels[0].name, kernels)


def _with_zeros(biases: Sequence[Tensor | None], kernels: Sequence[Tensor]) -> Tensor:
    """Return the gates' biases one after the other, zero where a gate has none."""
    present = [bias for bias in biases if bias is not None]
    width = kernels[0].shape[1]
    for bias in present:
        if bias.shape != (width,):
            raise Unreadable(f"expected a bias of {width} beside {kernels[0]}, got {bias}; try the whole file")

    def read() -> Array:
        return np.concatenate(
            [np.zeros(width, present[0].read().dtype) if bias is None else bias.read() for bias in biases]
        )

    return derived(present[0].name, (width * len(biases),), read, present)
