"""The layer norms of an LSTM's module, where names make the convention certain: all three, each with gain and shift.

Both conventions norm W_hx x, W_hh h and the carried cell state (`LayerNormLSTM`), and differ in ε. Norms by any other
names, or fewer, are claimed by nobody, and so refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vanishgrad.languages import english
from vanishgrad.weights.hints import Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.tensors import Tensor

VARIANT = "layer-normalised"
ROLES = ("gain_x", "shift_x", "gain_h", "shift_h", "gain_c", "shift_c")


@dataclass(frozen=True)
class NormNames:
    """Whose norms these names are, and the ε that its code has unless it is told another.

    Attributes
    ----------
    owner : str
    names : tuple of tuples of str
        Alternatives, each in the order of `ROLES`.
    epsilon : float
    """

    owner: str
    names: tuple[tuple[str, ...], ...]
    epsilon: float


FAST_RNN = NormNames(
    "PyTorch's fast-RNN example",
    (tuple(f"layernorm_{norm}.{leaf}" for norm in "ihc" for leaf in ("weight", "bias")),),
    1e-5,
)
ADDONS = NormNames(
    "TensorFlow Addons' LayerNormLSTMCell",
    tuple(
        tuple(f"{norm}_norm/{leaf}" for norm in ("kernel", "recurrent", "state") for leaf in leaves)
        for leaves in (("gamma", "beta"), ("gamma:0", "beta:0"), ("vars/0", "vars/1"))
    ),
    1e-3,
)


@dataclass(frozen=True)
class LayerNorms:
    """The norms of one layer; empty of roles where it has none.

    Attributes
    ----------
    roles : mapping from str to Tensor
        By `ROLES`.
    epsilon : float or None
        None where there are none.
    note : tuple of str
        What is taken and the file does not say.
    """

    roles: Mapping[str, Tensor] = field(default_factory=dict)
    epsilon: float | None = None
    note: tuple[str, ...] = ()

    def require_lstm(self, layer: Layer) -> Layer:
        """Return the layer if norms may stand in it.

        Raises
        ------
        Unreadable
            If it has norms and is no LSTM.
        """
        if self.roles and layer.cell != "lstm":
            raise Unreadable(
                f"expected these layer norms in an LSTM, got them in a {layer.cell}, whose convention no name tells; "
                "try the model without norms"
            )
        return layer


def norms(whose: NormNames, module: str, free: Mapping[str, Tensor], epsilon: float | None = None) -> LayerNorms:
    """Return the norms that stand in a module by names of some owner; `epsilon` is what the file says."""
    for names in whose.names:
        if all(module + name in free for name in names):
            roles = {role: free[module + name] for role, name in zip(ROLES, names, strict=True)}
            note = (
                english(
                    "layer norms are those of {owner}, whose ε {epsilon} is taken; the file does not say it",
                    owner=whose.owner,
                    epsilon=f"{whose.epsilon:g}",
                ),
            )
            return LayerNorms(roles, epsilon or whose.epsilon, () if epsilon else note)
    return LayerNorms()
