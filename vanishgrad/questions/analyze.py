"""The recurrent layers of a file of weights, each along its own input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.cells.stack import Stack
from vanishgrad.curves.model_result import ModelResult, Prepared, Subject, model_result
from vanishgrad.curves.processes import blas_threads
from vanishgrad.curves.request import CurvesRequest
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputRequest, InputSequences, initial_state, input_sequences, white_std
from vanishgrad.propagation.backends import backend
from vanishgrad.propagation.run import run
from vanishgrad.weights.layers import Layer, LayerFile
from vanishgrad.weights.recognition import recurrent_layers

UNKNOWN_ORDER = "not known to be stacked: driven by input of its own width; --stack A,B tells the order"


@dataclass(frozen=True)
class AnalyzeRequest(CurvesRequest):
    """Every option of an analysis.

    Attributes
    ----------
    weights : tuple of str
        Files of weights.
    layers, stack : tuple of str
        Names to analyse, all if empty; names in the order in which they drive one another.
    embedding : str or None
        A matrix of the same file through which token ids go.
    layout, cell, activation, gate_activation, reset : str or None
        The reading where a file leaves it open.
    """

    weights: tuple[str, ...]
    layers: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    embedding: str | None = None
    layout: str | None = None
    cell: str | None = None
    activation: str | None = None
    gate_activation: str | None = None
    reset: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.embedding is not None and self.is_noise:
            raise UsageError("expected token ids for --embedding, got noise; try --input TOKENS.npy")

    @property
    def is_noise(self) -> bool:
        """Whether the layers are driven by generated input."""
        return self.input.partition(":")[0] in ("white", "zeros")

    @property
    def hints(self) -> dict[str, str | None]:
        """The reading that the user chooses."""
        return {name: getattr(self, name) for name in ("layout", "cell", "activation", "gate_activation", "reset")}

    def input_request(self) -> InputRequest:
        """Return what the request says about the input."""
        return InputRequest(
            self.input, self.steps, self.trials, None, self.burn_in, self.lengths, self.seed, self.dtype, repeated=False
        )


@dataclass(frozen=True, eq=False)
class AnalyzeResult:
    """One result for each layer, and a sentence for each layer that could not be read."""

    request: AnalyzeRequest
    models: tuple[ModelResult, ...]
    refused: tuple[str, ...]


def analyze(
    request: AnalyzeRequest,
    source: Mapping[str, Any] | None = None,
    done: Callable[[str], None] = lambda label: None,
) -> AnalyzeResult:
    """Measure every layer that a request names; `source` is a mapping of arrays instead of files.

    Raises
    ------
    VanishgradError
        If a file or its input does not fit.
    """
    files = [recurrent_layers(each, **request.hints) for each in ([source] if source is not None else request.weights)]
    results = []
    backend(request.backend, request.device).demand()
    largest = max(layer.hidden_size for file in files for layer in file)
    with blas_threads(largest, jobs=1):
        for file, prefix in zip(files, _prefixes(files), strict=True):
            for each in LayerRuns(file, request, prefix).prepared():
                results.append(_result(each, request))
                done(each.subject.label)
    return AnalyzeResult(request, tuple(results), tuple(sentence for file in files for sentence in file.refused))


def _result(found: Prepared, request: AnalyzeRequest) -> ModelResult:
    on = backend(request.backend, request.device)
    return model_result(
        found.subject, found.sequences, found.s0, request.threshold, request.seed, request.scope, request.engine, on
    )


def _prefixes(files: list[LayerFile]) -> list[str]:
    """Return what tells the layers of several files apart: their names, or their paths where names repeat."""
    if len(files) == 1:
        return [""]
    names = [Path(file.path).name for file in files]
    return [f"{name if names.count(name) == 1 else file.path}:" for name, file in zip(names, files, strict=True)]


class LayerRuns:
    """The layers of one file, and what each puts out for the one above."""

    def __init__(self, file: LayerFile, request: AnalyzeRequest, prefix: str = "") -> None:
        self._file, self._request, self._prefix = file, request, prefix
        self._embedding = None if request.embedding is None else file.embedding(request.embedding)
        self._cells: dict[str, Cell] = {}
        self._stack = _stack(file, request.stack)

    def prepared(self) -> Iterator[Prepared]:
        """Yield every layer that the request names, with its input."""
        for layer in self._file.select(self._request.layers):
            sequences, notes = self._drive(layer)
            cell = self._cell(layer)
            subject = Subject(
                self._prefix + layer.name, _spec(layer), cell, _source(layer), (*layer.assumptions, *notes)
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
            self._cells[layer.name] = layer.build(np.dtype(self._request.dtype))
        return self._cells[layer.name]

    def _start(self, layer: Layer, sequences: InputSequences) -> Array:
        request = self._request
        return initial_state(
            request.initial, self._cell(layer), layer.cell, sequences.trials, request.seed, request.dtype
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
        sequences = input_sequences(self._request.input_request(), layer.input_size, self._embedding)
        notes = [] if known or not self._request.is_noise else [UNKNOWN_ORDER]
        if sequences.input_size != layer.input_size:
            hint = "try --layer" if known else "try --stack, or --layer"
            raise VanishgradError(
                f"expected inputs of width {layer.input_size} for {layer.name}, got {sequences.input_size} in "
                f"{self._request.input!r}; {hint}"
            )
        return sequences, notes + self._scale_note(layer)

    def _scale_note(self, layer: Layer) -> list[str]:
        """Warn where noise stands in for an embedding of another scale."""
        if not self._request.input.startswith("white"):
            return []
        std = white_std(self._request.input)
        for name, tensor in self._file.tensors.items():
            if "emb" in name.lower() and tensor.shape[1:] == (layer.input_size,):
                scale = float(np.std(tensor.read().astype(np.float64)))
                if scale and not 0.5 <= std / scale <= 2:
                    return [f"the embedding {name} has entries of size {scale:.2g}; try --input white:{scale:.2g}"]
        return []

    def _from_below(self, names: tuple[str, ...]) -> tuple[InputSequences, list[str]]:
        """Return the outputs of the layers below, side by side, in forward time."""
        parts, notes = [], list[str]()
        for name in names:
            layer = self._file[name]
            sequences, said = self._drive(layer)
            notes.extend(note for note in said if note not in notes)
            trajectory = run(self._cell(layer), sequences.xs, self._start(layer, sequences), sequences.first)
            out = np.swapaxes(trajectory.states[1:, :, : layer.output_size], 0, 1)
            outputs = sequences.with_inputs(np.ascontiguousarray(out))
            parts.append(_reversed(outputs) if layer.direction == "backward" else outputs)
        return parts[0].with_inputs(np.concatenate([part.xs for part in parts], axis=-1)), notes


def _stack(file: LayerFile, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return what drives each layer of --stack A,B,…: nothing below the first, then each by the one before."""
    layers = [file[name] for name in names]
    below: dict[str, tuple[str, ...]] = {layers[0].name: ()} if layers else {}
    for lower, upper in pairwise(layers):
        if lower.output_size != upper.input_size:
            raise VanishgradError(
                f"expected {upper.name} to take the {lower.output_size} outputs of {lower.name}, got an input of "
                f"{upper.input_size}; try another order in --stack"
            )
        below[upper.name] = (lower.name,)
    return below


def _reversed(sequences: InputSequences) -> InputSequences:
    """Turn time round, each sequence within its own length: from its last valid step to its first."""
    xs = sequences.xs.copy()
    for b, length in enumerate(sequences.lengths):
        late = sequences.steps - int(length)
        xs[b, late:] = sequences.xs[b, late:][::-1]
    return sequences.with_inputs(xs)


def _spec(layer: Layer) -> str:
    keys: dict[str, Any] = {
        "activation": layer.reading.activation.name,
        "gate_activation": layer.reading.gate_activation and layer.reading.gate_activation.name,
        "hidden": layer.hidden_size,
        "reset": layer.reading.reset,
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
    }
