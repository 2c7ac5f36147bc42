"""Recorder of PyTorch's own recurrent layers and cells: the hook that copies what each call is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.models.captured_run import CapturedCall, TakenSteps, call_key
from vanishgrad.models.state_chains import changed_state, steps_taken

if TYPE_CHECKING:
    from vanishgrad.models.torch_modes import StateBlends


class LayerRecorder:
    """The forward hook: it copies what each call was given, and joins a cell's calls to sequences.

    Attributes
    ----------
    parts : mapping
        Name → the parts of the state that its last call was given.
    broken : mapping
        Name of a cell whose state was changed between two steps → that, as a sentence.
    """

    def __init__(self, names: Mapping[Any, str], blends: StateBlends, layers: Mapping[Any, str]) -> None:
        self._names, self._blends, self._layers = names, blends, layers
        self._pending: tuple[Any, Any, Any, Any] | None = None
        self._starts: dict[str, Array] = {}
        self._outputs: dict[str, Array] = {}
        self._last: dict[str, tuple[Any, Any]] = {}
        self._taken: dict[str, list[Array]] = {}
        self._counts: dict[str, int] = {}
        self._calls: dict[str, CapturedCall] = {}
        self._inputs: dict[str, list[Array]] = {}
        self.parts: dict[str, list[Any]] = {}
        self.broken: dict[str, str] = {}

    def __call__(self, module: Any, positional: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
        xs, hx = [(*positional, None, None)[k] if k < len(positional) else named.get(key)
                  for k, key in enumerate(("input", "hx"))]  # fmt: skip
        if self._pending is not None and self._pending[0] is module:
            self._pending = None
        self._blends.is_paused = True
        try:
            self._record(self._names[module], module, xs, hx, output)
        finally:
            self._blends.is_paused = False

    def layer_function(self, weights: Sequence[Any], xs: Any, hx: Any, output: Any) -> None:
        """Note a call of a layer's function: that of a forward that the hook does not see, if it stays the last one."""
        self._take_pending()
        owner = next((each for each in self._layers if weights and each._flat_weights[0] is weights[0]), None)
        if owner is not None:
            self._pending = (owner, _copied(xs), _copied(hx), _copied(output))

    def _take_pending(self) -> None:
        """Record the last call of a layer's function, which no hook saw."""
        if self._pending is not None:
            (module, xs, hx, output), self._pending = self._pending, None
            demand_own_steps(self._layers[module], module)
            self._record(self._layers[module], module, xs, hx, output)

    def _record(self, name: str, module: Any, xs: Any, hx: Any, output: Any) -> None:
        from torch import nn

        if name in self.broken:
            return
        self.parts[name] = [] if hx is None else [part.detach().clone() for part in _parts(hx)]
        if isinstance(module, nn.RNNCellBase):
            self._step(name, module, xs, hx, output)
        else:
            self._layer(name, module, _layer_call(module, xs, hx), output)

    @property
    def calls(self) -> dict[str, CapturedCall]:
        """Name of a module, with ``#2`` from its second call on → what it was given, a cell's steps as one sequence.

        Raises
        ------
        VanishgradError
            If some steps are masked, and it cannot be seen whether the last one is.
        """
        self._take_pending()
        joined = dict[str, CapturedCall]()
        for key, call in self._calls.items():
            xs = np.concatenate([call.xs, *self._inputs.get(key, ())], axis=1)
            if key not in self._taken:
                joined[key] = replace(call, xs=xs, lengths=call.lengths + xs.shape[1] - call.xs.shape[1])
                continue
            is_masked = not all(each.all() for each in self._taken[key])
            last = self._blends.last_taken(key, *self._last[key], is_masked)
            own = TakenSteps(key, steps_taken(key, len(xs), self._taken[key], last))
            joined[key] = replace(call, xs=own.of_steps(xs), lengths=own.lengths, taken=own.gaps)
        return joined

    def _keep(self, name: str, call: CapturedCall) -> None:
        number = self._counts[name] = self._counts.get(name, 0) + 1
        self._calls[call_key(name, number)] = call

    def _layer(self, name: str, module: Any, call: CapturedCall, output: Any) -> None:
        """Append a layer's call to the sequence whose last state it starts from, or begin a sequence."""
        key = call_key(name, self._counts.get(name, 0))
        whole = not module.bidirectional and (call.lengths == call.xs.shape[1]).all()
        last = self._outputs.get(key)
        if last is not None and whole and call.starts.any() and np.array_equal(last, call.starts):
            self._inputs.setdefault(key, []).append(call.xs)
        else:
            self._keep(name, call)
        if whole:
            self._outputs[call_key(name, self._counts[name])] = _state(output[1]).reshape(call.starts.shape)

    def _step(self, name: str, cell: Any, x: Any, hx: Any, output: Any) -> None:
        """Append a step to the sequence whose last state it starts from, or begin a sequence."""
        import torch

        xs, new = _numbers(x), _state(output)
        start = np.zeros_like(new) if hx is None else _state(hx)
        key = call_key(name, self._counts.get(name, 0))
        taken = None if hx is None or key not in self._outputs else self._taken_before(key, start)
        if taken is not None and (taken.any() or start.any()):
            self._taken[key].append(taken)
            self._inputs.setdefault(key, []).append(xs.reshape(-1, 1, xs.shape[-1]))
        elif key in self._outputs and start.any():
            self.broken[name] = changed_state(name, len(self._taken[key]) + 1)
            self._calls = {key: call for key, call in self._calls.items() if key.partition("#")[0] != name}
            del self.parts[name]
            return
        else:
            self._keep(name, _cell_call(cell, xs, start))
            key = call_key(name, self._counts[name])
            self._taken[key] = []
        self._starts[key], self._outputs[key] = start, new
        h = _parts(output)[0].detach().clone()
        self._last[key] = (h, torch.zeros_like(h) if hx is None else _parts(hx)[0].detach().clone())
        self._blends.begin(key, [h])

    def _taken_before(self, key: str, start: Array) -> Array | None:
        """Return which sequences took the last step: those that start from its end; the others from where it started.

        None where some start elsewhere.
        """
        if start.shape != self._outputs[key].shape:
            return None
        ends, starts = (np.atleast_2d(start == before[key]).all(axis=-1) for before in (self._outputs, self._starts))
        return np.asarray(ends) if (ends | starts).all() else None


def _copied(value: Any) -> Any:
    """Return copies of tensors, packed or in a tuple, which later edits leave alone."""
    from torch.nn.utils.rnn import PackedSequence

    if isinstance(value, PackedSequence):
        return PackedSequence(value.data.detach().clone(), value.batch_sizes)
    return tuple(map(_copied, value)) if isinstance(value, tuple | list) else value.detach().clone()


def demand_own_steps(name: str, module: Any) -> None:
    """Refuse a layer whose weights and inputs do not tell its steps.

    Raises
    ------
    VanishgradError
    """
    from torch import nn
    from torch.nn.utils.parametrize import is_parametrized

    if isinstance(module, nn.RNNBase) and module.training and module.dropout and module.num_layers > 1:
        raise VanishgradError(f"expected {name} in eval mode, got training with dropout between its layers, whose "
                              "masks no hook sees; try module.eval()")  # fmt: skip
    if isinstance(module, nn.RNNCellBase) and is_parametrized(module):
        raise VanishgradError(f"expected plain weights at {name}, got a parametrised cell, whose weights change when "
                              "read; try torch.nn.utils.parametrize.remove_parametrizations")  # fmt: skip


def _parts(hx: Any) -> Any:
    return hx if isinstance(hx, tuple | list) else (hx,)


def _numbers(tensor: Any) -> Array:
    """Return a copy as float64 on the host, that later edits and inference mode leave alone."""
    import torch

    with torch.inference_mode(False):
        return np.array(tensor.detach().to("cpu", torch.float64).clone().numpy())


def _state(hx: Any) -> Array:
    """Return the full state, h and then c, side by side."""
    return np.concatenate([_numbers(part) for part in _parts(hx)], axis=-1)


def _reading(module: Any) -> dict[str, str]:
    """Return the activation of an nn.RNN or its cell; the others have but one."""
    return {"activation": module.nonlinearity} if hasattr(module, "nonlinearity") else {}


def _layer_call(module: Any, xs: Any, hx: Any) -> CapturedCall:
    from torch import nn
    from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

    if isinstance(xs, PackedSequence):
        padded, counts = pad_packed_sequence(xs, batch_first=True)
        inputs, lengths = _numbers(padded), counts.numpy().astype(np.int64)
    else:
        inputs = _numbers(xs)
        if inputs.ndim == 2:
            inputs = inputs[None]
        elif not module.batch_first:
            inputs = np.swapaxes(inputs, 0, 1)
        lengths = np.full(len(inputs), inputs.shape[1])
    directions = 2 if module.bidirectional else 1
    width = (module.proj_size or module.hidden_size) + module.hidden_size * isinstance(module, nn.LSTM)
    shape = (module.num_layers * directions, len(inputs), width)
    starts = np.zeros(shape) if hx is None else _state(hx).reshape(shape)
    weights = {
        name: _numbers(tensor) for name, tensor in zip(module._flat_weights_names, module._flat_weights, strict=True)
    }
    return CapturedCall(weights, _reading(module), inputs, lengths, starts, directions)


def _cell_call(cell: Any, xs: Array, start: Array | None) -> CapturedCall:
    """Return one step as a sequence of length 1."""
    from torch import nn

    xs = xs.reshape(-1, 1, xs.shape[-1])
    shape = (1, len(xs), cell.hidden_size * (2 if isinstance(cell, nn.LSTMCell) else 1))
    starts = np.zeros(shape) if start is None else start.reshape(shape)
    weights = {name: _numbers(tensor) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
               if (tensor := getattr(cell, name)) is not None}  # fmt: skip
    return CapturedCall(weights, _reading(cell), xs, np.ones(len(xs), dtype=np.int64), starts)
