"""One-step Jacobians of a live PyTorch module along its recorded calls, by automatic differentiation in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.recorded import RECORDED
from vanishgrad.errors import VanishgradError
from vanishgrad.models.captured_run import CapturedCall, TakenSteps, demand_inputs
from vanishgrad.models.state_chains import StateChain, StepCall

MAX_BYTES = 2**30
"""Of the Jacobians of one module."""
CHUNK_NUMBERS = 2**24
"""Of the cotangents that are sent back at a time."""

Step = Callable[[Any, Any], Any]
"""(state (B, m), input (B, d)) → state (B, m)."""


def recorded_call(chain: StateChain, taken: Array, trials: int | None = None, steps: int | None = None) -> CapturedCall:
    r"""Return the derivatives J_t = ∂s_t/∂s_{t-1} and B_t = ∂s_t/∂x_t of every call of a chain.

    Each call is done again on float64 copies of parameters, buffers and arguments (`torch.func.functional_call`), with
    everything but state and input held fixed, and differentiated by `torch.func.jacrev`, in chunks of cotangents. The
    sequences of a batch do not mix, which is tested; so one cotangent serves all of them.

    Parameters
    ----------
    chain : StateChain
    taken : (B, T) array of bool
        Which calls are steps of each sequence; the others hand its state on.
    trials, steps : int, optional
        The first of the sequences and calls, all by default.

    Raises
    ------
    VanishgradError
        If the module is no function of what it is given, mixes sequences, cannot be differentiated, or if its
        Jacobians take more than `MAX_BYTES`.

    Notes
    -----
    O(m) backward passes of a step for each call, and B T m (m + d) numbers.
    """
    batch, calls = slice(trials), [chain.from_zero(), *chain.calls[1:]][:steps]
    states = [_numbers([call.given[into] for into, _ in chain.links]) for call in calls]
    ends = [_numbers([call.returned[out] for _, out in chain.links]) for call in calls]
    place = chain.input_place or 0
    xs = [_numbers([call.given[place]]) for call in calls]
    demand_inputs(chain.name, np.stack(xs, axis=1))
    B, m, d = len(states[0][batch]), states[0].shape[1], xs[0].shape[1]
    about = About(chain.name, type(chain.module).__name__, chain.states(-1)[0].device)
    demand_room(about, len(calls), B, m, d)
    J, J_x = np.empty((B, len(calls), m, m)), np.empty((B, len(calls), m, d))
    copies = _double_copies(chain.module)
    for t, call in enumerate(calls):
        tolerance = tolerance_of(call.returned[chain.links[0][1]].dtype)
        by_state, by_input, _ = derivatives(about, _step(chain, call, copies), states[t], xs[t], (ends[t], tolerance))
        J[:, t], J_x[:, t] = by_state[batch], by_input[batch]
    taken = taken[batch, : len(calls)]
    last = np.where(taken[:, -1:], ends[-1][batch], states[-1][batch])
    path = np.concatenate([np.stack(states, axis=1)[batch], last[:, None]], axis=1)
    sizes = [state.shape[-1] for state in chain.states(-1)]
    return replayed(about, sizes, TakenSteps(chain.name, taken), (J, J_x, path, np.stack(xs, axis=1)[batch]))


class About(NamedTuple):
    """What steps are called by in messages and reports, and on which device they run."""

    name: str
    kind: str
    device: Any


def replayed(about: About, sizes: Sequence[int], own: TakenSteps, recorded: tuple[Array, ...]) -> CapturedCall:
    """Return a run whose Jacobians (B, T, m, m), (B, T, m, d), states (B, T + 1, m) and inputs (B, T, d) are known."""
    J, J_x, states, inputs = recorded
    weights = {"jacobians": own.of_steps(J), "input_jacobians": own.of_steps(J_x), "states": own.of_states(states),
               "inputs": own.of_steps(inputs)}  # fmt: skip
    reading = {"cell": RECORDED, "module": about.kind, "parts": " ".join(map(str, sizes))}
    return CapturedCall(weights, reading, weights["inputs"], own.lengths, weights["states"][None, :, 0], taken=own.gaps)


def tolerance_of(precision: Any) -> float:
    """Return by how much, relative to the largest, a step in a type of numbers may differ from its float64 copy."""
    import torch

    return float(torch.finfo(precision).eps) ** 0.5


def demand_room(about: About, T: int, B: int, m: int, d: int) -> None:
    """Refuse Jacobians that take more than `MAX_BYTES`, with what fits."""
    of_sequence = 8 * T * m * (m + d)
    if B * of_sequence > MAX_BYTES:
        fitting = MAX_BYTES // of_sequence
        remedy = f"a batch of {fitting}, or trials={fitting}" if fitting else "a shorter sequence, or steps="
        remedy += "" if fitting else str(max(1, T * MAX_BYTES // of_sequence))
        raise VanishgradError(
            f"expected Jacobians of {about.name} of up to {MAX_BYTES >> 30} GiB, got {B} × {T} of {m} × {m + d}; "
            f"try {remedy}"
        )


def _numbers(parts: list[Any]) -> Array:
    """Return tensors side by side, (B, m), float64 on the host."""
    import torch

    rows = [part.reshape(-1, part.shape[-1]).to("cpu", torch.float64).numpy() for part in parts]
    return np.concatenate(rows, axis=-1)


def _double_copies(module: Any) -> dict[str, Any]:
    """Return parameters and buffers by name, copies, real ones in float64."""
    import torch

    with torch.inference_mode(False):
        tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        return {name: _double(each.detach().clone()) for name, each in tensors.items()}


def _double(leaf: Any) -> Any:
    is_real = hasattr(leaf, "is_floating_point") and leaf.is_floating_point()
    return leaf.double() if is_real else leaf


def _step(chain: StateChain, call: StepCall, copies: Mapping[str, Any]) -> Step:
    """Return a call as a function of state and input alone."""
    import torch
    from torch.utils._pytree import tree_flatten, tree_unflatten

    fixed = [_double(leaf) for leaf in call.given]
    sizes, place = [fixed[into].shape[-1] for into, _ in chain.links], chain.input_place or 0

    def step(s: Any, x: Any) -> Any:
        given = list(fixed)
        for (into, _), part in zip(chain.links, torch.split(s, sizes, dim=-1), strict=True):
            given[into] = part.reshape(fixed[into].shape)
        given[place] = x.reshape(fixed[place].shape)
        positional, named = tree_unflatten(given, call.structure)
        output = torch.func.functional_call(chain.module, copies, positional, named)
        returned, _ = tree_flatten(output)
        parts = [returned[out].reshape(len(s), -1) for _, out in chain.links]
        return torch.cat(parts, dim=-1)

    return step


def derivatives(
    about: About, step: Step, s: Array, x: Array, expected: tuple[Array, float] | None = None
) -> tuple[Array, Array, Array]:
    """Return J_t (B, m, m), B_t (B, m, d) and the next state (B, m) of one call, in float64.

    Raises
    ------
    VanishgradError
        If it fails, mixes sequences, or differs from what is expected by more than a tolerance.
    """
    import torch

    from vanishgrad.models.torch_modes import InFloat64

    try:
        with torch.inference_mode(False), torch.enable_grad(), torch.autocast(about.device.type, enabled=False), \
             InFloat64():  # fmt: skip
            state, given = (torch.as_tensor(each, dtype=torch.float64, device=about.device) for each in (s, x))
            output, pull = torch.func.vjp(step, state, given)
            end = output.detach().cpu().numpy()
            if expected is not None:
                _demand_same(about, end, *expected)
            _demand_apart(about, pull, output)
            chunk = max(1, CHUNK_NUMBERS // state.numel())
            jacobian = torch.func.jacrev(lambda s, x: step(s, x).sum(0), argnums=(0, 1), chunk_size=chunk)
            by_state, by_input = (each.detach().permute(1, 0, 2).cpu().numpy() for each in jacobian(state, given))
    except (RuntimeError, TypeError, ValueError, NotImplementedError, IndexError) as error:
        line = (str(error).strip().splitlines() or [""])[0]
        raise VanishgradError(f"expected {about.name} ({about.kind}) to run and be differentiated in float64, got: "
                              f"{line[:300] or type(error).__name__}; try module.eval()") from None  # fmt: skip
    return by_state, by_input, end


def _demand_same(about: About, output: Array, expected: Array, tolerance: float) -> None:
    """Refuse a module that is no function of its arguments: dropout's masks, or a state that it keeps to itself."""
    error, size = float(np.abs(output - expected).max()), max(1.0, float(np.abs(expected).max()))
    if not error <= tolerance * size:
        raise VanishgradError(
            f"expected {about.name} ({about.kind}) to put out the same for the same input and state, got a difference "
            f"of {error:.2g}: dropout, or a state that is not handed on; try module.eval()"
        )


def _demand_apart(about: About, pull: Callable[[Any], tuple[Any, ...]], output: Any) -> None:
    """Refuse a module in which one sequence of the batch reaches another's state: a batch norm in training."""
    import torch

    cotangent = torch.cos(torch.arange(output.numel(), dtype=output.dtype, device=output.device)).reshape(output.shape)
    cotangent[1::2] = 0
    if any(each[1::2].any() for each in pull(cotangent)):
        raise VanishgradError(
            f"expected the sequences of a batch to be apart at {about.name} ({about.kind}), got one that reaches "
            "another's state, as in a batch norm in training; try module.eval()"
        )
