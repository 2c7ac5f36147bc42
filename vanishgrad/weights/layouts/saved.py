"""Cells saved by `--save` that PyTorch's names cannot say: their tensors under the cell's own names, W_hh, W_hx, b, ….

The text member `vanishgrad` of the archive says which cell it is, and with which keys of a MODEL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.registry import CELLS
from vanishgrad.errors import UsageError
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import CHOICES, Hints, Reading, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.shapes import require_floats
from vanishgrad.weights.model_string import parse
from vanishgrad.weights.tensors import Tensor, TensorFile

SAVED = "saved"
"""The layout's name."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield the one cell of an archive that says its tensors have the cell's own names."""
    about = file.configuration.get("vanishgrad", {})
    keys = about.get("keys")
    if not isinstance(keys, dict) or str(about.get("cell")) not in CELLS:
        return
    row = CELLS[str(about["cell"])].form(_form(about))
    own = {name: free[name] for name in row.cell_class.tensors if name in free}
    yield Sighting(row.name, tuple(own), partial(_layer, file, about, own, hints), "")


def _form(about: Mapping[str, Any]) -> dict[str, str]:
    row = CELLS[str(about["cell"])]
    return {key: str(about["keys"][key]) for key in row.forms if key in about["keys"]}


def _layer(file: TensorFile, about: Mapping[str, Any], own: dict[str, Tensor], hints: Hints) -> Layer:
    keys = {str(key): str(value) for key, value in about["keys"].items()}
    row = CELLS[str(about["cell"])].form(_form(about))
    if missing := [name for name in row.cell_class.tensors if name not in own]:
        raise Unreadable(
            f"expected the tensors of a saved {row.name}, got none named {' '.join(missing)}; try saving it again"
        )
    require_floats(own)
    try:
        parse(f"{row.name}:{','.join(f'{key}={value}' for key, value in keys.items())}" if keys else row.name)
    except UsageError as reason:
        raise Unreadable(str(reason)) from None
    shape = own["W_hx"].shape
    if len(shape) != 2 or shape[0] % len(row.gates) or 0 in shape:
        raise Unreadable(
            f"expected W_hx of {len(row.gates)}·n rows for a {row.name}, got {own['W_hx']}; try saving it again"
        )
    activation = CHOICES.get(str(about.get("activation")), _own_activation(row.cell_class))
    gate = CHOICES.get(str(about.get("gate_activation")), SIGMOID) if row.words else None
    return Layer(
        name=row.name,
        path=row.name,
        file=file.path,
        cell=row.name,
        hidden_size=row.cell_class.units_of({name: each.shape for name, each in own.items()}, keys),
        input_size=shape[1],
        layout=SAVED,
        why=english("the archive says that it is a {cell} with its tensors under its own names", cell=row.name),
        reading=Reading(activation, gate, keys, ()),
        roles=own,
        stacking=PYTORCH,
    )


def _own_activation(cell_class: type) -> Activation:
    activation: Activation = getattr(cell_class, "activation", TANH)
    return activation
