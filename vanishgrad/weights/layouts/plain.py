"""Names that belong to no framework but say what they are: w_ih and w_hh, Wxh and Whh, W and U, i2h and h2h."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from vanishgrad.languages import english
from vanishgrad.weights.folding import leaf_names
from vanishgrad.weights.gate_order import CS231N, KERAS, PYTORCH, STACKINGS, Stacking
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, contains_parts, derived, shape_text, shown

BIASES = (
    ("bias_ih", "bias_hh"),
    ("b_ih", "b_hh"),
    ("bih", "bhh"),
    ("i2h_bias", "h2h_bias"),
    ("x2h.bias", "h2h.bias"),
    ("i2h.bias", "h2h.bias"),
    ("b_h",),
    ("bh",),
    ("ba",),
    ("bias",),
    ("b",),
)
"""Names of the biases of a layer, input and recurrent or one for both; the first that are all there are taken."""

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
    ("Waa", "Wax"),
    ("h2h_weight", "i2h_weight"),
    ("h2h.weight", "x2h.weight"),
    ("h2h.weight", "i2h.weight"),
    ("recurrent_weight", "input_weight"),
    ("Wh", "Wx"),
    ("W", "U"),
    ("U", "W"),
)
"""How people name the recurrent and the input weights of one layer."""
ATTENTION = re.compile(r"att(?:n|en)")
"""Modules whose square matrices are no recurrence."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each pair of tensors whose names differ only as input and recurrent weights do."""
    used: set[str] = set()
    if hints.recurrent and hints.input_weight:
        yield from _named(file, free, hints)
        return
    for recurrent, inputs in NAMINGS:
        for name in free:
            affixes = _affixes(name, recurrent)
            if name in used or affixes is None or ATTENTION.search(affixes[0].lower()):
                continue
            roles = _roles(recurrent, inputs, affixes, free)
            if "W_hx" in roles and _is_plausible(roles) and _is_meant(recurrent, affixes, roles, free, hints):
                claims = leaf_names(roles.values())
                used.update(tensor.name for tensor in roles.values())
                yield Sighting(_layer_name(affixes), claims, partial(_layer, file, affixes, roles, hints), affixes[0])


def _named(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield the layer of the two tensors that the user names, with the bias that stands beside them."""
    pair = [
        [each for each in free if contains_parts(each, str(asked))] for asked in (hints.recurrent, hints.input_weight)
    ]
    if not all(len(fitting) == 1 for fitting in pair):
        return
    (recurrent,), (inputs,) = pair
    module = recurrent[: max(recurrent.rfind(each) for each in "./") + 1]
    biases = {role: free[name] for names in BIASES for role, each in zip(("b_x", "b_h"), names, strict=False)
              if (name := module + each) in free}  # fmt: skip
    roles = {"W_hx": free[inputs], "W_hh": free[recurrent], **biases}
    layer = partial(_layer, file, (module, ""), roles, hints)
    yield Sighting(_layer_name((module, "")), leaf_names(roles.values()), layer, module)


def _is_meant(
    recurrent: str, affixes: tuple[str, str], roles: Mapping[str, Tensor], free: Mapping[str, Tensor], hints: Hints
) -> bool:
    """Return whether a pair of the letters U and W is meant so: U x + W h, o = V h in textbooks, W x + U h elsewhere.

    The first is taken where U does not fit as recurrent, or, of two squares, where V takes what W puts out.
    """
    if hints.recurrent:
        return contains_parts(roles["W_hh"].name, hints.recurrent)
    if recurrent != "W":
        return True
    W, U = roles["W_hh"].shape, roles["W_hx"].shape
    V = free.get(affixes[0] + "V" + affixes[1])
    is_open = _fits(U, W)
    return _fits(W, U) and (not is_open or (W == U and len(set(W)) == 1 and V is not None and V.shape[1:] == W[1:]))


def _fits(recurrent: tuple[int, ...], inputs: tuple[int, ...]) -> bool:
    """Return whether shapes are those of recurrent and input weights: n, 3n or 4n by n, and as many gate rows."""
    if not (len(recurrent) == len(inputs) == 2 and min(recurrent) and max(recurrent) / min(recurrent) in (1, 3, 4)):
        return False
    rows, columns = recurrent
    return (rows >= columns and inputs[0] == rows) or (columns >= rows and inputs[1] == columns)


def _affixes(name: str, recurrent: str) -> tuple[str, str] | None:
    """Return what stands before and after the recurrent weight's own name, if that is a word of its own."""
    before, role, after = name.rpartition(recurrent)
    if (
        not role
        or "mask" in after
        or (before and before[-1] not in "_./:")
        or (after and after[0] not in "_./:0123456789")
    ):
        return None
    return before, after


def _roles(recurrent: str, inputs: str, affixes: tuple[str, str], free: Mapping[str, Tensor]) -> dict[str, Tensor]:
    def there(names: Sequence[str], roles: Sequence[str]) -> dict[str, Tensor]:
        whole = [affixes[0] + name + affixes[1] for name in names]
        return {role: free[name] for role, name in zip(roles, whole, strict=False) if name in free}

    biases = [(len(names), there(names, ("b_x", "b_h"))) for names in BIASES]
    whole = (roles_ for count, roles_ in biases if len(roles_) == count)
    some = (roles_ for _, roles_ in biases if roles_)
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
    roles = {role: _flat(tensor) if role in ("b_x", "b_h") else tensor for role, tensor in roles.items()}
    matrix = roles["W_hh"]
    layer = fitted(
        file, _layer_name(affixes), roles, stacking, hints, _stated(roles),
        why=english("{name} {shape} and {partner} are named and shaped as recurrent and input weights",
                    name=matrix.name, shape=shape_text(matrix.shape), partner=roles["W_hx"].name),
        layout=stacking.name,
        assumptions=(*doubt, *_which_letter(roles)),
    )  # fmt: skip
    return layer if hints.layout or hints.gates or hints.interleaved else _with_choices_said(layer)


def _flat(bias: Tensor) -> Tensor:
    """Return a bias that is stored as a column or a row, as a vector."""
    if len(bias.shape) != 2 or 1 not in bias.shape:
        return bias
    return derived(bias.name, (bias.size,), lambda: bias.read().reshape(-1), (bias,))


def _which_letter(roles: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return a note where two squares might change places."""
    names = {roles[role].name: role for role in ("W_hh", "W_hx")}
    if {name[-1:] for name in names} != {"U", "W"} or roles["W_hh"].shape != roles["W_hx"].shape:
        return ()
    recurrent, other = names
    return (
        english(
            "{name} is taken as the recurrent matrix; --recurrent {other} takes the other",
            name=shown(recurrent), other=shown(other),
        ),
    )  # fmt: skip


def _stacking(roles: Mapping[str, Tensor]) -> tuple[Stacking, tuple[str, ...]]:
    """Return PyTorch's stacking where gates lie along rows, else Keras's, or that of CS231n for its Wx, Wh and b."""
    (rows, columns), inputs = roles["W_hh"].shape, roles["W_hx"].shape
    if rows < columns and [re.split("[./]", each.name)[-1] for each in roles.values()] == ["Wx", "Wh", "b"]:
        return CS231N, ()
    if rows != columns:
        return (PYTORCH if rows > columns else KERAS), ()
    if inputs == (rows, rows):
        return PYTORCH, (english("matrices are taken to act on columns (W @ h); --layout keras chooses h @ W"),)
    return (PYTORCH if inputs[:1] == (rows,) else KERAS), ()


def _stated(roles: Mapping[str, Tensor]) -> Stated:
    is_rnn = len(set(roles["W_hh"].shape)) == 1
    return Stated(open=("activation",) if is_rnn else () if "b_h" in roles else ("reset",))


def _with_choices_said(layer: Layer) -> Layer:
    unbiased = () if "b_x" in layer.roles else (english("the bias is taken to be 0, no name known for one is there"),)
    if layer.cell == "rnn":
        return replace(layer, assumptions=(*unbiased, *layer.assumptions))
    order = layer.stacking.order(layer.cell)
    note = english(
        "gate order {order} is taken, in blocks as in {layout}; --gates says another, --interleaved that gates "
        "alternate unit by unit", order=" ".join(order), layout=layer.stacking.name,
    )  # fmt: skip
    return replace(layer, assumptions=(note, *unbiased, *layer.assumptions))
