"""A captured run: weights of a model's recurrent layers with the inputs and states that a batch gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputRequest, InputSequences
from vanishgrad.inputs.sources import Held
from vanishgrad.weights.hints import Hints, flag
from vanishgrad.weights.layers import Layer, LayerFile
from vanishgrad.weights.recognition import layers_of
from vanishgrad.weights.state_dict import live_tensors
from vanishgrad.weights.tensors import TensorFile

CAPTURED = "captured"
"""The name of an input that was captured, where others are ``white`` or the path of a file."""


@dataclass(frozen=True, eq=False)
class CapturedCall:
    """One call of a recurrent module.

    Attributes
    ----------
    weights : mapping
        Name → array, under PyTorch's names within the module.
    nonlinearity : str
        ``tanh`` or ``relu``, as an RNN's module says; of no meaning for the others.
    xs : (B, T, d) array
        What the module was given, each sequence from its first step on.
    lengths : (B,) array of int
        The valid steps of each sequence.
    starts : (L, B, m) array
        The full initial state of each of its layers and directions, in PyTorch's order.
    directions : int
        1, or 2 of a bidirectional module.
    """

    weights: Mapping[str, Array]
    nonlinearity: str
    xs: Array
    lengths: Array
    starts: Array
    directions: int = 1

    def start(self, layer: Layer) -> Array:
        """Return the initial state of one of its layers, (B, m)."""
        row: Array = self.starts[layer.layer_index * self.directions + (layer.direction == "backward")]
        return row

    def sequences(self, request: InputRequest) -> InputSequences:
        """Return the first `trials` of its sequences, aligned at their end.

        Raises
        ------
        UsageError
            For an option that the run itself answers, or more trials than it has.
        """
        for name in ("steps", "lengths", "padding", "mask", "burn_in"):
            if getattr(request, name) != getattr(InputRequest, name):
                raise UsageError(f"expected no {flag(name)} with a captured run, which says it; try leaving it out")
        trials, steps = request.trials or len(self.xs), int(self.lengths.max())
        if trials > len(self.xs):
            raise UsageError(f"expected --trials up to {len(self.xs)}, the batch's sequences, got {trials}")
        lengths = self.lengths[:trials]
        moved = np.zeros((trials, steps, self.xs.shape[2]))
        for b, length in enumerate(lengths):
            moved[b, steps - length :] = self.xs[b, :length]
        late = steps - int(lengths.max())
        return InputSequences(Held(moved[:, late:], request.dtype, CAPTURED), 0, lengths, CAPTURED)


class CapturedRun(Mapping[str, Any]):
    """Every call of the recurrent modules of a model along one batch; as a mapping, name → array of weights.

    Parameters
    ----------
    calls : mapping
        Name of the module, with ``#2`` from its second call on → `CapturedCall`.
    """

    def __init__(self, calls: Mapping[str, CapturedCall]) -> None:
        self.calls = dict(calls)
        self._weights = {
            f"{name}.{key}": value for name, call in self.calls.items() for key, value in call.weights.items()
        }

    def __getitem__(self, name: str) -> Array:
        return self._weights[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def layers(self, hints: Hints) -> LayerFile:
        """Return the layers of its modules.

        Raises
        ------
        VanishgradError
            As `layers_of`.
        """
        told = {f"{name}.nonlinearity": call.nonlinearity for name, call in self.calls.items()}
        tensors = live_tensors(self)
        return layers_of(TensorFile("the module", tensors.format, tensors.tensors, {"pytorch": told}), hints)

    def calls_by_path(self, file: LayerFile) -> dict[str, CapturedCall]:
        """Return the calls by the paths of their layers: names without the wrappers that all of them begin with."""
        wanted = {layer.path for layer in file}
        for dropped in range(max(name.count(".") for name in self.calls) + 1):
            stems = {".".join(name.split(".")[dropped:]): call for name, call in self.calls.items()}
            if wanted <= stems.keys():
                return stems
        raise VanishgradError(f"expected layers under {', '.join(self.calls)}, got {', '.join(sorted(wanted))}")
