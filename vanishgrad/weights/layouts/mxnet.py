"""MXNet's Gluon: rnn.LSTM, rnn.GRU and their cells, i2h_weight and h2h_weight with biases for both.

LSTM gates are i f g o, GRU gates r z n with the reset gate after the product; h2r_weight (p, n) is the projection of
LSTMP. lstm0_l0_i2h_weight is layer 0, r0 its backward direction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from vanishgrad.languages import english
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text

MATRIX = re.compile(r"(?P<path>.*?(?:(?P<direction>[lr])(?P<index>\d{1,4})_)?)h2h_weight")
ROLES = {"W_hx": "i2h_weight", "W_hh": "h2h_weight", "b_x": "i2h_bias", "b_h": "h2h_bias", "W_hr": "h2r_weight"}


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each recurrent matrix of a file of MXNet."""
    for name in free if file.format == "mxnet" else ():
        if match := MATRIX.fullmatch(name):
            path = match["path"]
            roles = {role: free[path + each] for role, each in ROLES.items() if path + each in free}
            if "W_hx" in roles:
                claims = tuple(each.name for each in roles.values())
                yield Sighting(_label(path), claims, partial(_layer, file, match, roles, hints), path)


def _label(path: str) -> str:
    return path.strip("._/").replace("/", ".")


def _layer(file: TensorFile, match: re.Match[str], roles: dict[str, Tensor], hints: Hints) -> Layer:
    matrix = roles["W_hh"]
    if len(set(matrix.shape)) == 1 and hints.activation is None:
        raise Unreadable(
            f"expected to be told the activation of {matrix}, which MXNet's files do not say: gluon.rnn.RNN is a ReLU "
            "unless told, RNNCell a tanh; try --activation relu or --activation tanh"
        )
    return fitted(
        file, _label(match["path"]), roles, PYTORCH, hints,
        Stated(None, None, "after", open=("activation",) if len(set(matrix.shape)) == 1 else ()),
        why=english("{name} {shape} and {partner} are the names of MXNet's Gluon",
                    name=matrix.name, shape=shape_text(matrix.shape), partner=roles["W_hx"].name),
        layout="mxnet",
        variant="projected" if "W_hr" in roles else "",
        layer_index=int(match["index"] or 0),
        direction="backward" if match["direction"] == "r" else "forward",
    )  # fmt: skip
