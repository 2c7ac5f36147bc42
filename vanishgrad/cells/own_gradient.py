"""Gradient of own cells' steps by their parameters: several sets of parameters side by side, sequences of each.

Of a step of PyTorch it is `torch.func.vjp`'s, all sequences at once; of NumPy's a complex step for each number of each
parameter, so that a cell of P numbers and m of state takes P + m calls for each step of each sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.own_step import OwnStep

Arrays = Mapping[str, Array]


def side_by_side(step: OwnStep, arrays: Arrays, x: Array, s: Array) -> Array:
    """Return s_t, (S, B, m), of S sets of parameters (S, …) with B sequences each: x (S, B, d), s (S, B, m)."""
    if step.torch:
        with step.torch.no_grad():
            stepped: Array = _all(step, *_tensors(step, arrays, x, s)).numpy()
            return stepped
    sets = zip(_sets(step, arrays), x, s, strict=True)
    return np.stack([[own(*pair) for pair in zip(*each, strict=True)] for own, *each in sets])


def vector_jacobian(step: OwnStep, arrays: Arrays, x: Array, s: Array, w: Array) -> tuple[dict[str, Array], Array]:
    """Return ∂(w · s_t)/∂θ of each parameter, (S, …), summed over a set's sequences, and w J_t; w is (S, B, m)."""
    if step.torch:
        params, x_t, s_t = _tensors(step, arrays, x, s)
        _, pull_back = step.torch.func.vjp(lambda each, state: _all(step, each, x_t, state), params, s_t)
        by_name, back_t = pull_back(step.torch.tensor(w))
        return {name: each.numpy() for name, each in by_name.items()}, back_t.numpy()
    sums, back = {name: np.zeros_like(each) for name, each in arrays.items()}, np.empty_like(s)
    for seed, own in enumerate(_sets(step, arrays)):
        for place, (x_b, s_b, w_b) in enumerate(zip(x[seed], s[seed], w[seed], strict=True)):
            back[seed, place] = w_b @ own.by_state(x_b, s_b)
            for name, total in sums.items():
                total[seed] += own.by_parameter(name, x_b, s_b, w_b)
    return sums, back


def _sets(step: OwnStep, arrays: Arrays) -> list[OwnStep]:
    count = len(next(iter(arrays.values())))
    return [step.with_arrays({name: each[seed] for name, each in arrays.items()}) for seed in range(count)]


def _tensors(step: OwnStep, arrays: Arrays, x: Array, s: Array) -> tuple[dict[str, Any], Any, Any]:
    """Return copies, since PyTorch's tensors would share memory that is written to again."""
    return {name: step.torch.tensor(each) for name, each in arrays.items()}, step.torch.tensor(x), step.torch.tensor(s)


def _all(step: OwnStep, params: Mapping[str, Any], x: Any, s: Any) -> Any:
    """Return the steps of all sequences of PyTorch: as a batch where the step allows it, else one by one."""

    def one(own: Mapping[str, Any], x_b: Any, s_b: Any) -> Any:
        return step.flat_torch(x_b, s_b, own)

    vmap, stack = step.torch.func.vmap, step.torch.stack
    try:
        return vmap(vmap(one, (None, 0, 0)))(params, x, s)
    except RuntimeError:
        sets = [{name: each[seed] for name, each in params.items()} for seed in range(len(x))]
        every = zip(sets, x, s, strict=True)
        return stack([stack([one(own, *pair) for pair in zip(*each, strict=True)]) for own, *each in every])
