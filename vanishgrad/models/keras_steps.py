"""One-step Jacobians of a Keras layer over a cell of one's own, ``RNN(cell)``, by automatic differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.models.captured_run import CapturedCall, TakenSteps, demand_inputs
from vanishgrad.models.step_jacobians import About, Step, demand_room, derivatives, replayed, tolerance_of


def initial_state_of(layer: Any, initial_state: Any, batch: int) -> Any:
    """Return where a layer starts: what its call is given, a stateful layer's state, or its own."""
    if initial_state is None:
        initial_state = layer.states if layer.stateful else layer.get_initial_state(batch_size=batch)
    return list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]


def recorded_keras_call(
    layer: Any, path: str, xs: Array, taken: Array, initial_state: Any, training: Any = False
) -> CapturedCall:
    """Return the derivatives of every step of a layer's cell, along a run of the cell in float64.

    Parameters
    ----------
    layer : keras.layers.RNN
    path : str
        What the layer is called by.
    xs : (B, T, d) array
        Its input, in the order of the batch.
    taken : (B, T) array of bool
        What its mask says; a masked step hands the state on.
    initial_state : list of tensors
    training : bool, optional
        What the layer is called with.

    Raises
    ------
    VanishgradError
        With another backend than PyTorch, for a cell that is no layer or whose state is no vector, and as
        `derivatives`.
    """
    import keras
    import torch

    cell = layer.cell
    if keras.backend.backend() != "torch" or not isinstance(cell, keras.Layer):
        raise VanishgradError(
            f"expected a keras.Layer with PyTorch behind Keras as the cell of {path}, which is differentiated, got "
            f"{type(cell).__name__} with {keras.backend.backend()}; try KERAS_BACKEND=torch"
        )
    parts = keras.tree.flatten(initial_state)
    if any(part.ndim != 2 for part in parts):
        shapes = " and ".join(str(tuple(part.shape)) for part in parts)
        raise VanishgradError(f"expected states (batch, units) of {path}, got {shapes}; try a cell whose state is a "
                              "vector")  # fmt: skip
    demand_inputs(path, xs)
    if layer.go_backwards:
        xs, taken = xs[:, ::-1], taken[:, ::-1]
    kind, sizes = type(cell).__name__, [int(part.shape[-1]) for part in parts]
    about, (B, T, d), m = About(path, kind, parts[0].device), xs.shape, sum(sizes)
    demand_room(about, T, B, m, d)
    J, J_x, states = np.empty((B, T, m, m)), np.empty((B, T, m, d)), np.empty((B, T + 1, m))
    states[:, 0] = _side_by_side(parts)
    step, tolerance = _step(cell, initial_state, sizes, training), tolerance_of(torch.float32)
    for t in range(T):
        # Keras casts to float32 within steps of any type: its own step is known to that
        own = _own_step(layer, initial_state, sizes, states[:, t], xs[:, t], training)
        J[:, t], J_x[:, t], end = derivatives(about, step, states[:, t], xs[:, t], (own, tolerance))
        states[:, t + 1] = np.where(taken[:, t, None], end, states[:, t])
    return replayed(about, sizes, TakenSteps(path, taken), (J, J_x, states, xs))


def _step(cell: Any, initial_state: Any, sizes: list[int], training: Any) -> Step:
    """Return a cell as a function of state and input alone, on float64 copies of its variables."""
    import keras
    import torch

    def copies(variables: Any) -> list[Any]:
        values = [variable.value.detach().clone() for variable in variables]
        return [value.double() if value.is_floating_point() else value for value in values]

    held = copies(cell.trainable_variables), copies(cell.non_trainable_variables)
    named = {"training": training} if cell._call_has_training_arg else {}

    def step(s: Any, x: Any) -> Any:
        state = keras.tree.pack_sequence_as(initial_state, list(torch.split(s, sizes, dim=-1)))
        (_, after), _ = cell.stateless_call(*held, x, state, **named)
        return torch.cat(keras.tree.flatten(after), dim=-1)

    return step


def _own_step(layer: Any, initial_state: Any, sizes: list[int], s: Array, x: Array, training: Any) -> Array:
    """Return the next state as the layer's own loop has it, in its own precision."""
    import keras
    import torch

    first = keras.tree.flatten(initial_state)[0]
    parts = [
        torch.as_tensor(part, dtype=first.dtype, device=first.device)
        for part in np.split(s, np.cumsum(sizes)[:-1], axis=-1)
    ]
    state = keras.tree.pack_sequence_as(initial_state, parts)
    given = torch.as_tensor(np.ascontiguousarray(x[:, None]), dtype=first.dtype, device=first.device)
    return _side_by_side(keras.tree.flatten(layer.inner_loop(given, state, None, training)[2]))


def _side_by_side(parts: list[Any]) -> Array:
    import keras

    return np.concatenate([np.array(keras.ops.convert_to_numpy(part), dtype=np.float64) for part in parts], axis=-1)
