"""MLX: nn.LSTM has Wx, Wh and bias, gates i f g o; nn.GRU has Wx, Wh, b and bhn, gates r z n, bhn inside the reset.

Matrices are upright, as PyTorch's. What has these names but lies the other way is not MLX's.
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
from vanishgrad.weights.layouts.conventions import inside_reset
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text

MATRIX = re.compile(r"(?P<path>(?:.*[./])?)Wh")
ROLES = {4: {"b_x": "bias"}, 3: {"b_x": "b", "b_h": "bhn"}}
"""Number of gates → the biases; a GRU of MLX is told from others by bhn."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each upright Wh beside Wx and the biases that MLX gives it."""
    for name, matrix in free.items():
        match = MATRIX.fullmatch(name)
        if not match or len(matrix.shape) != 2 or not matrix.shape[1] or hints.layout:
            continue
        path, gates = match["path"], matrix.shape[0] / matrix.shape[1]
        names = {"W_hh": "Wh", "W_hx": "Wx", **ROLES.get(int(gates) if gates in ROLES else 0, {})}
        roles = {role: free[path + each] for role, each in names.items() if path + each in free}
        if len(roles) == len(names) > 2:
            label = path.strip("./").replace("/", ".")
            claims = tuple(each.name for each in roles.values())
            yield Sighting(label, claims, partial(_layer, file, label, roles, hints), path)


def _layer(file: TensorFile, label: str, roles: dict[str, Tensor], hints: Hints) -> Layer:
    matrix = roles["W_hh"]
    whole = {**roles, "b_h": inside_reset(roles["b_h"])} if "b_h" in roles else roles
    names = ", ".join(each.name for each in roles.values())
    return fitted(
        file, label, whole, PYTORCH, hints, Stated(TANH, SIGMOID, "after", layout="mlx"),
        why=english("{names} with {shape} recurrent weights are MLX's names", names=names,
                    shape=shape_text(matrix.shape)),
        layout="mlx",
    )  # fmt: skip
