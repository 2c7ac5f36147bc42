"""Chainer: L.NStepLSTM and L.NStepGRU with a matrix for each gate, L.LSTM and L.StatelessLSTM with interleaved gates.

NStepLSTM: layer K has w0 … w3 for x and w4 … w7 for h, gates i f g o, and b0 … b7; NStepGRU w0 … w2 and w3 … w5, gates
r z n, the reset gate after the product. StatelessLSTM: upward/W, upward/b, lateral/W, whose row 4k + j is unit k of
gate j of g i f o.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from vanishgrad.cells.activations import SIGMOID, TANH
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import CHAINER, PYTORCH, Stacking
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.conventions import gates_apart, joined
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text

NSTEP = re.compile(r"(?P<path>(?:.*/)?)(?P<index>\d{1,4})/w0")
NUMBERED = {4: "lstm", 3: "gru"}
"""Number of gates → the cell of an NStep link."""
LATERAL = re.compile(r"(?P<path>(?:.*/)?)lateral/W")


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each layer of an NStep link and for each lateral matrix of an LSTM."""
    for name in free:
        if match := NSTEP.fullmatch(name):
            yield from _stepped(file, match, free, hints)
        elif (match := LATERAL.fullmatch(name)) and f"{match['path']}upward/W" in free:
            names = {"W_hh": "lateral/W", "W_hx": "upward/W", "b_x": "upward/b", "b_h": "lateral/b"}
            roles = {role: free[match["path"] + each] for role, each in names.items() if match["path"] + each in free}
            label = match["path"].strip("/").replace("/", ".")
            claims = tuple(each.name for each in roles.values())
            yield Sighting(label, claims, partial(_interleaved, file, label, roles, hints), match["path"])


def _stepped(file: TensorFile, match: re.Match[str], free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield the layer of a module whose matrices are numbered, if they are as many as a gated cell has."""
    module, path = match[0].removesuffix("w0"), match["path"].strip("/").replace("/", ".")
    weights, biases = ([free[each] for k in range(9) if (each := f"{module}{kind}{k}") in free] for kind in ("w", "b"))
    gates = len(weights) // 2
    if len(weights) != 2 * gates or gates not in NUMBERED:
        return
    index, label = int(match["index"]), module.strip("/").replace("/", ".")
    claims = tuple(each.name for each in (*weights, *biases))
    yield Sighting(label, claims, partial(_numbered, file, label, path, index, weights, biases, hints), module)


def _numbered(
    file: TensorFile, label: str, path: str, index: int, weights: list[Tensor], biases: list[Tensor], hints: Hints
) -> Layer:
    gates = len(weights) // 2
    for group in (weights[:gates], weights[gates:], biases):
        if len({each.shape for each in group}) > 1 or (group is biases and len(group) not in (0, 2 * gates)):
            raise Unreadable(f"expected tensors of one shape for the gates, got {', '.join(map(str, group))}")
    roles = {"W_hx": joined(weights[:gates]), "W_hh": joined(weights[gates:])}
    if biases:
        roles |= {"b_x": joined(biases[:gates]), "b_h": joined(biases[gates:])}
    why = english(
        "{first} … {last} are numbered as in Chainer's NStep{cell}",
        first=weights[0].name, last=weights[-1].name, cell=NUMBERED[gates].upper(),
    )  # fmt: skip
    return _layer(file, label, roles, PYTORCH, hints, why, path=path, layer_index=index)


def _interleaved(file: TensorFile, label: str, roles: dict[str, Tensor], hints: Hints) -> Layer:
    matrix = roles["W_hh"]
    if len(matrix.shape) != 2 or matrix.shape[0] != 4 * matrix.shape[1]:
        raise Unreadable(f"expected 4n × n lateral weights of Chainer's LSTM, got {matrix}; try an LSTM or an NStepGRU")
    apart = {role: gates_apart(each, 4) for role, each in roles.items()}
    why = english(
        "{name} {shape} beside {partner} is Chainer's LSTM, gates interleaved",
        name=matrix.name, shape=shape_text(matrix.shape), partner=roles["W_hx"].name,
    )  # fmt: skip
    return _layer(file, label, apart, CHAINER, hints, why)


def _layer(
    file: TensorFile, label: str, roles: dict[str, Tensor], stacking: Stacking, hints: Hints, why: str, **rest: Any
) -> Layer:
    stated = Stated(TANH, SIGMOID, "after", layout="chainer")
    return fitted(file, label, roles, stacking, hints, stated, why=why, layout="chainer", **rest)
