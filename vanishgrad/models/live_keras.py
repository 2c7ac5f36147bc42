"""Captured runs of Keras models: what each SimpleRNN, LSTM, GRU and RNN(cell) layer is given in a forward."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.models.captured_run import CapturedCall, CapturedRun, TakenSteps
from vanishgrad.models.keras_calls import mapped_layers, named_calls
from vanishgrad.models.keras_steps import initial_state_of, recorded_keras_call
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


def captured_keras_run(model: Any, batch: Any, trials: int | None = None, steps: int | None = None) -> CapturedRun:
    """Run a Keras model once on a batch, and return what its recurrent layers were given.

    Of an RNN over a cell of one's own, the one-step Jacobians are recorded (`keras_steps`).

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
    trials, steps : int, optional
        Of how many sequences and steps Jacobians are recorded, all by default.

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
    given: dict[Any, list[Given]] = {layer: [] for layer in paths}
    with _unchanged(model, paths):
        with ExitStack() as stack:
            for layer in paths:
                stack.enter_context(_recording(layer, given[layer]))
            model(_inputs(batch))
        calls = {
            layer: [_call(layer, path, each, slice(trials), slice(steps)) for each in given[layer]]
            for layer, path in paths.items()
        }
    if not any(calls.values()):
        raise VanishgradError(f"expected {model.name} to call {', '.join(paths.values())}, got no call; "
                              "try a batch that does")  # fmt: skip
    return CapturedRun(named_calls(calls, paths, mapped_layers(model)), f"the model {model.name}")


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


def _is_own(layer: Any) -> bool:
    """Whether a layer's cell, or one of its stacked cells, is none of Keras's."""
    return any(type(cell) not in _cell_classes() for cell in _cells(layer))


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


class Given(NamedTuple):
    """What a call of a layer is given: its input (B, T, d), which steps are taken, its start, and whether it trains."""

    xs: Array
    taken: Array
    state: Any
    training: bool


@contextmanager
def _recording(layer: Any, given: list[Given]) -> Iterator[None]:
    """Note what each call of a layer is given."""
    import keras

    own, call = layer.__dict__.get("call"), layer.call

    def recorded(sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False) -> Any:
        xs = _numbers(sequences)
        taken = np.ones(xs.shape[:2], bool) if mask is None else np.array(_host(mask), bool).reshape(xs.shape[:2])
        state = keras.tree.map_structure(_copy, initial_state_of(layer, initial_state, len(xs)))
        given.append(Given(xs, taken, state, bool(training)))
        return call(sequences, initial_state=initial_state, mask=mask, training=training)

    layer.__dict__["call"] = recorded
    try:
        yield
    finally:
        del layer.__dict__["call"]
        if own is not None:
            layer.__dict__["call"] = own


def _copy(values: Any) -> Any:
    import keras

    return keras.ops.copy(keras.ops.convert_to_tensor(values))


def _call(layer: Any, path: str, given: Given, trials: slice, steps: slice) -> CapturedCall:
    """Return a call of a layer; of a cell of one's own so many sequences and steps."""
    import keras

    if _is_own(layer):
        state = keras.tree.map_structure(lambda part: part[trials], given.state)
        xs, taken = given.xs[trials, steps], given.taken[trials, steps]
        return recorded_keras_call(layer, path, xs, taken, state, given.training)
    if given.training and any(cell.dropout or cell.recurrent_dropout for cell in _cells(layer)):
        raise VanishgradError(f"expected {path} without dropout, got it in training, with masks that are not recorded; "
                              "try a model that is called with training=False")  # fmt: skip
    cells = [_built(cell, path) for cell in _cells(layer)]
    about = {"cell": cells[0].name, **reading(cells[0])}
    if any({"cell": cell.name, **reading(cell)} != about or cell.hidden_size != cells[0].hidden_size for cell in cells):
        raise VanishgradError(f"expected stacked cells of one kind and size at {path}, got "
                              f"{', '.join(f'{cell.name} of {cell.hidden_size}' for cell in cells)}; "
                              "try a layer for each")  # fmt: skip
    weights = dict[str, Array]()
    for place, cell in enumerate(cells):
        weights |= named_tensors(cell, path, place if len(cells) > 1 else None, backward=layer.go_backwards)
    own, starts = TakenSteps(path, given.taken), _starts(given.state, cells)
    return CapturedCall(weights, about, own.of_steps(given.xs), own.lengths, starts, taken=own.gaps)


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


def _starts(initial_state: Any, cells: list[Cell]) -> Array:
    """Return the full initial state of each cell, h and then c, (L, B, m)."""
    import keras

    parts = iter([_numbers(state) for state in keras.tree.flatten(initial_state)])
    return np.stack([np.concatenate([next(parts) for _ in cell.parts], axis=-1) for cell in cells])
