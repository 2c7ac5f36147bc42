"""A captured run: weights of a model's recurrent layers with the inputs and states that a batch gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.lengths import PADDINGS, at_the_end
from vanishgrad.inputs.sequences import InputRequest, InputSequences
from vanishgrad.inputs.sources import Held
from vanishgrad.weights.formats.captured import CAPTURED, content, recorded_calls
from vanishgrad.weights.hints import Hints, flag
from vanishgrad.weights.layers import Layer, LayerFile
from vanishgrad.weights.recognition import layers_of
from vanishgrad.weights.tensors import TensorFile, stored_array

MASK = "a mask of its batch"


def demand_inputs(name: str, xs: Array) -> None:
    """Refuse inputs (B, T, d) of a module that hold no step, or no finite numbers, with where that is.

    Raises
    ------
    VanishgradError
    """
    if 0 in xs.shape:
        raise VanishgradError(f"expected a sequence of a step at {name}, got inputs {xs.shape}; try another batch")
    if not np.isfinite(xs).all():
        b, t, k = np.argwhere(~np.isfinite(xs))[0]
        raise VanishgradError(f"expected finite inputs at {name}, got {xs[b, t, k]} in sequence {b} at step {t + 1}; "
                              "try a batch without")  # fmt: skip


class TakenSteps:
    """Which steps of a batch are taken: each sequence from its first one on, up to its last one.

    The steps before hand the initial state on, those behind hand on the last: neither changes a norm.

    Parameters
    ----------
    name : str
        What a message calls them by.
    taken : (B, T) array of bool

    Attributes
    ----------
    lengths : (B,) array of int
    gaps : (B, T) array of bool, or None
        Which steps within the lengths are taken; None where all are.

    Raises
    ------
    VanishgradError
        For a sequence without a step.
    """

    def __init__(self, name: str, taken: Array) -> None:
        if not taken.any(axis=1).all():
            row = int(np.flatnonzero(~taken.any(axis=1))[0])
            raise VanishgradError(f"expected a step that is not masked in every sequence of {name}, got none in "
                                  f"sequence {row}; try leaving that sequence out")  # fmt: skip
        self._first, last = taken.argmax(axis=1), taken.shape[1] - taken[:, ::-1].argmax(axis=1)
        self.lengths = (last - self._first).astype(np.int64)
        within = np.arange(taken.shape[1]) < self.lengths[:, None]
        self._own = np.take_along_axis(taken, self._places(taken.shape[1]), axis=1) & within
        self.gaps = None if (self._own == within).all() else self._own
        self._is_whole = bool(taken.all())

    def _places(self, count: int) -> Array:
        places: Array = np.minimum(np.arange(count) + self._first[:, None], count - 1)
        return places

    def of_steps(self, values: Array) -> Array:
        """Return values (B, T, …) of steps, each sequence's from its first on, zero where no step is taken."""
        if self._is_whole:
            return values
        axes = (..., *[None] * (values.ndim - 2))
        moved = np.take_along_axis(values, self._places(values.shape[1])[axes], axis=1)
        own: Array = np.where(self._own[axes], moved, 0)
        return own

    def of_states(self, states: Array) -> Array:
        """Return states (B, T + 1, m), each sequence's from where it starts on."""
        if self._is_whole:
            return states
        return np.take_along_axis(states, self._places(states.shape[1])[..., None], axis=1)


def call_key(name: str, number: int) -> str:
    """Return what a module's call is named by: the module, with ``#2`` from its second call on."""
    return name if number == 1 else f"{name}#{number}"


@dataclass(frozen=True, eq=False)
class CapturedCall:
    """One call of a recurrent module.

    Attributes
    ----------
    weights : mapping
        Name → array, under PyTorch's names within the module.
    reading : mapping
        What its names and shapes do not say, as in a file of ``--save``: activation, cell, reset.
    xs : (B, T, d) array
        What the module was given, each sequence from its first step on.
    lengths : (B,) array of int
        The valid steps of each sequence.
    starts : (L, B, m) array
        The full initial state of each of its layers and directions, in PyTorch's order.
    directions : int
        1, or 2 of a bidirectional module.
    taken : (B, T) array of bool, optional
        Which steps within the lengths are not masked; None where none is.
    """

    weights: Mapping[str, Array]
    reading: Mapping[str, str]
    xs: Array
    lengths: Array
    starts: Array
    directions: int = 1
    taken: Array | None = None

    def start(self, layer: Layer) -> Array:
        """Return the initial state of one of its layers, (B, m)."""
        second = self.directions == 2 and layer.direction == "backward"
        row: Array = self.starts[layer.layer_index * self.directions + second]
        return row

    def sequences(self, request: InputRequest) -> InputSequences:
        """Return the first `trials` of its sequences, aligned at their end.

        Raises
        ------
        UsageError
            For an option that the run itself answers, or more trials than it has.
        """
        for name in ("lengths", "padding", "mask", "burn_in"):
            if getattr(request, name) != getattr(InputRequest, name):
                raise UsageError(f"expected no {flag(name)} with a captured run, which says it; try leaving it out")
        trials, longest = request.trials or len(self.xs), int(self.lengths.max())
        steps = request.steps or longest
        if trials > len(self.xs):
            raise UsageError(f"expected --trials up to {len(self.xs)}, the batch's sequences, got {trials}")
        if steps > longest:
            raise UsageError(
                f"expected --steps up to {longest}, the captured run's, got {steps}; try --steps {longest}"
            )
        lengths = np.minimum(self.lengths[:trials], steps)
        steps = int(lengths.max())
        xs = at_the_end(self.xs[:trials, :steps], lengths, 0, PADDINGS[0])
        taken = None if self.taken is None else at_the_end(self.taken[:trials, :steps], lengths, 0, PADDINGS[0])
        return InputSequences(Held(xs, request.dtype, CAPTURED), 0, lengths, CAPTURED, taken)


class CapturedRun(Mapping[str, Any]):
    """Every call of the recurrent modules of a model along one batch; as a mapping, name → array of weights.

    Parameters
    ----------
    calls : mapping
        Name of the module, with ``#2`` from its second call on → `CapturedCall`.
    path : str
        The file that it was read from, if it was.
    tokens : tuple of str or None
        Names of the first sequence's steps.
    """

    def __init__(
        self, calls: Mapping[str, CapturedCall], path: str = "the module", tokens: tuple[str, ...] | None = None
    ) -> None:
        self.calls, self.path, self.tokens = dict(calls), path, tokens
        self._owners = {f"{name}.{key}": call for name, call in self.calls.items() for key in call.weights}
        self._weights = {
            f"{name}.{key}": value for name, call in self.calls.items() for key, value in call.weights.items()
        }

    def __getitem__(self, name: str) -> Array:
        return self._weights[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def __str__(self) -> str:
        return self.path

    def demand_inputs(self) -> None:
        """Refuse inputs as `demand_inputs` does, of every call."""
        for name, call in self.calls.items():
            demand_inputs(name, call.xs)

    @classmethod
    def read(cls, path: str) -> CapturedRun:
        """Return the run in a file.

        Raises
        ------
        VanishgradError
            If the file does not hold what a captured run has.
        """
        calls, tokens = recorded_calls(path)
        return cls({name: CapturedCall(**call) for name, call in calls.items()}, path, tokens)

    def content(self) -> bytes:
        """Return the run as a file."""
        return content({name: vars(call) for name, call in self.calls.items()}, self.tokens)

    def layers(self, hints: Hints) -> LayerFile:
        """Return the layers of its modules.

        Raises
        ------
        VanishgradError
            As `layers_of`.
        """
        readings = {f"{name}.": call.reading for name, call in self.calls.items()}
        tensors = {name: stored_array(name, weights) for name, weights in self._weights.items()}
        file = layers_of(TensorFile(self.path, CAPTURED, tensors, {CAPTURED: readings}), hints)
        layers = tuple(layer if self.call_of(layer).taken is None else replace(layer, masked_by=MASK) for layer in file)
        return replace(file, layers=layers, has_twins=False)

    def call_of(self, layer: Layer) -> CapturedCall:
        """Return the call that a layer's weights belong to."""
        return self._owners[layer.tensors[0].name]
