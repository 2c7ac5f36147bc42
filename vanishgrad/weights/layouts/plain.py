"""Names that belong to no framework but say what they are: w_ih and w_hh, Wxh and Whh, W and U, i2h and h2h."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from vanishgrad.weights.folding import leaf_names
from vanishgrad.weights.gate_order import KERAS, PYTORCH, STACKINGS, Stacking
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.biases import BIASES
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text

NAMINGS = (
    ("weight_hh", "weight_ih"),
    ("w_hh", "w_ih"),
    ("W_hh", "W_ih"),
    ("W_hh", "W_hx"),
    ("W_hh", "W_xh"),
    ("w_hh", "w_hx"),
    ("w_hh", "w_xh"),
    ("Whh", "Wxh"),
    ("Whh", "Wih"),
    ("h2h_weight", "i2h_weight"),
    ("h2h.weight", "x2h.weight"),
    ("h2h.weight", "i2h.weight"),
    ("recurrent_weight", "input_weight"),
    ("Wh", "Wx"),
    ("U", "W"),
)
"""How people name the recurrent and the input weights of one layer."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each pair of tensors whose names differ only as input and recurrent weights do."""
    taken: set[str] = set()
    for recurrent, inputs in NAMINGS:
        for name in free:
            affixes = _affixes(name, recurrent)
            if name in taken or affixes is None:
                continue
            roles = _roles(recurrent, inputs, affixes, free)
            if "W_hx" in roles and _is_plausible(roles):
                claims = leaf_names(roles.values())
                taken.update(tensor.name for tensor in roles.values())
                yield Sighting(_layer_name(affixes), claims, partial(_layer, file, affixes, roles, hints), affixes[0])


def _affixes(name: str, recurrent: str) -> tuple[str, str] | None:
    """Return what stands before and after the recurrent weight's own name, if that is a word of its own."""
    before, found, after = name.rpartition(recurrent)
    if not found or (before and before[-1] not in "_./:") or (after and after[0] not in "_./:0123456789"):
        return None
    return before, after


def _roles(recurrent: str, inputs: str, affixes: tuple[str, str], free: Mapping[str, Tensor]) -> dict[str, Tensor]:
    def there(names: Sequence[str], roles: Sequence[str]) -> dict[str, Tensor]:
        whole = [affixes[0] + name + affixes[1] for name in names]
        return {role: free[name] for role, name in zip(roles, whole, strict=False) if name in free}

    biases = [(len(names), there(names, ("b_x", "b_h"))) for names in BIASES]
    whole = (found for wanted, found in biases if len(found) == wanted)
    some = (found for _, found in biases if found)
    return there((inputs, recurrent), ("W_hx", "W_hh")) | next(chain(whole, some), {})


def _is_plausible(roles: Mapping[str, Tensor]) -> bool:
    """Return whether the recurrent matrix is n, 3n or 4n by n: short names such as U and W mean other things too."""
    shape = roles["W_hh"].shape
    return len(shape) == 2 and min(shape) > 0 and max(shape) / min(shape) in (1, 3, 4)


def _layer_name(affixes: tuple[str, str]) -> str:
    return ".".join(part for each in affixes if (part := each.strip("_./:").replace("/", ".")))


def _layer(file: TensorFile, affixes: tuple[str, str], roles: Mapping[str, Tensor], hints: Hints) -> Layer:
    if "b_h" in roles and "b_x" not in roles:
        raise Unreadable(f"expected an input bias beside {roles['b_h'].name}, got none; try the file with both")
    stacking, doubt = _stacking(roles)
    if hints.layout:
        stacking, doubt = STACKINGS[hints.layout], ()
    matrix = roles["W_hh"]
    layer = fitted(
        file, _layer_name(affixes), roles, stacking, hints, _stated(roles),
        why=f"{matrix.name} {shape_text(matrix.shape)} and {roles['W_hx'].name} are named and shaped "
        "as recurrent and input weights",
        layout=stacking.name,
        assumptions=doubt,
    )  # fmt: skip
    return layer if hints.layout else _with_choices_said(layer)


def _stacking(roles: Mapping[str, Tensor]) -> tuple[Stacking, tuple[str, ...]]:
    """Return PyTorch's stacking where gates lie along the rows, Keras's where along the columns."""
    (rows, columns), inputs = roles["W_hh"].shape, roles["W_hx"].shape
    if rows != columns:
        return (PYTORCH if rows > columns else KERAS), ()
    if inputs == (rows, rows):
        return PYTORCH, ("matrices are taken to act on columns (W @ h); --layout keras chooses h @ W",)
    return (PYTORCH if inputs[:1] == (rows,) else KERAS), ()


def _stated(roles: Mapping[str, Tensor]) -> Stated:
    is_rnn = len(set(roles["W_hh"].shape)) == 1
    return Stated(open=("activation",) if is_rnn else () if "b_h" in roles else ("reset",))


def _with_choices_said(layer: Layer) -> Layer:
    unbiased = () if "b_x" in layer.roles else ("the bias is taken to be 0, no name known for one is there",)
    if layer.cell == "rnn":
        return replace(layer, assumptions=(*unbiased, *layer.assumptions))
    order = layer.stacking.order(layer.cell)
    others = " or ".join(name for name, each in STACKINGS.items() if each.order(layer.cell) != order)
    note = f"gate order {' '.join(order)} is taken, as in {layer.stacking.name}; --layout {others} chooses another"
    return replace(layer, assumptions=(note, *unbiased, *layer.assumptions))
