"""Modules of one's own in a PyTorch model: which of them are recurrent steps, told by the states that they hand on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.models.chain_recorder import ChainRecorder, carriers
from vanishgrad.models.state_chains import StateChain


def own_modules(module: Any, known: Collection[Any]) -> dict[Any, str]:
    """Return the modules within, and their names, whose class is no part of PyTorch and that take hooks.

    The outermost is called once, so that it is no step; it is one of them if it derives from PyTorch's own.
    """
    from torch import jit, nn

    return {
        each: name or type(each).__name__
        for name, each in module.named_modules()
        if (name or isinstance(each, nn.RNNBase | nn.RNNCellBase))
        and each not in known
        and not isinstance(each, jit.ScriptModule)
        and not type(each).__module__.startswith("torch.")
    }


def recurrent_steps(
    recorder: ChainRecorder, known: Mapping[str, Sequence[Any]], broken: Mapping[str, str], is_alone: bool
) -> dict[str, StateChain]:
    """Return the calls that are to be differentiated: they carry a state that no module within them hands on by itself.

    Parameters
    ----------
    recorder : ChainRecorder
        What was seen of the modules of one's own.
    known : mapping
        Name of a module that its weights tell → the parts of the state that it was given last.
    broken : mapping
        Name of one whose state was changed between two calls → that, as a sentence.
    is_alone : bool
        Whether nothing else in the model is recurrent.

    Raises
    ------
    VanishgradError
        Where a state is changed between two calls, or a subclass of PyTorch's own layers does not hand one on.
    """
    from torch import nn

    carrying = carriers(recorder.chains, known)
    chains = {name: chain for name, chain in carrying.items() if not chain.flaw()}
    within = tuple(f"{chain.name}." for chain in chains.values())
    names = {chain.name for chain in chains.values()}
    for name, sentence in (*broken.items(), *((name, recorder.broken[name]) for name in names & {*recorder.broken})):
        if not any(map(name.startswith, within)):
            raise VanishgradError(sentence)
    for part, count in recorder.counts.items():
        name = recorder.names[part]
        if (
            isinstance(part, nn.RNNBase | nn.RNNCellBase)
            and name not in names
            and name not in known
            and not any(map(name.startswith, within))
        ):
            raise VanishgradError(
                f"expected PyTorch's own forward at {name}, or calls that hand on a state, got that of "
                f"{type(part).__name__} in {count} call{'s' * (count > 1)}; try calling it step by step"
            )
    if is_alone and not chains and carrying:
        raise VanishgradError(next(flaw for chain in carrying.values() if (flaw := chain.flaw())))
    return chains


def nothing_recorded(module: Any, names: Mapping[Any, str], others: ChainRecorder) -> VanishgradError:
    """Return the error for a model in which nothing was recorded, which says what is in it."""
    from torch import jit

    if names:
        return VanishgradError(f"expected the forward of {type(module).__name__} to call {', '.join(names.values())}, "
                               "got no call; try a batch that does")  # fmt: skip
    for name, part in module.named_modules():
        if isinstance(part, jit.ScriptModule):
            return VanishgradError(f"expected plain modules, got a ScriptModule at {name or 'the top'}, which takes no "
                                   "hooks; try the module before torch.jit")  # fmt: skip
    held = ", ".join(sorted({type(part).__name__ for part in module.modules()}))
    return VanishgradError(f"expected an nn.RNN, nn.LSTM, nn.GRU or a cell of theirs, or a module that is called step "
                           f"by step and handed its last state, got {held}; called more than once: {others.seen()}; "
                           "try a module for the step, (x, state) → state, and all that changes it")  # fmt: skip
