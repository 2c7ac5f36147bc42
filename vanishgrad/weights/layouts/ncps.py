"""ncps' CfC: backbone.0, ff1, ff2, time_a and time_b of one cell."""

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
from vanishgrad.weights.tensors import Tensor, TensorFile, derived, shape_text

LAYOUT = "ncps"
MARK = re.compile(r"(?P<module>(?:.*\.)?)time_a\.weight")
HEADS = ("ff1", "ff2", "time_a", "time_b")
NAMES = tuple(f"{layer}.{part}" for layer in ("backbone.0", *HEADS) for part in ("weight", "bias"))


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each cell with the four heads."""
    for name in free:
        if match := MARK.fullmatch(name):
            module, path = match["module"], match["module"].rstrip(".")
            own = {each: free[module + each] for each in NAMES if module + each in free}
            deeper = [each for each in free if re.fullmatch(re.escape(module) + r"backbone\.[1-9]\d*\.weight", each)]
            claims = tuple(tensor.name for tensor in own.values())
            yield Sighting(path, claims, partial(_layer, file, path, own, deeper, hints), module)


def _layer(file: TensorFile, path: str, own: Mapping[str, Tensor], deeper: list[str], hints: Hints) -> Layer:
    if deeper:
        raise Unreadable(f"expected a backbone of one layer, got {deeper[0]} too; try a cell with backbone_layers=1")
    n, k = own["time_a.weight"].shape if len(own["time_a.weight"].shape) == 2 else (0, 0)
    width = own["backbone.0.weight"].shape[-1] if "backbone.0.weight" in own else 0
    shapes: dict[str, tuple[int, ...]] = {"backbone.0.weight": (k, width), "backbone.0.bias": (k,)}
    shapes |= {f"{head}.weight": (n, k) for head in HEADS} | {f"{head}.bias": (n,) for head in HEADS}
    wrong = [str(own.get(name, name)) for name, shape in shapes.items() if name not in own or own[name].shape != shape]
    if wrong or min(n, k) < 1 or width <= n:
        expected = f"backbone.0 {shape_text((k, width))} and {', '.join(HEADS)} {shape_text((n, k))}"
        raise Unreadable(f"expected the layers of a CfC, {expected}, got {', '.join(wrong)}; try the whole state_dict")
    backbone, weights, biases = own["backbone.0.weight"], *_of_heads(own)
    roles = {
        "W_hh": derived("backbone", (k, n), lambda: backbone.read()[:, width - n :], (backbone,)),
        "W_hx": derived("backbone", (k, width - n), lambda: backbone.read()[:, : width - n], (backbone,)),
        "b": own["backbone.0.bias"],
        "W_out": derived("heads", (4 * n, k), lambda: np.concatenate([each.read() for each in weights]), weights),
        "b_out": derived("biases", (4 * n,), lambda: np.concatenate([each.read() for each in biases]), biases),
    }
    return own_layer(
        file, path, "cfc", roles, hints, of_law=("backbone",), layout=LAYOUT, n=n, d=width - n, driven_by=(),
        why=english("ff1, ff2, time_a and time_b {shape} are the names of ncps' CfC", shape=shape_text((n, k))),
    )  # fmt: skip


def _of_heads(own: Mapping[str, Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    return [own[f"{head}.weight"] for head in HEADS], [own[f"{head}.bias"] for head in HEADS]
