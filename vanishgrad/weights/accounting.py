"""Unaccounted tensors: what stands in a layer's module and its reading does not use.

A layer whose module holds a norm, a peephole, a mask or a second matrix is another cell than its names say. So a layer
is read only if every tensor of its module is used, harmless, or has a role outside the recurrence (a read-out, an
embedding, an encoder), told by its name; without such a name a tensor is let pass only if it cannot act on the gates.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from vanishgrad.errors import VanishgradError
from vanishgrad.languages import english
from vanishgrad.weights.hints import Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.tensors import FLOATS, Tensor, contains_parts, name_parts, shape_text, shown

HARMLESS = re.compile(
    r"num_batches_tracked|seed_generator\w*|rngs?|rng_\w*|dropout_rng|seed|_flat_weights|total_(?:ops|params)|"
    r"iterations?|global_step|_float_tensor|_dummy\w*"
)
"""Parts of names of what no output depends on: counters, seeds, copies that a framework keeps."""
SUSPECTS = {
    "norms": re.compile(r"(?:^|_)(?:ln|bn|gn)(?:_|\d|$)|norm|gamma|beta|(?:^|_)scale"),
    "peepholes": re.compile(r"peep|diag|^w_?c[ifo]?$|^weight_c[ifoh]"),
    "masks": re.compile(r"mask"),
    "attention": re.compile(r"att(?:n|en)"),
    "low-rank deltas": re.compile(r"lora|delta|adapter"),
    "multiplicative weights": re.compile(r"mult|(?:^|_)m[xhi](?:_|$)|_mi?h|_mi?x|zoneout|highway|gate|(?:^|_)alpha"),
}
"""What an unexplained tensor looks like → parts of its name that give it away."""
ROLES = re.compile(
    r"emb(?:ed\w*|s|\d*)?(?:_\w+)?|(?:\w+_)?emb(?:ed\w*)?|wte|lookup\w*|"
    r"(?:fc|lin|linear|dense|mlp|ffn?|out|output|head|cls|classifier|regressor|logits?|decoder?|decode|readout|score|"
    r"pred\w*|softmax|generator|vocab|final|last|top|dropout|encoder?|conv\w*|cnn|backbone|features?|stem|stft)"
    r"(?:_?\w*)?|(?:\w+_)(?:fc|linear|dense|head|out|output|classifier|logits|decoder|readout)|"
    r"(?:h|hidden|state)2\w+|h2o|i2o|"
    r"[WwUu]_?(?:hy|ya|ho|y|out|hq|hk)|[Vv]|[Bb]_?(?:y|out|q|k|v)|c|weight_(?:ho|hy|out)|bias_(?:o|y|out)"
)
"""First parts of names of what stands outside the recurrence."""
STARTS = re.compile(
    r"(?:h|c|s)_?0|(?:init\w*|start)_?(?:h|c|state|hidden|cell)?\w*|\w*(?:initial|init)_(?:state|h|c)\w*"
)
"""Names of a learned start."""
LEAVES = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
"""The tensors of one of PyTorch's modules, which its name stands for."""
MAX_NAMED_TENSORS = 6
"""Left-over names in a sentence."""


class Accounts:
    """The tensors of a file that no sighting claims, looked up by the module that they stand in.

    Parameters
    ----------
    tensors : iterable of Tensor
        Unclaimed; an optimiser's state is none of them.
    ignored : sequence of str
        What `--ignore` names: tensors or modules, by any run of whole parts of their names.
    """

    def __init__(self, tensors: Iterable[Tensor], ignored: Sequence[str]) -> None:
        self._tensors = {each.name: each for each in tensors}
        self._names = sorted(self._tensors)
        self._ignored = tuple(ignored)
        self._useful: set[str] = set()

    def complete(self, layer: Layer, module: str | None) -> Layer:
        """Return the layer, with the names that `--ignore` leaves out of it.

        Raises
        ------
        Unreadable
            If its module holds anything else that the reading does not use.
        """
        if module is None:
            return layer
        strange = [sibling for sibling in self._within(module) if _is_suspicious(sibling, module, layer)]
        without = [sibling for sibling in strange if self._is_ignored(sibling.name)]
        unexplained = [sibling for sibling in strange if sibling not in without]
        if unexplained:
            raise _left_over(unexplained, module, layer)
        starts = [
            sibling.name
            for sibling in self._within(module)
            if STARTS.fullmatch(name_parts(sibling.name[len(module) :])[0])
        ]
        notes = tuple(_of_its_own(name) for name in starts)
        names = _grouped(without, module)
        notes += tuple(english("{name} is left out because --ignore says so", name=shown(name, 200)) for name in names)
        return replace(layer, without=names, assumptions=(*layer.assumptions, *notes))

    def require_useful(self, path: str) -> None:
        """Refuse a name of `--ignore` that stands for nothing that was left over."""
        for name in self._ignored:
            if name not in self._useful:
                raise VanishgradError(
                    f"expected --ignore to name a tensor that a recurrent layer of {path} leaves over, "
                    f"got {shown(name)}; try without it"
                )

    def _within(self, module: str) -> Iterator[Tensor]:
        for place in range(bisect_left(self._names, module), len(self._names)):
            if not self._names[place].startswith(module):
                break
            yield self._tensors[self._names[place]]

    def _is_ignored(self, name: str) -> bool:
        fitting = {ignored for ignored in self._ignored if contains_parts(name, ignored)}
        self._useful |= fitting
        return bool(fitting)


def _is_suspicious(tensor: Tensor, module: str, layer: Layer) -> bool:
    """Return whether a tensor may be part of the recurrence.

    In a module with a role, whatever its parts are called, it is not. By a suspect's name it is, and without any name
    that tells if its last axis of outputs has the size of the state or of the gates.
    """
    parts = tuple(name_parts(tensor.name[len(module) :]))
    if _is_harmless(parts) or (not tensor.shape and tensor.dtype not in FLOATS):
        return False
    if len(parts) > 1 and _has_role(parts[0]):
        return False
    if _looks(parts):
        return True
    return not (_has_role(parts[0]) or STARTS.fullmatch(parts[0])) and _acts_on_gates(tensor, layer)


@cache
def _is_harmless(parts: tuple[str, ...]) -> bool:
    return any(HARMLESS.fullmatch(each) for each in parts)


@cache
def _has_role(part: str) -> bool:
    return bool(ROLES.fullmatch(part)) and not _looks((part,))


@cache
def _looks(parts: tuple[str, ...]) -> str | None:
    return next((kind for kind, words in SUSPECTS.items() if any(words.search(each.lower()) for each in parts)), None)


def _acts_on_gates(tensor: Tensor, layer: Layer) -> bool:
    """Return whether a tensor's outputs are as many as the layer's units, gates or peepholes; a scalar acts on all."""
    n, rows = layer.hidden_size, layer.gate_rows
    sizes = {n, 3 * n, rows, 2 * rows, layer.output_size}
    shape = layer.stacking.columns(tensor.shape)
    return tensor.size == 1 or (len(shape) <= 2 and shape[0] in sizes)


def _grouped(tensors: Sequence[Tensor], module: str) -> tuple[str, ...]:
    """Return the names of tensors, those of one module within the layer's under that module's name."""

    def name(tensor: Tensor) -> str:
        first, _, leaf = tensor.name[len(module) :].partition(".")
        return module + (first if leaf in LEAVES else tensor.name[len(module) :])

    return tuple(dict.fromkeys(map(name, tensors)))


def _left_over(unexplained: Sequence[Tensor], module: str, layer: Layer) -> Unreadable:
    names = _grouped(unexplained, module)
    some = ", ".join(shown(each, 120) for each in names[:MAX_NAMED_TENSORS])
    more = f" and {len(names) - MAX_NAMED_TENSORS} more" if len(names) > MAX_NAMED_TENSORS else ""
    looks = dict.fromkeys(
        _looks(tuple(name_parts(each.name[len(module) :]))) or _shaped(each, layer) for each in unexplained
    )
    return Unreadable(
        f"expected every tensor of its module to be used, got {some}{more} left over, which look like "
        f"{' and '.join(looks)}: not the plain {layer.cell} of its names; "
        f"try --ignore with {'each' if len(names) > 1 else 'it'} to read on without"
    )


def _shaped(tensor: Tensor, layer: Layer) -> str:
    if tensor.size == 1:
        return "a learned constant"
    if len(tensor.shape) == 1:
        return "second biases" if tensor.shape[0] == layer.gate_rows else "biases or scales of the state"
    is_square = len(set(tensor.shape)) == 1
    return "a second recurrent matrix" if is_square else f"weights of the gates ({shape_text(tensor.shape)})"


def _of_its_own(start: str) -> str:
    return english("{name} is a start of its own; the start here is zero, --initial FILE sets it", name=shown(start))
