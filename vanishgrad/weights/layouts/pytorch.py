"""PyTorch: weight_hh_l{k}[_reverse] of nn.RNN, nn.GRU and nn.LSTM, and weight_hh of their cell classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from vanishgrad.cells.activations import RELU, TANH
from vanishgrad.languages import english
from vanishgrad.weights.formats.captured import CAPTURED
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import CHOICES, Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.layer_norms import FAST_RNN, VARIANT, LayerNorms, norms
from vanishgrad.weights.layouts.plain import BIASES
from vanishgrad.weights.layouts.reparametrised import copies, shadowed, undropped
from vanishgrad.weights.layouts.shapes import UNTIED, fitted
from vanishgrad.weights.nothing_found import whole_checkpoint
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text, shown

NAMES = re.compile(r"(?P<path>(?:.*[./])?)weight_hh(?P<suffix>(?:_l(?P<index>\d{1,4}))?(?P<reverse>_reverse)?)")
QUANTISED = re.compile(r"(?P<path>(?:.*\.)?)_all_weight_values\..*")
ROLES = {
    "W_hx": "weight_ih",
    "W_hh": "weight_hh",
    "b_x": "bias_ih",
    "b_h": "bias_hh",
    "W_hr": "weight_hr",
    "w_c": "weight_ph",
}
NONLINEARITIES = {"RNN_TANH": TANH, "RNN_RELU": RELU, "tanh": TANH, "relu": RELU}


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each recurrent matrix with PyTorch's name."""
    whole = {**free, **undropped(free)}
    yield from _quantised(free)
    for name in whole:
        if shadowed(name, free) or _is_hand_made(name, free):
            continue
        if match := NAMES.fullmatch(name):
            roles = {role: whole[each] for role, each in _names(match).items() if each in whole}
            normed = _norms(file, match, roles, whole)
            stored = {leaf.name for tensor in (*roles.values(), *normed.roles.values()) for leaf in tensor.stored}
            claims = (*stored, *copies(stored, free))
            layer = partial(_layer, file, match, roles, normed, whole, hints)
            yield Sighting(_layer_name(match), claims, layer, match["path"])


def _is_hand_made(name: str, free: Mapping[str, Tensor]) -> bool:
    """Return whether a cell's biases have other names than PyTorch's: then they are someone's own, all of them."""
    path, separator, _ = name.rpartition("weight_hh")
    alone = separator and name.endswith("weight_hh") and f"{path}bias_ih" not in free
    return bool(alone) and any(path + bias in free for biases in BIASES for bias in biases)


def _quantised(free: Mapping[str, Tensor]) -> Iterator[Sighting]:
    """Yield one sighting for each module whose weights PyTorch has packed as integers."""
    packed: dict[str, list[str]] = {}
    for name in free:
        if match := QUANTISED.fullmatch(name):
            packed.setdefault(match["path"].rstrip("."), []).append(name)
    refusal = partial(_refuse, "a dynamically quantised layer", "the model from before quantize_dynamic")
    for path, names in packed.items():
        yield Sighting(path, tuple(names), refusal, path and f"{path}.")


def _names(match: re.Match[str]) -> dict[str, str]:
    return {role: f"{match['path']}{name}{match['suffix']}" for role, name in ROLES.items()}


def _norms(
    file: TensorFile, match: re.Match[str], roles: Mapping[str, Tensor], whole: Mapping[str, Tensor]
) -> LayerNorms:
    """Return the norms of a cell whose only biases they are, as in the fast-RNN example, or that `--save` wrote."""
    if _is_saved_with_norms(file):
        return norms(FAST_RNN, match["path"], whole, FAST_RNN.epsilon)
    is_example = not match["suffix"] and set(roles) == {"W_hx", "W_hh"}
    return norms(FAST_RNN, match["path"], whole) if is_example else LayerNorms()


def _is_saved_with_norms(file: TensorFile) -> bool:
    return file.configuration.get("vanishgrad", {}).get("norm") == "layer"


def _path(match: re.Match[str]) -> str:
    return match["path"].rstrip("./").replace("/", ".")


def _layer_name(match: re.Match[str]) -> str:
    parts = (_path(match), match["index"], "reverse" if match["reverse"] else None)
    return ".".join(part for part in parts if part)


def _layer(
    file: TensorFile, match: re.Match[str], roles: dict[str, Tensor], normed: LayerNorms, whole: Mapping[str, Tensor],
    hints: Hints,
) -> Layer:  # fmt: skip
    if "W_hx" not in roles:
        remedy = whole_checkpoint(file.path, "the whole state_dict")
        raise Unreadable(f"expected {_names(match)['W_hx']} beside {match[0]}, got none; try {remedy}")
    if _is_saved_with_norms(file) and not normed.roles:
        raise Unreadable("expected the layer norms that the file was saved with, got none; try saving it again")
    layer = fitted(
        file, _layer_name(match), {**roles, **normed.roles}, PYTORCH, hints, _stated(file, match, roles),
        why=_why(match, roles),
        layout="pytorch",
        path=_path(match),
        layer_index=int(match["index"] or 0),
        direction="backward" if match["reverse"] else "forward",
        driven_by=_below(match, whole),
        variant=VARIANT if normed.roles else _variant(file, roles),
        epsilon=normed.epsilon,
        assumptions=(*normed.note, *_absent(match, roles, whole)),
    )  # fmt: skip
    if "W_hr" in roles and layer.cell != "lstm":
        raise Unreadable(f"expected a projection on an LSTM only, got weight_hr on a {layer.cell}; try the whole file")
    if "w_c" in roles and layer.cell != "lstm":
        raise Unreadable(f"expected peepholes on an LSTM only, got weight_ph on a {layer.cell}; try the whole file")
    return normed.require_lstm(layer)


def _variant(file: TensorFile, roles: Mapping[str, Tensor]) -> str:
    if "vanishgrad" in file.configuration and len(roles["W_hh"].shape) == 3:
        return UNTIED
    return "projected" if "W_hr" in roles else "peephole" if "w_c" in roles else ""


def _stated(file: TensorFile, match: re.Match[str], roles: Mapping[str, Tensor]) -> Stated:
    """Return what a file of `--save`, a captured run or a pickled module says; only an RNN leaves anything open."""
    saved = file.configuration.get("vanishgrad") or file.configuration.get(CAPTURED, {}).get(match["path"])
    if saved:
        activation, gate = (CHOICES.get(str(saved.get(name))) for name in ("activation", "gate_activation"))
        reset, keep, cell = (str(saved.get(name)) for name in ("reset", "keep", "cell"))
        return Stated(activation, gate, reset, keep, cell=cell)
    modules = file.configuration.get("pytorch", {})
    words = (modules.get(match["path"] + word) for word in ("mode", "nonlinearity"))
    shape = roles["W_hh"].shape
    is_open = len(shape) == 2 and shape[0] == shape[1]
    return Stated(
        activation=next((NONLINEARITIES[word] for word in words if word in NONLINEARITIES), None),
        open=("activation",) if is_open else (),
    )


def _below(layer_match: re.Match[str], whole: Mapping[str, Tensor]) -> tuple[str, ...] | None:
    index = int(layer_match["index"] or 0)
    if index == 0:
        return None
    stem = f"{layer_match['path']}weight_hh_l{index - 1}"
    below = [match for each in (stem, f"{stem}_reverse") if each in whole and (match := NAMES.fullmatch(each))]
    return tuple(map(_layer_name, below)) or None


def _absent(match: re.Match[str], roles: Mapping[str, Tensor], whole: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield a note for each bias, and for the layer below, that PyTorch saves with what is there."""
    other = match["path"] + "bias_ih" + (match["suffix"].removesuffix("_reverse") if match["reverse"] else "")
    if "b_x" in roles or "b_h" in roles or (match["reverse"] and other in whole):
        for role in (each for each in ("b_x", "b_h") if each not in roles):
            yield english(
                "{name} is not in the file and taken to be 0; try the whole checkpoint", name=shown(_names(match)[role])
            )
    below = int(match["index"] or 0) - 1
    if below >= 0 and not any(f"{match['path']}weight_hh_l{below}{end}" in whole for end in ("", "_reverse")):
        yield english("layer {index}, which drives this one, is not in the file; try the whole checkpoint", index=below)


def _why(match: re.Match[str], roles: Mapping[str, Tensor]) -> str:
    matrix = roles["W_hh"]
    module = english("a layer of nn.RNN, nn.GRU or nn.LSTM") if match["index"] else english("a cell class")
    names = {"name": match[0], "shape": shape_text(matrix.shape), "partner": ROLES["W_hx"] + match["suffix"]}
    if not matrix.sources:
        return english("{name} {shape} and {partner} are PyTorch's names for {module}", **names, module=module)
    leaves = " and ".join(leaf.name for leaf in matrix.sources)
    return english(
        "{name} {shape}, folded from {leaves}, and {partner} are PyTorch's names for {module}",
        **names, leaves=leaves, module=module,
    )  # fmt: skip


def _refuse(reason: str, remedy: str) -> Layer:
    raise Unreadable(f"expected plain weights, got {reason}; try {remedy}")
