"""The first batch of a training: the arguments of the outermost module with recurrent layers that is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vanishgrad.models.forward_arguments import Arguments
from vanishgrad.models.live_keras import is_keras_model


class FirstBatch:
    """Waits for the first training forward, and keeps what it was given.

    Parameters
    ----------
    model : torch.nn.Module or keras.Model
        It, or a module within it with recurrent layers where training calls that one, as Lightning's steps do.

    Attributes
    ----------
    module, batch : object
        What was called, and with what; the model and None until then.
    """

    def __init__(self, model: Any) -> None:
        self.module = model
        self.batch: Any = None
        self._undo: list[Callable[[], Any]] = []
        if is_keras_model(model):
            self._listen_to_calls(model)
        else:
            self._listen_to_forwards(model)

    def close(self) -> None:
        """Take what listens away."""
        for undo in self._undo:
            undo()
        self._undo = []

    def _listen_to_forwards(self, model: Any) -> None:
        from torch import nn

        kinds = (nn.RNNBase, nn.RNNCellBase)
        for module in model.modules():
            if module is model or any(isinstance(inner, kinds) for inner in module.modules()):
                self._undo.append(module.register_forward_pre_hook(self._before, with_kwargs=True).remove)

    def _listen_to_calls(self, model: Any) -> None:
        """Let the model's call be an instance attribute, as long as none is one already."""
        call = model.call

        def listening(*given: Any, **named: Any) -> Any:
            if self.batch is None and not any(getattr(each, "is_meta", False) for each in given):
                self.batch = _copied(given[0] if given else next(iter(named.values())))
            return call(*given, **named)

        if "call" not in vars(model):
            vars(model)["call"] = listening
            self._undo.append(lambda: vars(model).pop("call"))

    def _before(self, module: Any, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        import torch

        if self.batch is None and self.module.training and torch.is_grad_enabled():
            self.module, self.batch = module, Arguments(_copied(positional), _copied(dict(named)))


def _copied(value: Any) -> Any:
    """Return arguments with a copy of each tensor, which later edits of the caller's leave alone."""
    if hasattr(value, "detach"):
        return value.detach().clone()
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    return value
