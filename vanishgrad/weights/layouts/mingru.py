"""minGRU-pytorch: one matrix for candidate and gates, to_hidden_and_gate.weight, or to_hidden_and_f_i_gate.weight."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from vanishgrad.languages import english
from vanishgrad.weights.hints import Hints, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.saved import own_layer
from vanishgrad.weights.tensors import Tensor, TensorFile, derived

LAYOUT = "mingru"
NAMES = re.compile(r"(?P<module>(?:.*\.)?)to_hidden_and_(?P<gates>gate|f_i_gate)\.weight")
CELLS = {"gate": ("mingru", 2), "f_i_gate": ("minlstm", 3)}


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each such matrix; to_out, which reads the state out, stands outside the recurrence."""
    for name, tensor in free.items():
        if match := NAMES.fullmatch(name):
            path, module = match["module"].rstrip("."), match["module"]
            yield Sighting(path, (name,), partial(_layer, file, path, match["gates"], tensor, hints), module)


def _layer(file: TensorFile, path: str, gates: str, tensor: Tensor, hints: Hints) -> Layer:
    cell, count = CELLS[gates]
    if len(tensor.shape) != 2 or tensor.shape[0] % count or 0 in tensor.shape:
        raise Unreadable(f"expected a matrix of {count}·n rows, got {tensor}; try the whole state_dict")
    rows, d = tensor.shape
    none = derived("bias", (rows,), lambda: np.zeros(rows), (tensor,))
    return own_layer(
        file, path, cell, {"W_hx": tensor, "b": none}, hints,
        layout=LAYOUT, n=rows // count, d=d,
        why=english("{tensor} is minGRU-pytorch's name for candidate and gates", tensor=tensor),
    )  # fmt: skip
