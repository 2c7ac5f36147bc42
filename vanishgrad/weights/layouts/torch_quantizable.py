"""PyTorch's quantizable LSTM before it is converted (torch.ao.nn.quantizable.LSTM): still float, in modules of its own.

layers.K.layer_fw.cell.igates.weight is weight_ih, hgates weight_hh; layer_bw is the backward direction. Gates i f g o.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from vanishgrad.cells.activations import SIGMOID, TANH
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import Hints, Stated
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text

MATRIX = re.compile(r"(?P<path>(?:.*\.)?)layers\.(?P<index>\d{1,4})\.layer_(?P<direction>fw|bw)\.cell\.hgates\.weight")
ROLES = {"W_hx": "igates.weight", "W_hh": "hgates.weight", "b_x": "igates.bias", "b_h": "hgates.bias"}


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each direction of each layer of a quantizable LSTM."""
    for name in free:
        if match := MATRIX.fullmatch(name):
            module = name.removesuffix("hgates.weight")
            roles = {role: free[module + each] for role, each in ROLES.items() if module + each in free}
            if "W_hx" in roles:
                claims = tuple(each.name for each in roles.values())
                label = _label(match, int(match["index"]), match["direction"])
                yield Sighting(label, claims, partial(_layer, file, match, label, roles, free, hints), module)


def _label(match: re.Match[str], index: int, direction: str) -> str:
    parts = (match["path"].rstrip("."), str(index), "reverse" if direction == "bw" else "")
    return ".".join(each for each in parts if each)


def _layer(
    file: TensorFile,
    match: re.Match[str],
    label: str,
    roles: dict[str, Tensor],
    free: Mapping[str, Tensor],
    hints: Hints,
) -> Layer:
    matrix, index = roles["W_hh"], int(match["index"])
    below = (each for each in ("fw", "bw") if _name(match, index - 1, each) in free)
    return fitted(
        file, label, roles, PYTORCH, hints, Stated(TANH, SIGMOID, layout="pytorch"),
        why=english("{name} {shape} is the name of torch.ao.nn.quantizable.LSTM, not yet converted",
                    name=matrix.name, shape=shape_text(matrix.shape)),
        layout="torch-quantizable",
        path=match["path"].rstrip("."),
        layer_index=index,
        direction="backward" if match["direction"] == "bw" else "forward",
        driven_by=tuple(_label(match, index - 1, each) for each in below) or None,
    )  # fmt: skip


def _name(match: re.Match[str], index: int, direction: str) -> str:
    return f"{match['path']}layers.{index}.layer_{direction}.cell.hgates.weight"
