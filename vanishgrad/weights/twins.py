"""Layers of a file that hold the same numbers: each said once, under the first one's name."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vanishgrad.errors import VanishgradError

if TYPE_CHECKING:
    from vanishgrad.weights.layers import Layer
    from vanishgrad.weights.tensors import Tensor


def said_once(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the layers without those whose numbers, reading and place an earlier one has; it names them as its twins.

    Only layers of the same shapes are read, the smallest tensor first: layers that differ do so in their biases.
    Layers that share weights but stand in different places of a stack stay two.
    """
    numbered, row_of = _by_numbers(layers), dict[str, str]()
    while True:  # each round merges what stands behind the twins of the one before, in whatever order a file has it
        rows: dict[Hashable, list[Layer]] = {}
        for layer, numbers in numbered:
            below = None if layer.driven_by is None else tuple(row_of.get(name, name) for name in layer.driven_by)
            rows.setdefault((numbers, below), []).append(replace(layer, driven_by=below))
        merged = {layer.name: row[0].name for row in rows.values() for layer in row}
        if merged == row_of:
            return tuple(replace(one, twins=tuple(layer.name for layer in others)) for one, *others in rows.values())
        row_of = merged


def _by_numbers(layers: Sequence[Layer]) -> list[tuple[Layer, int]]:
    """Return the layers in their order, each with a number that those of the same numbers share."""
    groups = _split([list(layers)], _kind)
    for place in range(max((len(layer.roles) for layer in layers), default=0)):
        groups = _split(groups, lambda layer: tuple(map(_digest, _by_size(layer)[place : place + 1])))  # noqa: B023
    place_of = {layer.name: place for place, group in enumerate(groups) for layer in group}
    return [(layer, place_of[layer.name]) for layer in layers]


def _split(groups: list[list[Layer]], key: Callable[[Layer], Hashable]) -> list[list[Layer]]:
    parts: list[list[Layer]] = []
    for group in groups:
        if len(group) == 1:
            parts.append(group)
            continue
        alike: defaultdict[Hashable, list[Layer]] = defaultdict(list)
        for layer in group:
            alike[key(layer)].append(layer)
        parts.extend(alike.values())
    return parts


def _kind(layer: Layer) -> Hashable:
    """Return all that layers of the same numbers have to have in common beside them."""
    reading, shapes = layer.reading, tuple((role, tensor.shape) for role, tensor in sorted(layer.roles.items()))
    return (
        layer.cell, layer.variant, layer.direction, layer.stacking, layer.masked_by, layer.epsilon, layer.clip,
        layer.without, reading.activation, reading.gate_activation, reading.cell_activation,
        tuple(sorted(reading.variant.items())), shapes,
    )  # fmt: skip


def _by_size(layer: Layer) -> list[Tensor]:
    return [layer.roles[role] for role in sorted(layer.roles, key=lambda role: (layer.roles[role].size, role))]


def _digest(tensor: Tensor) -> Hashable:
    """Return the digest of a tensor's numbers; what cannot be read is like nothing else."""
    try:
        return hashlib.sha256(np.ascontiguousarray(tensor.read()).data).digest()
    except VanishgradError:
        return object()
