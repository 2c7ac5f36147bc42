"""Cells saved by `--save` that PyTorch's names cannot say: their tensors under the cell's own names, W_hh, W_hx, b, ….

The text member `vanishgrad` of the archive says which cell it is, and with which keys of a MODEL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell_row import CellRow
from vanishgrad.cells.registry import CELLS
from vanishgrad.errors import UsageError
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import CHOICES, Hints, Reading, Unreadable, about_numbers
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.shapes import require_floats
from vanishgrad.weights.model_string import parse
from vanishgrad.weights.tensors import FLOATS, Tensor, TensorFile

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
    activation = CHOICES.get(str(about.get("activation")), _own_activation(row))
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


def own_layer(
    file: TensorFile, name: str, cell: str, roles: Mapping[str, Tensor], hints: Hints, *, layout: str, why: str,
    n: int, d: int, keys: Mapping[str, str] = MappingProxyType({}), of_law: Collection[str] = (), **rest: Any,
) -> Layer:  # fmt: skip
    """Return the layer of a package's cell, with tensors that are already the cell's own.

    `of_law` are the cell's numbers that only a law of random weights needs.

    Raises
    ------
    Unreadable
        If the user says another cell, or a tensor holds no floating-point numbers.
    """
    if hints.cell_name not in (None, cell):
        raise Unreadable(f"expected a {cell}, as the names say, got --cell {hints.cell}; try without it")
    for tensor in (leaf for role in roles.values() for leaf in role.stored):
        if tensor.dtype not in (*FLOATS, "complex64", "complex128"):
            raise Unreadable(f"expected floating-point numbers, got {tensor}; try saving it before it was quantised")
    row = CELLS[cell].form(keys)
    phi = CHOICES.get(hints.activation or "", _own_activation(row)) if row.activation else _own_activation(row)
    taken = Reading(phi, SIGMOID if row.words else None, {**keys, **hints.numbers}, ())
    return Layer(
        name=name or cell,
        path=rest.pop("path", name or cell),
        file=file.path,
        cell=cell,
        hidden_size=n,
        input_size=d,
        layout=layout,
        why=why,
        reading=taken,
        roles=roles,
        stacking=PYTORCH,
        assumptions=(*rest.pop("assumptions", ()), *about_numbers(row, (*keys, *hints.numbers, *of_law))),
        **rest,
    )


def _own_activation(row: CellRow) -> Activation:
    own: Activation = getattr(row.cell_class, "activation", CHOICES.get(row.activation or "", TANH))
    return own
