"""State chains: calls of a PyTorch module each of which is given the state that the call before it put out.

What is handed on is told by the numbers: an argument whose tensor equals, call after call, one that the last call
returned is a part of the state, and the first real tensor beside it is the input. So any signature is followed:
``(x, (h, c)) → (h, c)``, ``(x, h) → h``, ``(x, state) → (output, state)``. A sequence whose state is instead the one
that the last call was given has masked that step, as ``where(mask, new, old)`` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError


def rows_equal(one: Any, other: Any) -> Array:
    """Return which rows of two tensors (B, …) are equal to the last bit, (B,) of bool; a vector is one row."""
    equal = (one == other).cpu().numpy()
    rows: Array = equal.reshape(len(equal) if equal.ndim > 1 else 1, -1).all(axis=1)
    return rows


def changed_state(name: str, steps: int) -> str:
    """Return why a module whose state is changed between two calls is not measured, as a sentence."""
    return (
        f"expected the state of {name} to be handed on from step to step as it is, or by a mask as it was before, got "
        f"another one after {steps} step{'s' * (steps > 1)}; try a module for the step that holds what changes it"
    )


def steps_taken(name: str, batch: int, taken: Sequence[Array], last: Array | None) -> Array:
    """Return which steps each sequence takes, (B, T), of those that the next step shows, and the last one.

    Raises
    ------
    VanishgradError
        If some are masked, and nothing shows the last one.
    """
    if last is None:
        last = np.ones(batch, bool)
        if not all(each.all() for each in taken):
            raise VanishgradError(
                f"expected to see which sequences take the last step of {name}, as some before are masked, got no "
                "tensor with rows of its new and of its old state; try where(mask, new, old) behind every step"
            )
    return np.stack([*taken, last], axis=1)


@dataclass(frozen=True, eq=False)
class StepCall:
    """One call of a module.

    Attributes
    ----------
    given, returned : list
        The leaves of (positional arguments, named arguments), and of the output; tensors are copies.
    structure : object
        What puts the first together again.
    """

    given: list[Any]
    returned: list[Any]
    structure: Any


@dataclass(eq=False)
class StateChain:
    """Calls of one module in a row, and where in them the state stands.

    Attributes
    ----------
    module : torch.nn.Module
    name : str
    calls : list of StepCall
    links : list of (int, int)
        Where a part of the state stands among the leaves given → where among those returned by the call before.
    taken : list of (B,) array of bool
        Which sequences take each call but the last.
    """

    module: Any
    name: str
    calls: list[StepCall]
    links: list[tuple[int, int]] = field(default_factory=list)
    taken: list[Array] = field(default_factory=list)

    def takes(self, call: StepCall) -> bool:
        """Append a call that is given what the last one returned, and say whether it is."""
        last = self.calls[-1]
        if not self.links:
            links = list(_links(last, call))
            taken = _taken(last, call, links)
            if taken is None or not taken.any():
                return False
        elif call.structure != last.structure:
            return False
        else:
            links = [link for link in self.links if _taken(last, call, [link]) is not None]
            taken = _taken(last, call, links)
            if taken is None or (len(self.calls) > 2 and links != self.links):
                return False
        self.links = links  # what was equal once, by chance, is no state
        self.calls.append(call)
        self.taken.append(taken)
        return True

    def is_begun_anew_by(self, call: StepCall) -> bool:
        """Whether a call that the chain does not take begins another sequence: without a state, or from zero."""
        return call.structure != self.calls[-1].structure or not any(call.given[place].any() for place, _ in self.links)

    def states(self, step: int) -> list[Any]:
        """Return the tensors of the state that a call is given."""
        return [self.calls[step].given[place] for place, _ in self.links]

    @property
    def input_place(self) -> int | None:
        """Where the input stands among the leaves given: the first real tensor that is no state."""
        states = {place for place, _ in self.links}
        places = (k for k, leaf in enumerate(self.calls[-1].given) if k not in states and is_real(leaf))
        return next(places, None)

    def from_zero(self) -> StepCall:
        """Return the first call with a start: where it was given none, zeros as the later ones are given states.

        Raises
        ------
        VanishgradError
            If it was given something else than the later ones.
        """
        import torch

        first, second = self.calls[:2]
        if first.structure == second.structure and not any(first.given[place] is None for place, _ in self.links):
            return first
        states = {place for place, _ in self.links}
        others = [k for k in range(len(second.given)) if k not in states]
        given = [leaf for leaf in first.given if leaf is not None]
        if len(given) != len(others):
            raise VanishgradError(f"expected the first call of {self.name} like the second but for its state, got "
                                  "other arguments; try a model that hands over a state at every step")  # fmt: skip
        leaves = [torch.zeros_like(leaf) if k in states else leaf for k, leaf in enumerate(second.given)]
        for k, leaf in zip(others, given, strict=True):
            leaves[k] = leaf
        return StepCall(leaves, first.returned, second.structure)

    def flaw(self) -> str | None:
        """Return why the calls are no steps of a batch of vectors, as a sentence."""
        if self.input_place is None:
            return f"expected a real input beside the state of {self.name}, got none; try a module that takes it"
        x, states = self.calls[-1].given[self.input_place], self.states(-1)
        shapes = {tuple(state.shape) for state in states}
        if x.ndim > 2 or any(len(shape) > 2 for shape in shapes) or {shape[:-1] for shape in shapes} != {x.shape[:-1]}:
            return (
                f"expected states (batch, units) and an input (batch, width) at {self.name}, got "
                f"{' and '.join(map(str, sorted(shapes)))} and {tuple(x.shape)}; try a module whose state is a vector"
            )
        if any(x.shape == state.shape and is_equal(x, state) and x.any() for state in states):
            return (
                f"expected one argument of {self.name} to be its last state, got two; try a module that takes it once"
            )
        return None


def is_real(leaf: Any) -> bool:
    return hasattr(leaf, "is_floating_point") and leaf.is_floating_point() and leaf.ndim > 0


def is_equal(one: Any, other: Any) -> bool:
    import torch

    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)


def _old(before: StepCall, call: StepCall, place: int) -> Any:
    """Return what the call before was given in the place of a part of the state; zeros where it was given none."""
    import torch

    given = before.given[place] if before.structure == call.structure else None
    return torch.zeros_like(call.given[place]) if given is None else given


def _taken(before: StepCall, call: StepCall, links: Sequence[tuple[int, int]]) -> Array | None:
    """Return which sequences of a call are given the state that the call before put out, (B,).

    The others are given the state that the call before was given; None where some are given another one.
    """
    new, old = [], []
    for into, out in links:
        given, returned, handed_on = call.given[into], before.returned[out], _old(before, call, into)
        if not (is_real(given) and _alike(given, returned) and _alike(given, handed_on)):
            return None
        new.append(rows_equal(given, returned))
        old.append(rows_equal(given, handed_on))
    if not links:
        return None
    is_new, is_old = np.logical_and.reduce(new), np.logical_and.reduce(old)
    return is_new if (is_new | is_old).all() else None


def _alike(one: Any, other: Any) -> bool:
    return hasattr(other, "dtype") and one.shape == other.shape and one.dtype == other.dtype


def _links(before: StepCall, call: StepCall) -> Iterator[tuple[int, int]]:
    """Yield (given, returned) places where a call is given the state that the one before put out, each place once."""
    free = [k for k, leaf in enumerate(before.returned) if is_real(leaf)]
    for into, leaf in enumerate(call.given):
        if is_real(leaf):
            place = next((k for k in free if _is_handed_on(before, call, (into, k))), None)
            if place is not None:
                free.remove(place)
                yield into, place


def _is_handed_on(before: StepCall, call: StepCall, link: tuple[int, int]) -> bool:
    taken = _taken(before, call, [link])
    return taken is not None and bool(taken.any())
