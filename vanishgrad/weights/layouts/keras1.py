"""Keras 1: lstm_1_W_i, lstm_1_U_i, lstm_1_b_i and so on, one matrix for each gate, or lstm_1_W, lstm_1_U, lstm_1_b.

LSTM gates are i f c o, GRU gates z r h with the reset gate before the product and z on the old state; the gates are
hard sigmoids 0.2 x + 0.5 unless the configuration's inner_activation says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from vanishgrad.languages import english
from vanishgrad.weights.gate_order import KERAS
from vanishgrad.weights.hints import HARD_SIGMOID_KERAS_2, Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.keras import activation_named
from vanishgrad.weights.layouts.keras_model import ConfiguredLayer, described
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text, stacked

MATRIX = re.compile(r"(?P<path>(?:.*/)?(?P<layer>\w+)/(?P=layer)_)U(?P<gate>_[irz])?")
LETTERS = {"_i": "ifco", "_z": "zrh", "_r": ""}
"""What the first gate's matrix is called → the letters of all gates in KERAS's order; r is one of z's."""
VERSION = "1"


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each layer with names of Keras 1."""
    model = {each.path: each for each in described(file.configuration.get("keras"))}
    for name in free:
        match = MATRIX.fullmatch(name)
        letters = LETTERS[match["gate"]] if match and match["gate"] else None
        if not match or letters == "":
            continue
        path, label = match["path"], match["layer"]
        kinds = {role: [path + kind] if letters is None else [f"{path}{kind}_{each}" for each in letters]
                 for role, kind in (("W_hx", "W"), ("W_hh", "U"), ("b_x", "b"))}  # fmt: skip
        if any(each not in free for names in kinds.values() for each in names):
            continue
        own = {role: [free[each] for each in names] for role, names in kinds.items()}
        claims = tuple(each for names in kinds.values() for each in names)
        yield Sighting(label, claims, partial(_layer, file, label, own, model.get(label), hints), path)


def _layer(
    file: TensorFile, label: str, own: dict[str, list[Tensor]], entry: ConfiguredLayer | None, hints: Hints
) -> Layer:
    first = own["W_hh"][0]
    for member in own.values():
        if len({tensor.shape for tensor in member}) > 1:
            raise Unreadable(f"expected matrices of one shape for the gates, got {', '.join(map(str, member))}")
    roles = {role: member[0] if len(member) == 1 else stacked(member[0].name, member) for role, member in own.items()}
    return fitted(
        file, label, roles, KERAS, hints, _stated(entry, roles["W_hh"]),
        why=_why(first, entry),
        layout="keras1",
        usual_gate=HARD_SIGMOID_KERAS_2,
        direction="backward" if entry and entry.is_backward else "forward",
        driven_by=entry.below if entry else None,
    )  # fmt: skip


def _why(first: Tensor, entry: ConfiguredLayer | None) -> str:
    name = english("{name} {shape} is Keras 1's name", name=first.name, shape=shape_text(first.shape))
    return (
        english("{sentence}, and the configuration says {settings}", sentence=name, settings=entry.kind)
        if entry
        else name
    )


def _stated(entry: ConfiguredLayer | None, matrix: Tensor) -> Stated:
    if entry is None:
        return Stated(reset="before", layout="keras1", open=("activation", "gate_activation"))
    is_gated = matrix.shape[-1:] != matrix.shape[:1]
    return Stated(
        _named(entry, "activation", "tanh"),
        _named(entry, "inner_activation", "hard_sigmoid") if is_gated else None,
        "before",
        layout="keras1",
    )


def _named(entry: ConfiguredLayer, key: str, usual: str) -> Any:
    return activation_named(entry.config.get(key, usual), VERSION)
