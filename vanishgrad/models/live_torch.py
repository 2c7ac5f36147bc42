"""Captured runs of PyTorch modules: hooks record what each nn.RNN, nn.LSTM, nn.GRU and cell is given in a forward."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeGuard

import numpy as np

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.models.captured_run import CapturedRun
from vanishgrad.models.chain_recorder import ChainRecorder
from vanishgrad.models.forward_arguments import arguments, demand_taken
from vanishgrad.models.layer_recorder import LayerRecorder, demand_own_steps
from vanishgrad.models.own_modules import nothing_recorded, own_modules, recurrent_steps
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

    from vanishgrad.models.torch_modes import LayerCalls, StateBlends

    if batch is None or isinstance(batch, str):
        raise UsageError(
            f"expected a batch to run {type(module).__name__} on, got {batch!r}; "
            "try input=BATCH, as its forward takes it"
        )
    module = getattr(module, "_orig_mod", module)
    _demand_numbers(module)
    with _unchanged(module), torch.no_grad(), torch.compiler.set_stance("force_eager"):
        if evaluating:
            module.eval()
        names, blends = _recurrent_modules(module), StateBlends()
        layers = {each: name or type(each).__name__ for name, each in module.named_modules()
                  if isinstance(each, torch.nn.RNNBase)}  # fmt: skip
        recorder = LayerRecorder(names, blends, layers)
        others = ChainRecorder(own_modules(module, names), blends)
        if not (names or others.names):
            raise nothing_recorded(module, names, others)
        handles = [each.register_forward_hook(recorder, with_kwargs=True) for each in names]
        handles += [each.register_forward_hook(others, with_kwargs=True) for each in others.names]
        try:
            positional, named = arguments(module, batch)
            demand_taken(module, positional, named)
            with blends, LayerCalls(recorder.layer_function):
                module(*positional, **named)
        except NotImplementedError as error:
            if "forward" not in str(error):
                raise
            raise _without_forward(module, names) from None
        finally:
            for handle in handles:
                handle.remove()
        calls, broken = recorder.calls, recorder.broken
        chains = recurrent_steps(others, recorder.parts, broken, is_alone=not calls)
        own = {chain.name for chain in chains.values()}
        calls = {key: call for key, call in calls.items() if key.partition("#")[0] not in own}
        calls |= {name: recorded_call(chain, others.taken(chain), trials, steps) for name, chain in chains.items()}
    if not calls:
        raise nothing_recorded(module, names, others)
    return CapturedRun(calls)


def _demand_numbers(module: Any) -> None:
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.is_meta:
            raise VanishgradError(f"expected weights with numbers, got {name} on the device meta; try "
                                  "module.to_empty(device='cpu'), and loading a checkpoint")  # fmt: skip


def _without_forward(module: Any, names: Mapping[Any, str]) -> VanishgradError:
    """Return the error for a module that only its training step runs, as Lightning's may, with what it runs."""
    within = sorted({name.partition(".")[0] for name in names.values()})
    return VanishgradError(f"expected a module with a forward, got {type(module).__name__} without; try what its "
                           f"training step calls, for instance model.{' or model.'.join(within) or 'net'}")  # fmt: skip


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
            demand_own_steps(name, each)
            names[each] = name
    return names


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
