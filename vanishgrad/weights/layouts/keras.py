"""Keras: kernel, recurrent_kernel and bias of SimpleRNN, LSTM and GRU, and the layout of its old CuDNN layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.activations import ACTIVATIONS, HARD_SIGMOID, SIGMOID, TANH, Activation
from vanishgrad.languages import english
from vanishgrad.weights.folding import leaf_names
from vanishgrad.weights.gate_order import KERAS
from vanishgrad.weights.hints import HARD_SIGMOID_KERAS_2, Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.keras_model import ConfiguredLayer, described, strays
from vanishgrad.weights.layouts.layer_norms import ADDONS, VARIANT, LayerNorms, norms
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, derived, part, row, shape_text, shown

KERAS_3 = re.compile(r"(?P<path>.*?)[./]?cell(?P<inner>(?:[./]cells[./]\w+)?)[./]vars[./]1")
NAMED = re.compile(r"(?P<path>(?:.*[./])?)recurrent_kernel(?P<suffix>(?::0)?)")
OWN_NAME = re.compile(r"(?:vars[./]1|recurrent_kernel(?::0)?)$")
"""A recurrent kernel's own name, behind that of its cell."""
LAYER_NORMALISED = "LayerNormLSTMCell"
"""TensorFlow Addons' class."""
DIRECTION = re.compile(r"(?:forward|backward)_\w+")
INNER = re.compile(r"(?:(?:forward|backward)_\w+|\w*cells?(?:_\d+)?)[./]")
"""Parts of a path within one layer."""
MAX_LAYERS = 1000
"""Recurrent layers of a configuration; each is compared with each recurrent kernel of the file."""
GATES_OF = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3, "CuDNNLSTM": 4, "CuDNNGRU": 3}
READING = ("activation", "recurrent_activation", "reset_after", "use_bias")
"""Fields of a configuration that decide how a layer is read."""
SCAFFOLDING = ("layers", "model_weights", "layer", "forward_layer", "backward_layer", "cell", "")


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each recurrent kernel with Keras's name, in the model's order where that is known."""
    model = described(file.configuration.get("keras"))[:MAX_LAYERS]
    elsewhere = strays(file.configuration.get("keras"))[:MAX_LAYERS]
    order = {each.name: place for place, each in enumerate(model)}
    candidates = list(_found(file, free, hints, model, elsewhere))
    yield from sorted(candidates, key=lambda each: (order.get(each.name, len(order)), _natural(each.name)))


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key that puts lstm_2 before lstm_10."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d{0,9})", name)]


def _found(
    file: TensorFile, free: Mapping[str, Tensor], hints: Hints, model: list[ConfiguredLayer],
    elsewhere: list[ConfiguredLayer],
) -> Iterator[Sighting]:  # fmt: skip
    groups = [_group(match) for name in free if (match := KERAS_3.fullmatch(name))]
    missing = [each for each in model if each.group not in groups] if groups else []
    for name in free:
        if match := KERAS_3.fullmatch(name):
            names = [f"{name[:-1]}{index}" for index in range(3)]
            entry = next((each for each in model if each.group == _group(match)), None)
        elif match := NAMED.fullmatch(name):
            names = [f"{match['path']}{word}{match['suffix']}" for word in ("kernel", "recurrent_kernel", "bias")]
            entry = _by_names(model, match["path"])
        else:
            continue
        own = [free[each] for each in names if each in free]
        label = entry.name if entry else _label(match["path"])
        entry = entry or _alone(elsewhere, own, label)
        if entry is None and missing:
            yield Sighting(label, leaf_names(own), partial(_refuse, missing[0], match["path"]), _module(match["path"]))
            continue
        normed = _norms(name, entry, free)
        claims = leaf_names([*own, *normed.roles.values()])
        layer = partial(_layer, file, match["path"], names, own, normed, entry, hints)
        yield Sighting(label, claims, layer, _module(match["path"]))


def _group(match: re.Match[str]) -> str:
    return match["path"] + (f"/cell{match['inner']}" if match["inner"] else "")


def _refuse(entry: ConfiguredLayer, path: str) -> Layer:
    raise Unreadable(
        f"expected the weights of {shown(entry.class_name)} {shown(entry.name)}, as the configuration says, in "
        f"{shown(entry.group)}, got those of {shown(path)}; the file contradicts itself, try saving the model again"
    )


def _norms(recurrent: str, entry: ConfiguredLayer | None, free: Mapping[str, Tensor]) -> LayerNorms:
    """Return the norms beside a recurrent kernel that are TensorFlow Addons', by class where the file says one."""
    module = OWN_NAME.sub("", recurrent)
    if entry is None:
        return norms(ADDONS, module, free)
    epsilon = entry.config.get("norm_epsilon")
    is_addons = entry.class_name.rpartition(">")[2] == LAYER_NORMALISED and isinstance(epsilon, float) and epsilon > 0
    return norms(ADDONS, module, free, epsilon) if is_addons else LayerNorms()


def _module(path: str) -> str:
    """Return where a layer's own weights stand: outside its cell, and outside the directions of a Bidirectional."""
    parts = re.split(r"(?<=[./])", path if not path or path[-1] in "./" else path + "/")
    while len(parts) > 2 and INNER.fullmatch(parts[-2]):
        del parts[-2]
    return "".join(parts)


def _segments(path: str) -> list[str]:
    return [each for each in re.split(r"[./]", path) if each not in SCAFFOLDING]


def _is_backward(path: str) -> bool:
    return any(each.startswith("backward_") for each in re.split(r"[./]", path))


def _by_names(model: list[ConfiguredLayer], path: str) -> ConfiguredLayer | None:
    """Return the entry whose names all stand in an older file's path."""
    segments = path.split("/")
    fitting = [each for each in model if each.names <= set(segments)]
    is_backward = _is_backward(path)
    return next((each for each in fitting if each.is_backward == is_backward or len(fitting) == 1), None)


def _alone(elsewhere: list[ConfiguredLayer], own: list[Tensor], label: str) -> ConfiguredLayer | None:
    """Return the only reading that the whole configuration has for a kernel whose place it does not tell."""
    if len(own) < 2 or len(own[1].shape) != 2:
        return None
    n, columns = own[1].shape
    fitting = [each for each in elsewhere if each.config.get("units") == n and GATES_OF[each.kind] * n == columns]
    readings = {str([each.config.get(key) for key in READING]) for each in fitting}
    is_backward = label.endswith(".reverse")
    placed = (replace(each, path=label.removesuffix(".reverse"), is_backward=is_backward) for each in fitting)
    return next(placed) if len(readings) == 1 else None


def require_agreement(entry: ConfiguredLayer, recurrent: Tensor) -> None:
    """Refuse a recurrent kernel that is not of the size and the cell that the configuration says."""
    units = entry.config.get("units")
    expected = (units, GATES_OF[entry.kind] * units) if isinstance(units, int) else recurrent.shape
    if recurrent.shape != expected:
        raise Unreadable(
            f"expected a recurrent kernel of {shape_text(expected)}, as the configuration says of "
            f"{entry.class_name} with {units} units, got {recurrent}; "
            "the file contradicts itself, try saving the model again"
        )


STATEFUL = english("stateful: a batch starts where the last one ended; the start here is zero, --initial FILE sets it")


def _training_only(entry: ConfiguredLayer) -> tuple[str, ...]:
    config, notes = entry.config, []
    if config.get("recurrent_dropout"):
        rate = config["recurrent_dropout"]
        notes.append(english("recurrent_dropout {rate} acts in training alone and is left out", rate=rate))
    if entry.masked_by:
        notes.append(_of_masks(entry.masked_by))
    if config.get("stateful"):
        notes.append(STATEFUL)
    if entry.class_name.rpartition(">")[2].removesuffix("Cell") not in (entry.kind, LAYER_NORMALISED[:-4]):
        notes.append(english(
            "class {name} is read as the {kind} whose fields it has; what its code changes is not in the file",
            name=shown(entry.class_name), kind=entry.kind,
        ))  # fmt: skip
    return tuple(notes)


def _of_masks(masked_by: str) -> str:
    if masked_by == "mask_zero":
        rule = english("steps of token id 0 are masked where ids go through --embedding, and hand the state on")
    elif " before " in masked_by:
        rule = english("which steps it masks is not seen in this layer's own input")
    else:
        value = masked_by.partition(" ")[2]
        rule = english("steps of a file's input that is all {value} are masked, and hand the state on", value=value)
    return english("{layer} stands before it: {rule}; --mask FILE says which are", layer=masked_by, rule=rule)


def _label(path: str) -> str:
    """Return a layer's name from its path alone: the last part that is not Keras's own scaffolding."""
    segments = [each for each in _segments(path) if not DIRECTION.fullmatch(each) and not each.endswith("_cell")]
    is_new = path.startswith("layers/")
    stem = ".".join(segments) if is_new else (segments or [""])[-1]
    return stem + (".reverse" if _is_backward(path) else "")


def _layer(
    file: TensorFile, path: str, names: list[str], own: list[Tensor], normed: LayerNorms, entry: ConfiguredLayer | None,
    hints: Hints,
) -> Layer:  # fmt: skip
    if len(own) < 2 or own[0].name != names[0]:
        raise Unreadable(f"expected {names[0]} beside {names[1]}, got none; try the whole file of weights")
    roles, is_cudnn = _roles(own)
    roles |= normed.roles
    if entry:
        require_agreement(entry, own[1])
    name, is_backward = (entry.name, entry.is_backward) if entry else (_label(path), _is_backward(path))
    layer = fitted(
        file, name, roles, KERAS, hints, _stated(file, own, entry, is_cudnn),
        why=_why(own, entry, is_cudnn),
        layout="keras-cudnn" if is_cudnn else "keras",
        path=name.removesuffix(".reverse"),
        direction="backward" if is_backward else "forward",
        driven_by=entry.below if entry else None,
        masked_by=entry.masked_by if entry else "",
        assumptions=(*normed.note, *(_training_only(entry) if entry else ())),
        variant=VARIANT if normed.roles else "",
        epsilon=normed.epsilon,
    )  # fmt: skip
    return normed.require_lstm(layer)


def _roles(own: list[Tensor]) -> tuple[dict[str, Tensor], bool]:
    """Return the tensors by role, and whether they lie as cuDNN has them: two biases in one vector."""
    kernel, recurrent, *biases = own
    roles = {"W_hx": kernel, "W_hh": recurrent}
    if len(recurrent.shape) != 2 or len(kernel.shape) != 2:
        raise Unreadable(f"expected a matrix, got {recurrent}; try a model without convolutional recurrent layers")
    n, columns = recurrent.shape
    if not biases:
        return roles, False
    bias = biases[0]
    if bias.shape == (2 * columns,) and n and columns // n in (3, 4):
        gates = columns // n
        return {
            "W_hx": _each_gate(kernel, gates, _reread), "W_hh": _each_gate(recurrent, gates, np.transpose),
            "b_x": part(bias, 0, columns), "b_h": part(bias, columns, 2 * columns),
        }, True  # fmt: skip
    if bias.shape == (2, columns):
        return {**roles, "b_x": row(bias, 0), "b_h": row(bias, 1)}, False
    return {**roles, "b_x": bias}, False


def _each_gate(kernel: Tensor, gates: int, change: Any) -> Tensor:
    def read() -> Array:
        return np.hstack([change(block) for block in np.hsplit(kernel.read(), gates)])

    return derived(kernel.name, kernel.shape, read, (kernel,))


def _reread(block: Array) -> Array:
    """Return the (d, n) kernel of a gate whose bytes are those of the (n, d) matrix that cuDNN uses."""
    return np.ascontiguousarray(block).reshape(block.shape[::-1]).T


def _stated(file: TensorFile, own: list[Tensor], entry: ConfiguredLayer | None, is_cudnn: bool) -> Stated:
    if is_cudnn or (entry and entry.kind.startswith("CuDNN")):
        return Stated(TANH, SIGMOID, "after", layout="keras")
    reset = _reset(own, entry)
    if entry is None:
        return Stated(reset=reset, layout="keras", open=("activation", "gate_activation", "reset"))
    version = str(file.configuration.get("keras_version") or "3")
    activations = (
        entry.config.get(key, usual) for key, usual in (("activation", "tanh"), ("recurrent_activation", "sigmoid"))
    )
    activation, gate = (activation_named(each, version) for each in activations)
    return Stated(activation, gate if entry.kind != "SimpleRNN" else None, reset, layout="keras")


def _reset(own: list[Tensor], entry: ConfiguredLayer | None) -> str | None:
    """Return the GRU's convention: a bias of two rows is only there with reset after; without bias a key tells."""
    if len(own) > 2:
        return "after" if len(own[2].shape) == 2 else "before"
    reset_after = entry.config.get("reset_after", False) if entry else None
    return None if reset_after is None else "after" if reset_after else "before"


def activation_named(named: Any, version: str) -> Activation:
    """Return the activation that a configuration of some version of Keras names, None being linear.

    Raises
    ------
    Unreadable
        If it is none that is known.
    """
    if named is None:
        return ACTIVATIONS["linear"]
    activations = {**ACTIVATIONS, "hard_sigmoid": HARD_SIGMOID if version.startswith("3") else HARD_SIGMOID_KERAS_2}
    if not isinstance(named, str) or named not in activations:
        raise Unreadable(
            f"expected an activation among {', '.join(activations)}, got {shown(named)}; try a model with one of them"
        )
    return activations[named]


def _why(own: list[Tensor], entry: ConfiguredLayer | None, is_cudnn: bool) -> str:
    name, shape = own[1].name, shape_text(own[1].shape)
    kernel = english("{name} {shape} is Keras's name for a recurrent kernel", name=name, shape=shape)
    if is_cudnn or entry is None:
        return english("{sentence}, and its bias is that of CuDNN layers", sentence=kernel) if is_cudnn else kernel
    flags = [key for key in ("go_backwards", "stateful") if entry.config.get(key)]
    if entry.config.get("implementation"):
        flags.append(f"implementation {entry.config['implementation']}")
    settings = ", ".join([shown(entry.class_name), *flags])
    return english("{sentence}, and the configuration says {settings}", sentence=kernel, settings=settings)
