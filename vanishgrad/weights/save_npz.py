"""Weights and inputs saved so that anyone can redo the numbers in another framework."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Activation, Cell
from vanishgrad.cells.clipped import ClippedLSTM
from vanishgrad.cells.registry import CELLS
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.hints import CHOICES
from vanishgrad.weights.laws import Weights
from vanishgrad.weights.layouts.layer_norms import FAST_RNN
from vanishgrad.weights.model_string import ModelSpec

SAID = ("W_hh", "W_hx", "b")
"""The tensors that PyTorch's names say of every cell."""
EXTRA = {"b_hn": "bias_hh", "W_hr": "weight_hr"}
"""Those that they say of some, and how."""


def file_name(label: str, trial: int) -> str:
    """Return ``LABEL.TRIAL.npz``, characters outside A-Za-z0-9._- as _."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', label)}.{trial}.npz"


def npz(weights: Weights, spec: ModelSpec, seed: int, trial: int) -> bytes:
    """Return one trial's weights under PyTorch's names and gate order, with a text member `vanishgrad` that names them.

    A bias set by forget_bias or chrono stands whole in bias_ih_l0. An untied network's weight_hh_l0 has a time axis.
    """
    about = {
        "cell": spec.cell,
        "reset": None,
        **{key: spec.keys[key] for key in CELLS[spec.cell].variants},
        "activation": spec.keys.get("activation"),
        "label": spec.label,
        "law": spec.law,
        "seed": seed,
        "trial": trial,
    }
    tensors = {
        "weight_ih_l0": weights.weight_ih[trial],
        "weight_hh_l0": weights.weight_hh[trial],
        "bias_ih_l0": weights.bias_ih[trial],
        "bias_hh_l0": weights.bias_hh[trial],
    }
    row = CELLS[spec.cell].form(spec.keys)
    if row.own_names:
        return _own(weights.cell(spec).trial(trial), about)
    if spec.keys.get("projection"):
        tensors["weight_hr_l0"] = weights.others["W_hr"][trial]
    if spec.keys.get("norm"):
        about |= {"norm": spec.keys["norm"]}
        tensors |= _fresh_norms(len(weights.weight_hh[trial]) // 4, weights.weight_hh.dtype)
    return _bytes(tensors, about)


def _fresh_norms(n: int, dtype: np.dtype[Any]) -> dict[str, Array]:
    """Return the norms of an untrained LSTM: gains of 1, shifts of 0."""
    return {name: np.full(n if "_c." in name else 4 * n, name.endswith("weight"), dtype) for name in FAST_RNN.names[0]}


def cell_npz(
    cell: Cell,
    label: str,
    backward: bool = False,
    below: Sequence[Cell] = (),
    read_out: Mapping[str, Array] | None = None,
) -> bytes:
    """Return the one set of weights of a cell in the same form; `analyze` makes the same cell of them, bit by bit.

    Biases stand whole in bias_ih_l0, but for a recurrent one that a gate multiplies (the GRU's candidate's), which
    stands in bias_hh_l0. The names of a backward layer end in _reverse; with layers below, bottom first, they are l0,
    l1, … and the cell's come last. `read_out` are further tensors beside them, under names that no layer has.

    Raises
    ------
    VanishgradError
        For what these names cannot say: several sets of weights, stacked peephole LSTMs, an activation without a name.
    """
    layers = (*below, cell)
    if cell.row.own_names and not below and not backward:
        if unsayable := _unsayable(cell):
            raise _unsaid(unsayable, label)
        return _own(cell, {"cell": cell.name, **reading(cell), "label": label}, read_out or {})
    tensors = {
        name: tensor
        for place, layer in enumerate(layers)
        for name, tensor in named_tensors(layer, label, place, backward).items()
    }
    if unlike := _unlike(layers):
        raise _unsaid(unlike, label)
    about = {name: value for layer in layers for name, value in reading(layer).items()}
    return _bytes(tensors | dict(read_out or {}), {"cell": cell.name, **about, "label": label})


def _own(cell: Cell, about: Mapping[str, Any], read_out: Mapping[str, Array] = MappingProxyType({})) -> bytes:
    """Return a cell whose tensors PyTorch's names cannot say, under its own names for them."""
    keys = {**cell.form, **cell.variant, **{name: getattr(cell, name) for name in cell.row.numbers}}
    tensors = {name: getattr(cell, name)[0] for name in cell.tensors}
    return _bytes(tensors | dict(read_out), {**about, "keys": keys})


def named_tensors(cell: Cell, label: str, place: int | None = 0, backward: bool = False) -> dict[str, Array]:
    """Return the one set of weights of a cell under PyTorch's names: as the layer of a stack at a place, or alone.

    Raises
    ------
    VanishgradError
        For what these names cannot say.
    """
    unsayable = f"the tensors of a {cell.name}" if cell.row.own_names else _unsayable(cell)
    if unsayable:
        raise _unsaid(unsayable, label)
    suffix = ("" if place is None else f"_l{place}") + ("_reverse" if backward else "")
    return {f"{name}{suffix}": tensor for name, tensor in _tensors(cell).items()}


def _unsaid(what: str, label: str) -> VanishgradError:
    return VanishgradError(
        f"expected one set of weights that PyTorch's names can say, got {what} in {label}; "
        "try --trials 1, or another layer"
    )


def _tensors(cell: Cell) -> dict[str, Array]:
    bias_hh, extra = np.zeros_like(cell.b[0]), {name: getattr(cell, name)[0] for name in cell.tensors if name in EXTRA}
    if "b_hn" in extra:
        bias_hh[cell.rows(cell.row.candidate)] = extra.pop("b_hn")
    tensors = {"weight_ih": cell.W_hx[0], "weight_hh": cell.W_hh[0], "bias_ih": cell.b[0], "bias_hh": bias_hh}
    return tensors | {EXTRA[name]: tensor for name, tensor in extra.items()}


def reading(cell: Cell) -> dict[str, str]:
    """Return what names and shapes do not say of a cell."""
    return {
        **cell.variant,
        **{name: each.name for name, each in _activations(cell).items() if name != "cell_activation"},
    }


def _unlike(layers: Sequence[Cell]) -> str | None:
    """Return what one text for the whole file cannot say: layers that are to be read in different ways."""
    readings = [set(reading(each).items()) for each in layers]
    names = [name for name, _ in set().union(*readings)]
    if len({each.name for each in layers}) > 1 and not all(each.row.by_shape for each in layers):
        return "cells whose shapes do not tell them apart"
    return "layers with activations of their own" if len(names) > len(set(names)) else None


def _unsayable(cell: Cell) -> str | None:
    if cell.trials > 1:
        return f"{cell.trials} sets of weights"
    unknown = [name for name in cell.tensors if name not in (*SAID, *EXTRA)]
    if unknown and not cell.row.own_names:
        return f"the tensors {' '.join(unknown)}"
    if isinstance(cell, ClippedLSTM):
        return "a clipped cell state"
    functions = _activations(cell) if cell.row.activation else {}
    if functions.get("cell_activation") not in (None, functions.get("activation")):
        return "an activation of the cell state alone"
    return next((f"the activation {each.name}" for each in functions.values() if CHOICES.get(each.name) != each), None)


def _activations(cell: Cell) -> dict[str, Activation]:
    names = ("activation", "gate_activation", "cell_activation")
    functions = {name: getattr(cell, name, None) for name in names}
    return {name: each for name, each in functions.items() if each is not None}


def _bytes(tensors: dict[str, Array], about: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    members = {**tensors, "vanishgrad": np.array(json.dumps(about, ensure_ascii=False))}
    np.savez(buffer, **members)  # type: ignore[arg-type]
    return buffer.getvalue()
