"""The recurrent layers of a file or of a state dict: from names, shapes and configuration alone."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from vanishgrad.cells.registry import CELLS
from vanishgrad.errors import HostileContentWarning, VanishgradError
from vanishgrad.weights.accounting import Accounts
from vanishgrad.weights.folding import without_pieces
from vanishgrad.weights.formats import open_tensors
from vanishgrad.weights.formats.pickled_calls import sentence
from vanishgrad.weights.hints import Hints, Unreadable
from vanishgrad.weights.layers import Layer, LayerFile
from vanishgrad.weights.layouts import LAYOUTS, Sighting, plausible_sightings
from vanishgrad.weights.layouts.keras_model import embeddings
from vanishgrad.weights.nothing_found import nothing_found
from vanishgrad.weights.state_dict import live_tensors
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

TRAINING = re.compile(
    r"(?:^|.*[./])(?:optimizer\w*|opt_state|optim)(?:[./].*)?|.*/\.OPTIMIZER_SLOT/.*|"
    r".*/(?:Adam|Momentum|RMSProp|Adagrad|Adadelta|Ftrl|ExponentialMovingAverage)(?:_\d+)?|beta[12]_power(?:_\d+)?"
)
"""Names of an optimiser's state, whose tensors have the shapes and sometimes the names of weights."""
DELTA = re.compile(r"(?:^|[./_])lora_[AB]")
"""Names of low-rank deltas of weights, which are no layers of their own and belong to the one that they stand in."""
INVISIBLE = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Parts of names that torch.compile, FSDP and activation checkpointing add."""
WRAPPERS = ("state_dict", "model_state_dict", "model_state", "module", "_orig_mod", "model", "params")
"""Leading parts of names that say how a model was wrapped or saved; dropped where every layer has them."""
NAMELESS = ("tflite", "openvino")
"""Formats whose graph alone says what a tensor is: only the layout of the same name reads them."""

LONGEST = 1000
"""Characters of a name; longer ones are no layer's."""


def recurrent_layers(source: str | os.PathLike[str] | Mapping[str, Any], **hints: Any) -> LayerFile:
    """Return the recurrent layers of a file of weights, or of a mapping of arrays; no number of a file is read.

    Parameters
    ----------
    source : path or mapping
        A file of any known format, or name → array; tensors of PyTorch, JAX and TensorFlow are taken as they are.
    **hints
        The attributes of `Hints`: the reading to take where the file leaves it open.

    Raises
    ------
    VanishgradError
        If the file cannot be read, or holds no recurrent layer that can.
    UsageError
        If a hint is not one of the names known.

    Warns
    -----
    HostileContentWarning
        If a pickle asks for calls that no file of weights needs; none is run.
    """
    file = live_tensors(source) if isinstance(source, Mapping) else open_tensors(source)
    if file.calls:
        warnings.warn(sentence(file.path, file.calls), HostileContentWarning, stacklevel=2)
    return layers_of(file, Hints(**hints))


def layers_of(file: TensorFile, hints: Hints) -> LayerFile:
    """Return the recurrent layers among the tensors of a file.

    Raises
    ------
    VanishgradError
        If there is none that can be read, or if a hint fits none.
    """
    layers, refused = _seen(file, hints)
    if not layers:
        raise VanishgradError(refused[0]) if refused else nothing_found(file)
    _require_useful(file, hints, layers)
    names = {name: f"{group}/vars/0" for name, group in embeddings(file.configuration.get("keras"))}
    return LayerFile(
        file.path, file.format, _ordered(layers), tuple(refused), file.tensors, file.calls, embeddings=names
    )


def from_state_dict(mapping: Mapping[str, Any], **hints: Any) -> LayerFile:
    """Return the recurrent layers of a live model's state dict, or of arrays by name; see `recurrent_layers`."""
    return recurrent_layers(mapping, **hints)


def _seen(file: TensorFile, hints: Hints) -> tuple[list[Layer], list[str]]:
    """Return the layers that are wholly understood, and a sentence for each of the others."""
    layers: list[Layer] = []
    refused: list[str] = []
    weights = {name: each for name, each in file.tensors.items() if not TRAINING.fullmatch(name)}
    sightings = _sightings(file, {name: each for name, each in weights.items() if len(name) < LONGEST}, hints)
    claimed = {claim for sighting in sightings for claim in sighting.claims}
    accounts = Accounts([each for name, each in weights.items() if name not in claimed], hints.ignore)
    for sighting in sightings:
        layer = _read(sighting, accounts)
        if isinstance(layer, Layer):
            layers.append(layer)
        else:
            refused.append(f"{file.path}: layer {shown(sighting.name) or 'at the top'}: {shown(str(layer), 1000)}")
    if layers or not refused:
        accounts.require_useful(file.path)
    return layers, refused


def _read(sighting: Sighting, accounts: Accounts) -> Layer | Unreadable:
    try:
        return accounts.complete(sighting.layer(), sighting.module)
    except Unreadable as reason:
        return reason


def _sightings(file: TensorFile, free: dict[str, Tensor], hints: Hints) -> list[Sighting]:
    """Return what every layout sees among the tensors that those before it have not claimed."""
    sightings: list[Sighting] = []
    free = {name: each for name, each in without_pieces(free, hints).items() if not DELTA.search(name)}
    owners = {leaf.name: name for name, each in free.items() for leaf in each.stored}
    for name in [file.format] if file.format in NAMELESS else LAYOUTS:
        for sighting in plausible_sightings(name, file, free, hints):
            sightings.append(sighting)
            for claim in sighting.claims:
                free.pop(owners.get(claim, claim), None)
    return sightings


def _require_useful(file: TensorFile, hints: Hints, layers: list[Layer]) -> None:
    """Refuse a hint that no layer of the file can take."""
    cells = {layer.cell for layer in layers} & set(CELLS)
    if hints.reset and not any("reset" in CELLS[cell].variants for cell in cells):
        raise VanishgradError(
            f"expected a GRU in {file.path} for --reset, got {' and '.join(sorted(cells))}; try without it"
        )
    if hints.interleaved and not any(len(CELLS[cell].gates) > 1 for cell in cells):
        raise VanishgradError(f"expected gates in {file.path} for --interleaved, got rnn; try without it")
    if hints.gate_activation and not any(CELLS[cell].words for cell in cells):
        raise VanishgradError(f"expected gates in {file.path} for --gate-activation, got rnn; try without it")


def _ordered(layers: list[Layer]) -> tuple[Layer, ...]:
    """Return the layers with short, distinct names and with only such stacking as their widths allow."""
    stems, names = _short_names(layers)
    new = {layer.name: (name, layer.output_size) for layer, name in zip(layers, names, strict=True)}
    alone = len({layer.path for layer in layers}) == 1
    return tuple(
        replace(layer, name=name, path=stem, why=shown(layer.why, 500), driven_by=_below(layer, new, alone))
        for layer, name, stem in zip(layers, names, stems, strict=True)
    )


def _below(layer: Layer, new: Mapping[str, tuple[str, int]], alone: bool) -> tuple[str, ...] | None:
    if layer.driven_by is None:
        return () if alone and layer.layer_index == 0 else None
    if not layer.driven_by:
        return ()
    below = [new[name] for name in layer.driven_by if name in new]
    fits = len(below) == len(layer.driven_by) and sum(width for _, width in below) == layer.input_size
    return tuple(name for name, _ in below) if fits else None


def _short_names(layers: list[Layer]) -> tuple[list[str], list[str]]:
    """Return the layers' paths without what all of them begin with in vain, and their names, all different."""
    dropped = _shared_wrappers([layer.path for layer in layers])
    stems: list[str] = []
    names: dict[str, None] = {}
    for layer in layers:
        path = layer.path.split(".")[dropped:] if layer.path else []
        stem = shown(".".join(part for part in path if part not in INVISIBLE) or layer.cell, 200)
        rest = layer.name[len(layer.path) :].strip(".")
        stems.append(stem)
        names[_untaken(f"{stem}.{rest}" if rest else stem, names)] = None
    return stems, list(names)


def _untaken(name: str, names: Collection[str]) -> str:
    return name if name not in names else next(each for k in count(2) if (each := f"{name}_{k}") not in names)


def _shared_wrappers(paths: list[str]) -> int:
    split = [path.split(".") for path in paths]
    shared = 0
    while (
        all(shared < len(parts) and parts[shared] in WRAPPERS for parts in split)
        and len({parts[shared] for parts in split}) == 1
    ):
        shared += 1
    return shared
