"""Recorder of state chains: the hook that copies the calls of modules that are not PyTorch's own, and joins them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vanishgrad.arrays import Array
from vanishgrad.models.captured_run import call_key
from vanishgrad.models.state_chains import StateChain, StepCall, changed_state, is_equal, is_real, steps_taken

if TYPE_CHECKING:
    from vanishgrad.models.torch_modes import StateBlends


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

    def __init__(self, names: Mapping[Any, str], blends: StateBlends) -> None:
        self.names, self._blends = names, blends
        self.counts: dict[Any, int] = {}
        self._chains: dict[Any, list[StateChain]] = {}
        self.broken: dict[str, str] = {}

    def __call__(self, module: Any, positional: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
        from torch.utils._pytree import tree_flatten

        self.counts[module] = self.counts.get(module, 0) + 1
        given, structure = tree_flatten((positional, dict(named)))
        returned, _ = tree_flatten(output)
        if not (any(map(is_real, given)) and any(map(is_real, returned))):
            return
        call = StepCall(list(map(_copy, given)), list(map(_copy, returned)), structure)
        chains, name = self._chains.setdefault(module, []), self.names[module]
        states = [leaf for leaf in call.returned if is_real(leaf)]
        if chains and chains[-1].takes(call):
            self._blends.begin(chains[-1], states)
            return
        if chains and chains[-1].links and not chains[-1].is_begun_anew_by(call):
            self.broken[name] = changed_state(name, len(chains[-1].calls))
        if chains and not chains[-1].links:
            chains.pop()
        chains.append(StateChain(module, name, [call]))
        self._blends.begin(chains[-1], states)

    @property
    def chains(self) -> dict[str, StateChain]:
        """Name of a module, with ``#2`` from its second sequence on → its calls, where they hand on a state."""
        return {
            call_key(chain.name, number): chain
            for chains in self._chains.values()
            for number, chain in enumerate((chain for chain in chains if chain.links), start=1)
        }

    def taken(self, chain: StateChain) -> Array:
        """Return which of a chain's calls each sequence takes, (B, T).

        Raises
        ------
        VanishgradError
            As `steps_taken`.
        """
        (into, out), last = chain.links[0], chain.calls[-1]
        is_masked = not all(each.all() for each in chain.taken)
        taken = self._blends.last_taken(chain, last.returned[out], last.given[into], is_masked)
        return steps_taken(chain.name, len(chain.taken[0]), chain.taken, taken)

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
        if not all(any(is_equal(part, state) for part in parts) for state in chain.states(-1)):
            needed = {each: other for each, other in needed.items() if not other.name.startswith(within)}
            needed[name] = chain
    return {name: chain for name, chain in chains.items() if name in needed}
