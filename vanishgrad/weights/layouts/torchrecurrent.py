"""torchrecurrent's cells whose names tell them apart: IndRNN (vector_u), LEM and coRNN (weight_ch), JANET (beta)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import english
from vanishgrad.weights.hints import Hints, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.saved import own_layer
from vanishgrad.weights.tensors import Tensor, TensorFile, derived, shape_text

LAYOUT = "torchrecurrent"
NAMES = ("weight_ih", "weight_hh", "weight_ch", "vector_u", "beta", "bias_ih", "bias_hh", "bias_ch")
MARKS = ("vector_u", "weight_ch", "beta")
"""The name that says that it is none of PyTorch's own cells."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each module with one of the marks beside weight_ih."""
    for name in free:
        path, _, leaf = name.rpartition(".")
        module = path and f"{path}."
        own = {each: free[module + each] for each in NAMES if module + each in free}
        if leaf in MARKS and "weight_ih" in own and (leaf != "beta" or "weight_hh" in own):
            claims = tuple(tensor.name for tensor in own.values())
            yield Sighting(path, claims, partial(_layer, file, path, leaf, own, hints), module)


def _layer(file: TensorFile, path: str, mark: str, own: dict[str, Tensor], hints: Hints) -> Layer:
    n, d = own[mark].shape[0] if own[mark].shape else own["weight_hh"].shape[-1], own["weight_ih"].shape[-1]
    rows = own["weight_ih"].shape[0]
    cell = {"vector_u": "indrnn", "beta": "janet"}.get(mark, "lem" if rows == 4 * n else "cornn")
    shapes = _shapes(cell, n, d)
    wrong = [tensor for name, tensor in own.items() if tensor.shape != shapes.get(name)]
    missing = [name for name in shapes if name not in own and name.startswith("weight")]
    if wrong or missing or not n:
        expected = ", ".join(f"{name} {shape_text(shape)}" for name, shape in shapes.items())
        got = ", ".join(map(str, wrong)) or f"none named {' '.join(missing)}"
        raise Unreadable(f"expected the tensors of a {cell}, {expected}, got {got}; try the whole state_dict")
    return own_layer(
        file, path, cell, _roles(cell, own), hints,
        keys={"reads": "old"} if cell == "lem" else {},
        layout=LAYOUT, n=n, d=d, driven_by=(),
        why=english("{tensor} is torchrecurrent's name for a tensor of {cell}", tensor=own[mark], cell=cell),
    )  # fmt: skip


def _shapes(cell: str, n: int, d: int) -> dict[str, tuple[int, ...]]:
    if cell == "indrnn":
        return {"weight_ih": (n, d), "vector_u": (n,), "bias_ih": (n,), "bias_hh": (n,)}
    gates, seen = {"janet": (2, 2), "cornn": (1, 1), "lem": (4, 3)}[cell]
    shapes: dict[str, tuple[int, ...]] = {
        "weight_ih": (gates * n, d), "weight_hh": (seen * n, n), "bias_ih": (gates * n,), "bias_hh": (seen * n,)
    }  # fmt: skip
    return shapes | ({"beta": ()} if cell == "janet" else {"weight_ch": (n, n), "bias_ch": (n,)})


def _roles(cell: str, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    rows = own["weight_ih"].shape[0]
    biases = [own[name] for name in ("bias_ih", "bias_hh", "bias_ch") if name in own]
    roles = {
        "W_hx": own["weight_ih"],
        "b": derived("bias", (rows,), partial(_bias, cell, own, rows), biases or [own["weight_ih"]]),
    }
    if cell == "indrnn":
        return roles | {"u": own["vector_u"]}
    if cell == "cornn":
        both = own["weight_hh"], own["weight_ch"]
        n = rows
        return roles | {
            "W_hh": derived("weight_hh", (n, 2 * n), lambda: np.concatenate([w.read() for w in both], axis=1), both)
        }
    if cell == "janet":
        beta = own["beta"]
        return roles | {
            "W_hh": own["weight_hh"],
            "beta": derived("beta", (1,), lambda: beta.read().reshape(1), (beta,)),
        }
    return roles | {"W_hh": own["weight_hh"], "W_ch": own["weight_ch"]}


def _bias(cell: str, own: Mapping[str, Tensor], rows: int) -> Array:
    """Return the sum of all biases; LEM's recurrent ones belong to its first three gates and to the last."""
    biases = {name: own[name].read().astype(np.float64) for name in ("bias_ih", "bias_hh", "bias_ch") if name in own}
    total = biases.get("bias_ih", np.zeros(rows)).copy()
    for name in ("bias_hh", "bias_ch"):
        if name in biases:
            part = biases[name]
            total[rows - len(part) if name == "bias_ch" else 0 :][: len(part)] += part
    return total
