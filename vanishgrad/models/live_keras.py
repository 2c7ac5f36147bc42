"""Captured runs of Keras models: what each SimpleRNN, LSTM, GRU and RNN(cell) layer is given in a forward."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.models.captured_run import CapturedCall, CapturedRun, TakenSteps, call_key
from vanishgrad.models.live_torch import generators_unchanged
from vanishgrad.weights.hints import Hints
from vanishgrad.weights.recognition import layers_of
from vanishgrad.weights.save_npz import named_tensors, reading
from vanishgrad.weights.tensors import TensorFile, stored_array

KERNELS = ("kernel", "recurrent_kernel", "bias")
"""A cell's weights, in the order in which Keras stores them."""


def is_keras_model(source: object) -> TypeGuard[Any]:
    """Whether an object is a layer or model of Keras 3, which is not imported for the question."""
    keras = sys.modules.get("keras")
    return hasattr(keras, "Layer") and isinstance(source, keras.Layer)  # type: ignore[union-attr]


def captured_keras_run(model: Any, batch: Any) -> CapturedRun:
    """Run a Keras model once on a batch, and return what its recurrent layers were given.

    It is called as ``model(batch)``, without gradients. While it runs, each recurrent layer's `call` is an instance
    attribute that records and hands on, which reaches layers within wrappers too; variables, the states of stateful
    layers and those of random generators are afterwards what they were, also after an exception.

    Parameters
    ----------
    model : keras.Model or keras.Layer
        One that has been built.
    batch : tensor, array, list or mapping
        What the model is called with; of a DataLoader or a PyDataset the first batch, and of a tuple there the first
        entry, as ``fit`` takes it.

    Raises
    ------
    UsageError
        Without a batch.
    VanishgradError
        If the model has no recurrent layer, or one that cannot be recorded.
    """
    if batch is None or isinstance(batch, str):
        raise UsageError(
            f"expected a batch to call {model.name} with, got {batch!r}; try input=BATCH, as the model takes it"
        )
    paths = _recurrent_layers(model)
    calls: dict[Any, list[CapturedCall]] = {layer: [] for layer in paths}
    with _unchanged(model, paths), ExitStack() as stack:
        for layer, path in paths.items():
            stack.enter_context(_recording(layer, path, calls[layer]))
        model(_inputs(batch))
    if not any(calls.values()):
        raise VanishgradError(f"expected {model.name} to call {', '.join(paths.values())}, got no call; "
                              "try a batch that does")  # fmt: skip
    return CapturedRun(_named(calls, paths, _mapped(model)), f"the model {model.name}")


def _recurrent_layers(model: Any) -> dict[Any, str]:
    """Return recurrent layer → its path; refuse those whose steps Keras's own cells do not tell."""
    import keras

    if not model.built:
        raise VanishgradError(f"expected a model that has been built, got {model.name}, whose weights its first batch "
                              "would make; try calling it on one")  # fmt: skip
    layers = dict[Any, str]()
    for path, layer in _within(model, "" if isinstance(model, keras.Model) else model.name):
        if isinstance(layer, keras.layers.RNN):
            _demand_own_steps(path, layer)
            layers[layer] = path
        elif isinstance(layer, _cell_classes()):
            raise VanishgradError(f"expected cells within keras.layers.RNN, got {path} of its own; "
                                  f"try RNN({layer.name})")  # fmt: skip
    if not layers:
        held = ", ".join(sorted({type(layer).__name__ for _, layer in _within(model, "")}))
        raise VanishgradError(f"expected an LSTM, GRU, SimpleRNN or RNN layer of Keras, got {held}; "
                              "try a model that holds one")  # fmt: skip
    return layers


def _within(layer: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield a layer and all within it but a recurrent one's cells, with paths; what is wrapped has its wrapper's."""
    import keras

    yield path, layer
    if isinstance(layer, keras.layers.RNN):
        return
    for inner in layer._layers:
        is_wrapper = isinstance(layer, keras.layers.Wrapper | keras.layers.Bidirectional)
        yield from _within(inner, path if is_wrapper else f"{path}.{inner.name}".strip("."))


def _cell_classes() -> tuple[Any, ...]:
    from keras import layers

    return layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell


def _cells(layer: Any) -> list[Any]:
    """Return a layer's cells, from the lowest on."""
    import keras

    is_stack = type(layer.cell) is keras.layers.StackedRNNCells
    return list(layer.cell.cells) if is_stack else [layer.cell]


def _demand_own_steps(path: str, layer: Any) -> None:
    from keras import layers

    usual = (layers.SimpleRNN, layers.LSTM, layers.GRU, layers.RNN)
    base = next(kind for kind in usual if isinstance(layer, kind))
    if type(layer).call is not base.call or type(layer).inner_loop is not base.inner_loop:
        raise VanishgradError(f"expected Keras's own call at {path}, got that of {type(layer).__name__}, whose steps "
                              "its weights do not tell; try a model without it")  # fmt: skip
    for cell in _cells(layer):
        if type(cell) not in _cell_classes():
            raise VanishgradError(f"expected cells SimpleRNNCell, LSTMCell or GRUCell at {path}, got "
                                  f"{type(cell).__name__}, whose steps its weights do not tell; "
                                  "try a model without it")  # fmt: skip


@contextmanager
def _unchanged(model: Any, layers: Mapping[Any, str]) -> Iterator[None]:
    """Put back variables, states and the states of random generators, whatever happens; no gradient is recorded."""
    import keras

    states = [state for layer in layers for state in keras.tree.flatten(layer.states or [])]
    before = [(variable, np.array(_host(variable))) for variable in (*model.variables, *states)]
    with ExitStack() as stack:
        stack.enter_context(generators_unchanged())
        if keras.backend.backend() == "torch":
            import torch

            stack.enter_context(torch.no_grad())
        try:
            yield
        finally:
            for variable, value in before:
                if not np.array_equal(_host(variable), value, equal_nan=True):
                    variable.assign(value)


def _inputs(batch: Any) -> Any:
    """Return what a model is called with: a batch as it is, of a loader the first one's inputs."""
    import keras

    if isinstance(batch, keras.utils.PyDataset):
        batch = batch[0]
    elif hasattr(batch, "batch_sampler"):
        batch = next(iter(batch))
    else:
        return batch
    return batch[0] if isinstance(batch, tuple | list) else batch


def _host(values: Any) -> Array:
    import keras

    array: Array = keras.ops.convert_to_numpy(values)
    return array


def _numbers(values: Any) -> Array:
    """Return a copy as float64."""
    return np.array(_host(values), dtype=np.float64)


@contextmanager
def _recording(layer: Any, path: str, calls: list[CapturedCall]) -> Iterator[None]:
    """Note what each call of a layer is given."""
    own, call = layer.__dict__.get("call"), layer.call

    def recorded(sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False) -> Any:
        if training and any(cell.dropout or cell.recurrent_dropout for cell in _cells(layer)):
            raise VanishgradError(f"expected {path} without dropout, got it in training, with masks that are not "
                                  "recorded; try a model that is called with training=False")  # fmt: skip
        calls.append(_call(layer, path, _numbers(sequences), initial_state, mask))
        return call(sequences, initial_state=initial_state, mask=mask, training=training)

    layer.__dict__["call"] = recorded
    try:
        yield
    finally:
        del layer.__dict__["call"]
        if own is not None:
            layer.__dict__["call"] = own


def _call(layer: Any, path: str, xs: Array, initial_state: Any, mask: Any) -> CapturedCall:
    cells = [_built(cell, path) for cell in _cells(layer)]
    about = {"cell": cells[0].name, **reading(cells[0])}
    if any({"cell": cell.name, **reading(cell)} != about or cell.hidden_size != cells[0].hidden_size for cell in cells):
        raise VanishgradError(f"expected stacked cells of one kind and size at {path}, got "
                              f"{', '.join(f'{cell.name} of {cell.hidden_size}' for cell in cells)}; "
                              "try a layer for each")  # fmt: skip
    weights = dict[str, Array]()
    for place, cell in enumerate(cells):
        weights |= named_tensors(cell, path, place if len(cells) > 1 else None, backward=layer.go_backwards)
    taken = np.ones(xs.shape[:2], bool) if mask is None else np.array(_host(mask), bool).reshape(xs.shape[:2])
    own, starts = TakenSteps(path, taken), _starts(layer, initial_state, len(xs), cells)
    return CapturedCall(weights, about, own.of_steps(xs), own.lengths, starts, taken=own.gaps)


def _built(cell: Any, path: str) -> Cell:
    """Return our cell of one of Keras's, read as a file of it is."""
    import keras

    kind = type(cell).__name__.removesuffix("Cell")
    group = f"layers/{'simple_rnn' if kind == 'SimpleRNN' else kind.lower()}/cell/vars"
    weights = [_numbers(tensor) for key in KERNELS if (tensor := getattr(cell, key, None)) is not None]
    tensors = {f"{group}/{k}": stored_array(f"{group}/{k}", values) for k, values in enumerate(weights)}
    layers = [{"class_name": kind, "config": {**cell.get_config(), "name": path}}]
    model = {"class_name": "Sequential", "config": {"layers": layers}}
    file = TensorFile("the model", "keras", tensors, {"keras": model, "keras_version": keras.__version__})
    return layers_of(file, Hints()).layers[0].build()


def _starts(layer: Any, initial_state: Any, batch: int, cells: list[Cell]) -> Array:
    """Return the full initial state of each cell, h and then c, (L, B, m)."""
    import keras

    if initial_state is None:
        initial_state = layer.states if layer.stateful else layer.get_initial_state(batch_size=batch)
    parts = iter([_numbers(state) for state in keras.tree.flatten(initial_state)])
    return np.stack([np.concatenate([next(parts) for _ in cell.parts], axis=-1) for cell in cells])


def _mapped(model: Any) -> list[Any]:
    """Return what stands within TimeDistributed, which calls it once for each of its steps."""
    import keras

    layers = model._flatten_layers()
    return [inner for each in layers if isinstance(each, keras.layers.TimeDistributed)
            for inner in each._flatten_layers()]  # fmt: skip


def _named(
    calls: Mapping[Any, list[CapturedCall]], paths: Mapping[Any, str], mapped: Collection[Any]
) -> dict[str, CapturedCall]:
    """Return the calls by their layers' paths, with ``#2`` from the second on; both directions are one call."""
    named = dict[str, CapturedCall]()
    for layer, own in calls.items():
        for number, call in enumerate([_one_batch(own)] if own and layer in mapped else own, 1):
            key = call_key(paths[layer], number)
            if key not in named:
                named[key] = call
            elif named[key].reading == call.reading and named[key].starts.shape == call.starts.shape:
                named[key] = _both_directions(named[key], call)
            else:
                named[key.replace(paths[layer], f"{paths[layer]}.{layer.name}")] = call
    return named


def _one_batch(calls: list[CapturedCall]) -> CapturedCall:
    """Return the sequences of calls of one shape as one batch."""
    xs, lengths = (np.concatenate([getattr(call, name) for call in calls]) for name in ("xs", "lengths"))
    within = [np.arange(call.xs.shape[1]) < call.lengths[:, None] for call in calls]
    own = np.concatenate([rest if call.taken is None else call.taken for call, rest in zip(calls, within, strict=True)])
    taken = None if all(call.taken is None for call in calls) else own
    return replace(calls[0], xs=xs, lengths=lengths, taken=taken,
                   starts=np.concatenate([call.starts for call in calls], axis=1))  # fmt: skip


def _both_directions(one: CapturedCall, other: CapturedCall) -> CapturedCall:
    """Return the calls of a Bidirectional's halves, which are given the same inputs, as one."""
    backward, forward = sorted((one, other), key=lambda call: not any(key.endswith("_reverse") for key in call.weights))
    starts = np.stack([forward.starts, backward.starts], axis=1).reshape(-1, *forward.starts.shape[1:])
    return replace(forward, weights={**forward.weights, **backward.weights}, starts=starts, directions=2)
