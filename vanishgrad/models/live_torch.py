"""Captured runs of PyTorch modules: hooks record what each nn.RNN, nn.LSTM, nn.GRU and cell is given in a forward."""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.models.captured_run import CapturedCall, CapturedRun


class Arguments(NamedTuple):
    """The arguments of a forward, by position and by name."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


def is_torch_module(source: object) -> TypeGuard[Any]:
    """Whether an object is a torch.nn.Module; PyTorch is not imported for the question."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.nn.Module)


def captured_run(module: Any, batch: Any, evaluating: bool = False) -> CapturedRun:
    """Run a module once on a batch, and return what its recurrent layers were given.

    The module runs in its own mode, or in evaluation mode, without gradients; its parameters, buffers, modes and hooks,
    and the states of the random generators, are afterwards what they were, also after an exception.

    Parameters
    ----------
    module : torch.nn.Module
    batch : tensor, array, tuple, mapping or DataLoader
        What its forward takes: one argument, several, or arguments by name; of a DataLoader the first batch, and as
        many of its leading entries as forward has arguments.

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
        recorder = _Recorder(names)
        handles = [each.register_forward_hook(recorder, with_kwargs=True) for each in names]
        try:
            positional, named = _arguments(module, batch)
            module(*positional, **named)
        finally:
            for handle in handles:
                handle.remove()
    if not recorder.calls:
        raise VanishgradError(f"expected the forward of {type(module).__name__} to call {', '.join(names.values())}, "
                              "got no call; try a batch that does")  # fmt: skip
    return CapturedRun(recorder.calls)


def _recurrent_modules(module: Any) -> dict[Any, str]:
    """Return recurrent module → name; refuse those whose weights or steps are not PyTorch's own."""
    from torch import jit, nn

    plain = (nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell)
    titles = {each.__name__ for each in plain}
    found: dict[Any, str] = {}
    for name, each in module.named_modules():
        name = name or type(each).__name__
        if isinstance(each, jit.ScriptModule) and getattr(each, "original_name", "") in titles:
            raise VanishgradError(f"expected a plain module at {name}, got a ScriptModule, which takes no hooks; "
                                  "try the module before torch.jit")  # fmt: skip
        if type(each).__name__ in titles and "quantized" in type(each).__module__:
            raise VanishgradError(f"expected plain weights at {name}, got a quantised {type(each).__name__}; "
                                  "try the model from before quantisation")  # fmt: skip
        if isinstance(each, nn.RNNBase | nn.RNNCellBase):
            _demand_own_steps(name, each, plain)
            found[each] = name
    if not found:
        held = ", ".join(sorted({type(each).__name__ for each in module.modules()}))
        raise VanishgradError(f"expected an nn.RNN, nn.LSTM, nn.GRU or a cell of theirs, got {held}; "
                              "try a module that holds one")  # fmt: skip
    return found


def _demand_own_steps(name: str, module: Any, plain: tuple[type, ...]) -> None:
    from torch import nn
    from torch.nn.utils.parametrize import is_parametrized

    base = next((each for each in plain if isinstance(module, each)), None)
    if base is None or type(module).forward is not base.forward:  # type: ignore[attr-defined]
        raise VanishgradError(f"expected PyTorch's own forward at {name}, got that of {type(module).__name__}, whose "
                              "steps its weights do not tell; try a model without it")  # fmt: skip
    if isinstance(module, nn.RNNBase) and module.training and module.dropout and module.num_layers > 1:
        raise VanishgradError(f"expected {name} in eval mode, got training with dropout between its layers, whose "
                              "masks no hook sees; try module.eval()")  # fmt: skip
    if isinstance(module, nn.RNNCellBase) and is_parametrized(module):
        raise VanishgradError(f"expected plain weights at {name}, got a parametrised cell, whose weights change when "
                              "read; try torch.nn.utils.parametrize.remove_parametrizations")  # fmt: skip


def _arguments(module: Any, batch: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of forward that a batch stands for."""
    from torch.nn.utils.rnn import PackedSequence
    from torch.utils.data import DataLoader

    if isinstance(batch, Arguments):
        return batch
    if isinstance(batch, DataLoader):
        batch = next(iter(batch))
        if isinstance(batch, list | tuple) and not isinstance(batch, PackedSequence):
            batch = tuple(batch[: _positional(module)])
    if isinstance(batch, Mapping):
        return (), {key: _tensor(module, value) for key, value in batch.items()}
    if isinstance(batch, list | tuple) and not isinstance(batch, PackedSequence):
        return tuple(_tensor(module, value) for value in batch), {}
    return (_tensor(module, batch),), {}


def _positional(module: Any) -> int | None:
    """Return how many arguments forward takes by position; None where it takes any number."""
    kinds = [each.kind for each in inspect.signature(module.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    return sum(kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds)


def _tensor(module: Any, value: Any) -> Any:
    """Return an array as a tensor, real numbers in the dtype of the module's parameters; all else as it is."""
    import torch

    if not isinstance(value, np.ndarray):
        return value
    first = next((each for each in module.parameters() if each.is_floating_point()), torch.empty(0))
    dtype = first.dtype if value.dtype.kind == "f" else None
    return torch.as_tensor(value.copy(), dtype=dtype, device=first.device)


@contextmanager
def _unchanged(module: Any) -> Iterator[None]:
    """Put back buffers, parameters, modes and the states of random generators, whatever happens."""
    import torch

    modes = {each: each.training for each in module.modules()}
    held = [
        (table, key, tensor, tensor.detach().clone())
        for each in modes
        for table in (each._parameters, each._buffers)
        for key, tensor in table.items()
        if tensor is not None
    ]
    python, numpy = random.getstate(), np.random.get_state()
    cuda: Any = torch.cuda
    devices = list(range(cuda.device_count())) if cuda.is_initialized() else []
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        for each, training in modes.items():
            each.training = training
        with torch.no_grad():
            for table, key, tensor, before in held:
                table[key] = tensor
                if not torch.equal(tensor, before):
                    tensor.copy_(before)


class _Recorder:
    """The forward hook: it copies what each call was given, and joins a cell's calls to sequences."""

    def __init__(self, names: Mapping[Any, str]) -> None:
        self._names = names
        self._outputs: dict[str, Array] = {}
        self._counts: dict[str, int] = {}
        self.calls: dict[str, CapturedCall] = {}

    def __call__(self, module: Any, positional: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
        from torch import nn

        xs, hx = [(*positional, None, None)[k] if k < len(positional) else named.get(key)
                  for k, key in enumerate(("input", "hx"))]  # fmt: skip
        if isinstance(module, nn.RNNCellBase):
            self._step(module, xs, hx, output)
        else:
            self._keep(self._names[module], _layer_call(module, xs, hx))

    def _keep(self, name: str, call: CapturedCall) -> str:
        number = self._counts[name] = self._counts.get(name, 0) + 1
        key = name if number == 1 else f"{name}#{number}"
        self.calls[key] = call
        return key

    def _step(self, cell: Any, x: Any, hx: Any, output: Any) -> None:
        """Append a step to the sequence whose last state it starts from, or begin a sequence."""
        name = self._names[cell]
        call = _cell_call(cell, x, hx)
        number = self._counts.get(name, 0)
        key = name if number <= 1 else f"{name}#{number}"
        if number and np.array_equal(self._outputs[name], call.starts):
            before = self.calls[key]
            xs = np.concatenate([before.xs, call.xs], axis=1)
            self.calls[key] = CapturedCall(before.weights, before.reading, xs, before.lengths + 1, before.starts)
        elif number and call.starts.any():
            raise VanishgradError(
                f"expected the state of {name} to be handed on from step to step as it is, got a changed one; try a "
                "model that hands it on"
            )
        else:
            self._keep(name, call)
        self._outputs[name] = _state(output)[None]


def _numbers(tensor: Any) -> Array:
    """Return a copy as float64 on the host, that later edits and inference mode leave alone."""
    import torch

    with torch.inference_mode(False):
        return np.array(tensor.detach().to("cpu", torch.float64).clone().numpy())


def _state(hx: Any) -> Array:
    """Return the full state, h and then c, side by side."""
    return np.concatenate([_numbers(part) for part in (hx if isinstance(hx, tuple | list) else (hx,))], axis=-1)


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


def _cell_call(cell: Any, x: Any, hx: Any) -> CapturedCall:
    """Return one step as a sequence of length 1."""
    from torch import nn

    xs = _numbers(x)
    xs = xs.reshape(-1, 1, xs.shape[-1])
    shape = (1, len(xs), cell.hidden_size * (2 if isinstance(cell, nn.LSTMCell) else 1))
    starts = np.zeros(shape) if hx is None else _state(hx).reshape(shape)
    weights = {name: _numbers(tensor) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
               if (tensor := getattr(cell, name)) is not None}  # fmt: skip
    return CapturedCall(weights, _reading(cell), xs, np.ones(len(xs), dtype=np.int64), starts)
