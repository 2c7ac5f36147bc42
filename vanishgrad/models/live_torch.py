"""Captured runs of PyTorch modules: hooks record what each nn.RNN, nn.LSTM, nn.GRU and cell is given in a forward."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.models.captured_run import CapturedCall, CapturedRun, call_key
from vanishgrad.models.forward_arguments import arguments
from vanishgrad.models.own_modules import nothing_recorded, own_modules, recurrent_steps
from vanishgrad.models.state_chains import ChainRecorder
from vanishgrad.models.step_jacobians import recorded_call


def is_torch_module(source: object) -> TypeGuard[Any]:
    """Whether an object is a torch.nn.Module; PyTorch is not imported for the question."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.nn.Module)


def captured_run(
    module: Any, batch: Any, evaluating: bool = False, trials: int | None = None, steps: int | None = None
) -> CapturedRun:
    """Run a module once on a batch, and return what its recurrent layers were given.

    PyTorch's own layers and cells are recorded with their weights. Of any other module that is called step by step and
    hands on a state (`state_chains`), the one-step Jacobians are recorded, by automatic differentiation
    (`step_jacobians`). The module runs in its own mode, or in evaluation mode, without gradients; its parameters,
    buffers, attributes, modes and hooks, and the states of the random generators, are afterwards what they were, also
    after an exception.

    Parameters
    ----------
    module : torch.nn.Module
    batch : tensor, array, tuple, mapping or DataLoader
        What its forward takes: one argument, several, or arguments by name; of a DataLoader the first batch, and as
        many of its leading entries as forward has arguments.
    trials, steps : int, optional
        Of how many sequences and steps Jacobians are recorded, all by default.

    Raises
    ------
    UsageError
        Without a batch.
    VanishgradError
        If the module has no recurrent layer, or one that cannot be recorded.
    """
    import torch

    if batch is None or isinstance(batch, str):
        raise UsageError(
            f"expected a batch to run {type(module).__name__} on, got {batch!r}; "
            "try input=BATCH, as its forward takes it"
        )
    module = getattr(module, "_orig_mod", module)
    with _unchanged(module), torch.no_grad(), torch.compiler.set_stance("force_eager"):
        if evaluating:
            module.eval()
        names = _recurrent_modules(module)
        recorder, others = _Recorder(names), ChainRecorder(own_modules(module, names))
        if not (names or others.names):
            raise nothing_recorded(module, names, others)
        handles = [each.register_forward_hook(recorder, with_kwargs=True) for each in names]
        handles += [each.register_forward_hook(others, with_kwargs=True) for each in others.names]
        try:
            positional, named = arguments(module, batch)
            module(*positional, **named)
        finally:
            for handle in handles:
                handle.remove()
        calls, broken = recorder.calls, recorder.broken
        chains = recurrent_steps(others, recorder.parts, broken, is_alone=not calls)
        calls |= {name: recorded_call(chain, trials, steps) for name, chain in chains.items()}
    if not calls:
        raise nothing_recorded(module, names, others)
    return CapturedRun(calls)


def _recurrent_modules(module: Any) -> dict[Any, str]:
    """Return PyTorch's own recurrent modules → name; refuse those whose weights are not plain."""
    from torch import jit, nn

    plain = (nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell)
    titles = {each.__name__ for each in plain}
    names: dict[Any, str] = {}
    for name, each in module.named_modules():
        name = name or type(each).__name__
        if isinstance(each, jit.ScriptModule) and getattr(each, "original_name", "") in titles:
            raise VanishgradError(f"expected a plain module at {name}, got a ScriptModule, which takes no hooks; "
                                  "try the module before torch.jit")  # fmt: skip
        if type(each).__name__ in titles and "quantized" in type(each).__module__:
            raise VanishgradError(f"expected plain weights at {name}, got a quantised {type(each).__name__}; "
                                  "try the model from before quantisation")  # fmt: skip
        if isinstance(each, plain) and any(type(each).forward is base.forward for base in plain):
            _demand_own_steps(name, each)
            names[each] = name
    return names


def _demand_own_steps(name: str, module: Any) -> None:
    from torch import nn
    from torch.nn.utils.parametrize import is_parametrized

    if isinstance(module, nn.RNNBase) and module.training and module.dropout and module.num_layers > 1:
        raise VanishgradError(f"expected {name} in eval mode, got training with dropout between its layers, whose "
                              "masks no hook sees; try module.eval()")  # fmt: skip
    if isinstance(module, nn.RNNCellBase) and is_parametrized(module):
        raise VanishgradError(f"expected plain weights at {name}, got a parametrised cell, whose weights change when "
                              "read; try torch.nn.utils.parametrize.remove_parametrizations")  # fmt: skip


@contextmanager
def _unchanged(module: Any) -> Iterator[None]:
    """Put back parameters, buffers, attributes, modes among them, and the states of random generators, in any case."""
    import torch

    attributes = {part: dict(vars(part)) for part in module.modules()}
    held = [
        (table, key, tensor, tensor.detach().clone())
        for part in attributes
        for table in (part._parameters, part._buffers)
        for key, tensor in table.items()
        if tensor is not None
    ]
    try:
        with generators_unchanged():
            yield
    finally:
        for part, values in attributes.items():
            vars(part).clear()
            vars(part).update(values)
        with torch.no_grad():
            for table, key, tensor, before in held:
                table[key] = tensor
                if not torch.equal(tensor, before):
                    tensor.copy_(before)


@contextmanager
def generators_unchanged() -> Iterator[None]:
    """Put back the states of Python's, NumPy's and PyTorch's random generators, whatever happens."""
    python, numpy, torch = random.getstate(), np.random.get_state(), sys.modules.get("torch")
    try:
        if torch is None:
            yield
        else:
            devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
            with torch.random.fork_rng(devices):
                yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


class _Recorder:
    """The forward hook: it copies what each call was given, and joins a cell's calls to sequences.

    Attributes
    ----------
    parts : mapping
        Name → the parts of the state that its last call was given.
    broken : mapping
        Name of a cell whose state was changed between two steps → that, as a sentence.
    """

    def __init__(self, names: Mapping[Any, str]) -> None:
        self._names = names
        self._outputs: dict[str, Array] = {}
        self._counts: dict[str, int] = {}
        self._calls: dict[str, CapturedCall] = {}
        self._inputs: dict[str, list[Array]] = {}
        self.parts: dict[str, list[Any]] = {}
        self.broken: dict[str, str] = {}

    def __call__(self, module: Any, positional: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
        from torch import nn

        xs, hx = [(*positional, None, None)[k] if k < len(positional) else named.get(key)
                  for k, key in enumerate(("input", "hx"))]  # fmt: skip
        name = self._names[module]
        if name in self.broken:
            return
        self.parts[name] = [] if hx is None else [part.detach().clone() for part in _parts(hx)]
        if isinstance(module, nn.RNNCellBase):
            self._step(name, module, xs, hx, output)
        else:
            self._layer(name, module, _layer_call(module, xs, hx), output)

    @property
    def calls(self) -> dict[str, CapturedCall]:
        """Name of a module, with ``#2`` from its second call on → what it was given, a cell's steps as one sequence."""
        joined = dict[str, CapturedCall]()
        for key, call in self._calls.items():
            xs = np.concatenate([call.xs, *self._inputs.get(key, ())], axis=1)
            joined[key] = replace(call, xs=xs, lengths=call.lengths + xs.shape[1] - call.xs.shape[1])
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
        xs, start = _numbers(x), None if hx is None else _state(hx)
        number = self._counts.get(name, 0)
        if number and start is not None and np.array_equal(self._outputs[call_key(name, number)], start):
            self._inputs.setdefault(call_key(name, number), []).append(xs.reshape(-1, 1, xs.shape[-1]))
        elif number and start is not None and start.any():
            self.broken[name] = (
                f"expected the state of {name} to be handed on from step to step as it is, got a changed one; try a "
                "model that hands it on"
            )
            self._calls = {key: call for key, call in self._calls.items() if key.partition("#")[0] != name}
            del self.parts[name]
        else:
            self._keep(name, _cell_call(cell, xs, start))
        self._outputs[call_key(name, self._counts[name])] = _state(output)


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
