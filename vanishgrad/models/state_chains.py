"""State chains: calls of a PyTorch module each of which is given the state that the call before it put out.

What is handed on is told by the numbers: an argument whose tensor equals, call after call, one that the last call
returned is a part of the state, and the first real tensor beside it is the input. So any signature is followed:
``(x, (h, c)) → (h, c)``, ``(x, h) → h``, ``(x, state) → (output, state)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.models.captured_run import call_key


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
    """

    module: Any
    name: str
    calls: list[StepCall]
    links: list[tuple[int, int]] = field(default_factory=list)

    def takes(self, call: StepCall) -> bool:
        """Append a call that is given what the last one returned, and say whether it is."""
        last = self.calls[-1]
        if not self.links:
            self.links = list(_links(last, call))
            if self.links:
                self.calls.append(call)
            return bool(self.links)
        same = [(into, out) for into, out in self.links if _equal(last.returned[out], call.given[into])]
        if call.structure != last.structure or not same or (len(self.calls) > 2 and same != self.links):
            return False
        self.links = same  # what was equal once, by chance, is no state
        self.calls.append(call)
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
        places = (k for k, leaf in enumerate(self.calls[-1].given) if k not in states and _is_real(leaf))
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
        if any(x.shape == state.shape and _equal(x, state) and x.any() for state in states):
            return (
                f"expected one argument of {self.name} to be its last state, got two; try a module that takes it once"
            )
        return None


def _is_real(leaf: Any) -> bool:
    return hasattr(leaf, "is_floating_point") and leaf.is_floating_point() and leaf.ndim > 0


def _equal(one: Any, other: Any) -> bool:
    import torch

    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)


def _links(before: StepCall, call: StepCall) -> Iterator[tuple[int, int]]:
    """Yield (given, returned) places of equal tensors of two calls in a row, each returned one once."""
    free = [k for k, leaf in enumerate(before.returned) if _is_real(leaf)]
    for into, leaf in enumerate(call.given):
        place = next((k for k in free if _is_real(leaf) and _equal(before.returned[k], leaf)), None)
        if place is not None:
            free.remove(place)
            yield into, place


class ChainRecorder:
    """The forward hook for modules that are not PyTorch's own: it copies their calls and joins them.

    Parameters
    ----------
    names : mapping
        Module → name.

    Attributes
    ----------
    counts : mapping
        Module → how many calls.
    broken : mapping
        Name of a module whose state was changed between two calls → that, as a sentence.
    """

    def __init__(self, names: Mapping[Any, str]) -> None:
        self.names = names
        self.counts: dict[Any, int] = {}
        self._chains: dict[Any, list[StateChain]] = {}
        self.broken: dict[str, str] = {}

    def __call__(self, module: Any, positional: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
        from torch.utils._pytree import tree_flatten

        self.counts[module] = self.counts.get(module, 0) + 1
        given, structure = tree_flatten((positional, dict(named)))
        returned, _ = tree_flatten(output)
        if not (any(map(_is_real, given)) and any(map(_is_real, returned))):
            return
        call = StepCall(list(map(_copy, given)), list(map(_copy, returned)), structure)
        chains, name = self._chains.setdefault(module, []), self.names[module]
        if chains and chains[-1].takes(call):
            return
        if chains and chains[-1].links and not chains[-1].is_begun_anew_by(call):
            self.broken[name] = (
                f"expected the state of {name} to be handed on from step to step as it is, got a changed one after "
                f"{len(chains[-1].calls)} steps; try a model that hands it on, without padding"
            )
        if chains and not chains[-1].links:
            chains.pop()
        chains.append(StateChain(module, name, [call]))

    @property
    def chains(self) -> dict[str, StateChain]:
        """Name of a module, with ``#2`` from its second sequence on → its calls, where they hand on a state."""
        return {
            call_key(chain.name, number): chain
            for chains in self._chains.values()
            for number, chain in enumerate((chain for chain in chains if chain.links), start=1)
        }

    def seen(self) -> str:
        """Return which modules were called several times, for a message."""
        repeated = [
            f"{self.names[module]} ({type(module).__name__}, {count} calls)"
            for module, count in self.counts.items()
            if count > 1
        ]
        return ", ".join(repeated[:5]) or "no module of one's own twice"


def _copy(leaf: Any) -> Any:
    """Return a tensor's copy, which later edits and inference mode leave alone; all else as it is."""
    import torch

    if not isinstance(leaf, torch.Tensor):
        return leaf
    with torch.inference_mode(False):
        return leaf.detach().clone()


def carriers(chains: Mapping[str, StateChain], known: Mapping[str, Sequence[Any]]) -> dict[str, StateChain]:
    """Return the innermost chains that carry a whole state: what modules within hand on by themselves is theirs.

    Parameters
    ----------
    chains : mapping
        Name → chain.
    known : mapping
        Name of a module that its weights tell → the parts of the state that it was given last.
    """
    needed = dict[str, StateChain]()
    for name, chain in sorted(chains.items(), key=lambda item: -item[1].name.count(".")):
        within = f"{chain.name}."
        parts = [part for each in needed.values() if each.name.startswith(within) for part in each.states(-1)]
        parts += [part for each, known_parts in known.items() if each.startswith(within) for part in known_parts]
        if not all(any(_equal(part, state) for part in parts) for state in chain.states(-1)):
            needed = {each: other for each, other in needed.items() if not other.name.startswith(within)}
            needed[name] = chain
    return {name: chain for name, chain in chains.items() if name in needed}
