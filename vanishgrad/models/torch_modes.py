"""Modes of PyTorch around a forward (`TorchFunctionMode`): one sees what becomes of states, one computes in float64.

PyTorch is imported here, so that this module is imported where a live module is at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence
from torch.overrides import TorchFunctionMode

from vanishgrad.arrays import Array
from vanishgrad.models.state_chains import rows_equal

MAX_RESULTS = 100
"""Of a step, behind which a mask is looked for among so many results."""


class StateBlends(TorchFunctionMode):  # type: ignore[misc]
    """Keeps what a forward computes behind the last step of each module that is shaped as its state.

    Behind the last step there is no call that would show which sequences took it: ``where(mask, new, old)`` does.

    Attributes
    ----------
    is_paused : bool
        Set while a recorder copies tensors itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_paused = False
        self._behind: dict[Hashable, tuple[set[Any], list[Any]]] = {}

    def begin(self, steps: Hashable, states: Iterable[Any]) -> None:
        """Forget what was before a step, which puts out states of some shapes."""
        self._behind[steps] = ({state.shape for state in states}, [])

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if self.is_paused:
            return output
        result = args[0] if output is None and args else output
        if self._behind and isinstance(result, torch.Tensor) and result.is_floating_point():
            for shapes, results in self._behind.values():
                if result.shape in shapes and len(results) < MAX_RESULTS:
                    results.append(result.detach().clone())
        return output

    def last_taken(self, steps: Hashable, new: Any, old: Any, is_masked: bool) -> Array | None:
        """Return which sequences took the last step, (B,): where each row is the new state's or the old one's.

        None where no tensor has such rows. Where no step before `is_masked`, one whose rows are all old tells nothing.
        """
        taken = None
        for result in self._behind.get(steps, ((), []))[1]:
            if result.shape == new.shape:
                is_new = rows_equal(result, new)
                if (is_new | rows_equal(result, old)).all() and (is_masked or is_new.any()):
                    taken = is_new
        return taken


PLACES = (2, 3)
"""Where a layer's function takes its weights, as a list: behind the initial state, of packed input one further."""


class LayerCalls(TorchFunctionMode):  # type: ignore[misc]
    """Sees what PyTorch's recurrent functions are given, also by a forward that no hook sees: ``layer.forward(xs)``.

    Parameters
    ----------
    seen : callable
        It is given the weights, the input (packed where it was), the initial state and what a layer would put out.
    """

    def __init__(self, seen: Callable[[Sequence[Any], Any, Any, Any], None]) -> None:
        super().__init__()
        self._seen = seen

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        place = next((k for k in reversed(PLACES) if len(args) > max(PLACES) and isinstance(args[k], list)), None)
        if place is not None and isinstance(output, tuple):
            xs = args[0] if place == min(PLACES) else PackedSequence(*args[:2])
            state = output[1] if len(output) == 2 else output[1:]
            self._seen(args[place], xs, args[place - 1], (output[0], state))
        return output


class InFloat64(TorchFunctionMode):  # type: ignore[misc]
    """Computes in float64 what a forward asks to be in a shorter type: ``x.float()``, ``zeros(n)``, ``to(float32)``."""

    def __enter__(self) -> InFloat64:
        self._default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        torch.set_default_dtype(self._default)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in _SHORTER:
            return args[0].double()
        named = {name: _longer(value) for name, value in (kwargs or {}).items()}
        return func(*map(_longer, args), **named)


_SHORTER = {torch.Tensor.float, torch.Tensor.half, torch.Tensor.bfloat16}
_SHORT_TYPES = {torch.float32, torch.float16, torch.bfloat16}


def _longer(value: Any) -> Any:
    return torch.float64 if isinstance(value, torch.dtype) and value in _SHORT_TYPES else value
