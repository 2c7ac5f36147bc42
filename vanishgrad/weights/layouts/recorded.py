"""Recorded Jacobians in a captured run: a module's derivatives along one batch, found by automatic differentiation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from vanishgrad.cells.activations import LINEAR
from vanishgrad.cells.recorded import PARTS, RECORDED
from vanishgrad.languages import english
from vanishgrad.weights.formats.captured import CAPTURED
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import Hints, Reading, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.shapes import require_floats
from vanishgrad.weights.tensors import Tensor, TensorFile

ROLES = ("jacobians", "input_jacobians", "states", "inputs")
AXES = [4, 4, 3, 3]
"""Of each role: sequence, step, then rows and columns or entries."""
MAX_DIGITS = 10
"""Of the size of a part."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each module whose one-step Jacobians were recorded."""
    for prefix, reading in file.configuration.get(CAPTURED, {}).items():
        if reading.get("cell") == RECORDED:
            roles = {role: free[prefix + role] for role in ROLES if prefix + role in free}
            claims = tuple(tensor.name for tensor in roles.values())
            yield Sighting(prefix[:-1], claims, partial(_layer, file, prefix[:-1], roles, reading), prefix)


def _layer(file: TensorFile, name: str, roles: Mapping[str, Tensor], reading: Mapping[str, Any]) -> Layer:
    sizes = reading.get("parts", "").split()
    axes = [len(tensor.shape) for tensor in roles.values()]
    if axes != AXES or not (sizes and all(each.isdecimal() and len(each) < MAX_DIGITS for each in sizes)):
        raise Unreadable(f"expected {', '.join(ROLES)} and the sizes of the state's parts, got {', '.join(roles)} and "
                         f"{' '.join(sizes) or 'none'}; try capturing it anew")  # fmt: skip
    require_floats(roles)
    words = english(
        "by automatic differentiation: J_t of {module} along the batch; without gates and weights",
        module=reading.get("module", "the module"),
    )  # fmt: skip
    return Layer(
        name=name,
        path=name,
        file=file.path,
        cell=RECORDED,
        hidden_size=int(sizes[0]),
        input_size=roles["inputs"].shape[-1],
        layout=RECORDED,
        why=english("its calls hand on their state, whose derivatives were recorded by automatic differentiation"),
        reading=Reading(LINEAR, None, {}, ()),
        roles=roles,
        stacking=PYTORCH,
        variant=f"{PARTS}{' + '.join(sizes)}",
        driven_by=(),
        assumptions=(words,),
    )
