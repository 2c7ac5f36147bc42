"""The recurrent layers of a file of weights, each along its own input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.cells.recorded import Recorded
from vanishgrad.cells.stack import Stack
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.inputs.masks import MaskRule
from vanishgrad.inputs.sequences import InputSequences, input_sequences, white_std
from vanishgrad.languages import english
from vanishgrad.models.captured_run import CapturedRun
from vanishgrad.models.options import ModelOptions
from vanishgrad.models.subject import Prepared, Subject
from vanishgrad.propagation.run import run
from vanishgrad.weights.formats.captured import CAPTURED
from vanishgrad.weights.layers import Layer, LayerFile

NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
READ_OUT_BY_OTHERS = ("state_space", "xlstm")
"""Layouts whose layers are read out by what stands behind the recurrence."""
UNKNOWN_ORDER = english("not known to be stacked: driven by input of its own width; --stack A,B tells the order")


class LayerRuns:
    """The layers of one file, and what each puts out for the one above."""

    def __init__(
        self, file: LayerFile, options: ModelOptions, prefix: str = "", captured: CapturedRun | None = None
    ) -> None:
        self._file, self._options, self._prefix = file, options, prefix
        self._captured = captured if options.input == CAPTURED else None
        self._embedding = None if options.embedding is None else file.embedding(options.embedding)
        self._cells: dict[str, Cell] = {}
        self._stack = _stack(file, options.stack)

    def prepared_subjects(self) -> Iterator[Prepared]:
        """Yield every layer that the options name, with its input."""
        for layer in self._file.select(self._options.layer):
            sequences, notes = self._drive(layer)
            cell = self._cell(layer)
            subject = Subject(
                self._prefix + _label(layer), _spec(layer), cell, _source(layer), (*layer.assumptions, *notes)
            )
            yield Prepared(subject, sequences, self._start(layer, sequences), self._stacked(layer, subject))

    def _stacked(self, top: Layer, subject: Subject) -> Prepared | None:
        """Return a layer and those below as one cell, if there are any and all go forward in time, each by one."""
        layers = [top]
        while below := self._stack.get(layers[0].name, layers[0].driven_by):
            if len(below) > 1:
                return None
            layers.insert(0, self._file[below[0]])
        if len(layers) == 1 or any(layer.direction == "backward" for layer in layers):
            return None
        sequences, _ = self._drive(layers[0])
        starts = [self._start(layer, sequences) for layer in reversed(layers)]
        cell = Stack([self._cell(layer) for layer in layers])
        return Prepared(replace(subject, cell=cell), sequences, np.concatenate(starts, axis=-1))

    def _cell(self, layer: Layer) -> Cell:
        if layer.name not in self._cells:
            cell = layer.build(np.dtype(self._options.dtype))
            self._cells[layer.name] = self._replay(layer, cell) if isinstance(cell, Recorded) else cell
        return self._cells[layer.name]

    def _replay(self, layer: Layer, cell: Recorded) -> Cell:
        """Return the recorded steps of the sequences that are measured."""
        options = self._options
        if self._captured is None or options.initial != "zeros":
            name = "--input" if self._captured is None else "--initial"
            raise VanishgradError(
                f"expected no {name} for {layer.name}, whose derivatives were recorded along one run and are not those "
                "of another; try leaving it out"
            )
        call = self._captured.call_of(layer)
        if call.xs.shape != cell.inputs.shape:
            raise VanishgradError(
                f"expected derivatives of all steps of {layer.name} in {self._captured}, got {cell.steps} of "
                f"{cell.trials} sequences for inputs {call.xs.shape}; try capturing it anew"
            )
        lengths = np.minimum(call.lengths, options.steps or cell.steps)[: options.trials]
        return cell.among(slice(options.trials)).aligned(lengths)

    def _start(self, layer: Layer, sequences: InputSequences) -> Array:
        options = self._options
        if self._captured and options.initial == "zeros":
            start = self._captured.call_of(layer).start(layer)[: sequences.trials]
            if start.shape[1] != self._cell(layer).state_size:
                raise VanishgradError(
                    f"expected starts of width {self._cell(layer).state_size} for {layer.name} in {self._captured}, "
                    f"got {start.shape[1]}; try capturing it anew"
                )
            return np.ascontiguousarray(start, dtype=options.dtype)
        if layer.starts_empty and options.initial == "zeros":
            cell: Any = self._cell(layer)
            empty: Array = cell.empty(sequences.trials).astype(options.dtype)
            return empty
        return initial_state(
            options.initial, self._cell(layer), layer.cell, sequences.trials, options.seed, options.dtype
        )

    def _drive(self, layer: Layer) -> tuple[InputSequences, list[str]]:
        """Return a layer's input in its own order of time, and what is to be said of it."""
        below = self._stack.get(layer.name, layer.driven_by)
        if below:
            sequences, notes = self._from_below(below)
        else:
            sequences, notes = self._own_input(layer, known=below is not None)
        return (_reversed(sequences) if layer.direction == "backward" else sequences), notes

    def _own_input(self, layer: Layer, known: bool) -> tuple[InputSequences, list[str]]:
        request = replace(self._options.layer_input(), one_hot_width=layer.input_size, rule=self._mask_rule(layer))
        if layer.starts_empty and self._options.initial == "zeros":
            request = replace(request, burn_in=max(request.burn_in, 1))
        if self._captured:
            known, tokens = True, self._captured.tokens
            sequences = replace(self._captured.call_of(layer).sequences(request), tokens=tokens)
        else:
            sequences = input_sequences(request, layer.input_size, self._embedding)
        notes = [] if known or not self._options.is_noise else [UNKNOWN_ORDER]
        if sequences.input_size != layer.input_size:
            hint = "try --layer" if known else "try --stack, or --layer"
            raise VanishgradError(
                f"expected inputs of width {layer.input_size} for {layer.name}, got {sequences.input_size} in "
                f"{self._options.input!r}; {hint}"
            )
        if layer.front is not None:
            sequences = sequences.with_inputs(np.ascontiguousarray(layer.front(sequences.xs)))
        return sequences, notes + self._scale_note(layer)

    def _mask_rule(self, layer: Layer) -> MaskRule | None:
        """Return what the model's own layers mask of the input that this layer gets."""
        kind, _, value = layer.masked_by.partition(" ")
        if kind == "mask_zero":
            return MaskRule() if self._embedding is not None else None
        return MaskRule(float(value)) if NUMBER.fullmatch(value) else None

    def _scale_note(self, layer: Layer) -> list[str]:
        """Warn where noise stands in for an embedding of another scale."""
        if not self._options.input.startswith("white"):
            return []
        std = white_std(self._options.input)
        for name, tensor in self._file.tensors.items():
            if "emb" in name.lower() and tensor.shape[1:] == (layer.input_size,):
                scale = float(np.std(tensor.read().astype(np.float64)))
                if scale and not 0.5 <= std / scale <= 2:
                    size = f"{scale:.2g}"
                    return [
                        english(
                            "the embedding {name} has entries of size {size}; try --input white:{deviation}",
                            name=name,
                            size=size,
                            deviation=size,
                        )
                    ]
        return []

    def _from_below(self, names: tuple[str, ...]) -> tuple[InputSequences, list[str]]:
        """Return the outputs of the layers below, side by side, in forward time."""
        parts, notes = [], list[str]()
        for name in names:
            layer = self._file[name]
            sequences, caveats = self._drive(layer)
            notes.extend(note for note in caveats if note not in (UNKNOWN_ORDER, *notes))
            trajectory = run(self._cell(layer), sequences.xs, self._start(layer, sequences), sequences.marks)
            out = np.swapaxes(trajectory.states[1:, :, : layer.output_size], 0, 1)
            outputs = sequences.with_inputs(np.ascontiguousarray(out))
            parts.append(_reversed(outputs) if layer.direction == "backward" else outputs)
        return parts[0].with_inputs(np.concatenate([part.xs for part in parts], axis=-1)), notes


def _stack(file: LayerFile, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return what drives each layer of --stack A,B,…: nothing below the first, then each by the one before.

    A name may be a module's: then its lowest layers are driven, and the outputs of its highest go on, side by side.
    """
    for layer in (layer for name in names for layer in file.select([name], "--stack")):
        if layer.layout in READ_OUT_BY_OTHERS:
            raise VanishgradError(
                f"expected layers whose state is what they put out in --stack, got {layer.name}, a {layer.cell} that "
                "is read out by weights of its own; try analysing each layer, or a captured run"
            )
    modules = [_Module(file, name) for name in names]
    below: dict[str, tuple[str, ...]] = dict.fromkeys((layer.name for layer in modules[0].lowest), ()) if names else {}
    for lower, upper in pairwise(modules):
        width = sum(layer.output_size for layer in lower.highest)
        for layer in upper.lowest:
            if width != layer.input_size:
                raise VanishgradError(
                    f"expected {layer.name} to take the {width} outputs of {lower.name}, got an input of "
                    f"{layer.input_size}; try another order in --stack"
                )
            below[layer.name] = tuple(each.name for each in lower.highest)
    return below


class _Module:
    """The layers under one name of --stack: a single one, or those of a module whose order the file tells."""

    def __init__(self, file: LayerFile, name: str) -> None:
        layers = file.select([name], "--stack")
        driving = {below for layer in layers for below in layer.driven_by or ()}
        names = {layer.name for layer in layers}
        self.name = name
        self.lowest = self._one_level([layer for layer in layers if not names & set(layer.driven_by or ())])
        self.highest = self._one_level([layer for layer in layers if layer.name not in driving])

    def _one_level(self, layers: list[Layer]) -> list[Layer]:
        """Return one layer, or both directions of one; refuse several whose order nobody has told."""
        if len({layer.direction for layer in layers}) < len(layers):
            raise VanishgradError(
                f"expected layers of a known order under {self.name!r} in --stack, got "
                f"{', '.join(layer.name for layer in layers)}; try naming each of them"
            )
        return layers


def _reversed(sequences: InputSequences) -> InputSequences:
    """Turn time round, each sequence within its own length: from its last valid step to its first."""
    xs, taken = sequences.xs.copy(), None if sequences.taken is None else sequences.taken.copy()
    for b, length in enumerate(sequences.lengths):
        own = slice(sequences.steps - int(length), None)
        xs[b, own] = sequences.xs[b, own][::-1]
        if taken is not None:
            taken[b, own] = taken[b, own][::-1].copy()
    tokens = sequences.tokens and sequences.tokens[: int(sequences.lengths[0])][::-1]
    return replace(sequences.with_inputs(xs), taken=taken, tokens=tokens)


def _label(layer: Layer) -> str:
    """Return a layer's name with its twins', and what it was read without."""
    return f"{layer.label} without {', '.join(layer.without)}" if layer.without else layer.label


def _spec(layer: Layer) -> str:
    keys: dict[str, Any] = {
        "activation": layer.reading.activation.name,
        "gate_activation": layer.reading.gate_activation and layer.reading.gate_activation.name,
        "hidden": layer.hidden_size,
        **layer.reading.variant,
        "variant": layer.variant or None,
    }
    return f"{layer.cell}@file:" + ",".join(f"{key}={value}" for key, value in keys.items() if value is not None)


def _source(layer: Layer) -> dict[str, Any]:
    return {
        "kind": "file",
        "path": layer.file,
        "layer": layer.name,
        "layer_index": layer.layer_index,
        "direction": layer.direction,
        "layout": layer.layout,
        "sha256": layer.sha256,
        "without": list(layer.without),
        "twins": list(layer.twins),
    }
