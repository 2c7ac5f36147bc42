"""One matrix for each gate: W_i U_i b_i, W_xi W_hi b_i, input_gate_i.weight: sisters make one LSTM.

An LSTM's gates are told by letter or word, and its equations are the same everywhere. A GRU's are not: what its reset
gate multiplies and which state its update gate keeps differ from one author to the next, so it is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import english
from vanishgrad.weights.folding import leaf_names
from vanishgrad.weights.gate_order import KERAS
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.shapes import fitted, require_floats
from vanishgrad.weights.tensors import Tensor, TensorFile, derived, shape_text, shown

LETTER = re.compile(r"(?P<before>(?:.*[./])?\w*?)(?P<gate>[ifcgozrunh])(?P<after>(?:\.weight|\.bias|:0)?)")
WORD = re.compile(
    r"(?P<before>(?:.*[./])?(?:\w*_)?)"
    r"(?P<gate>input|forget|cell|candidate|output|reset|update)(?P<after>(?:_\w+)?(?:\.weight|\.bias|:0)?)"
)
WORDS = {
    "input": "i",
    "forget": "f",
    "cell": "g",
    "candidate": "g",
    "output": "o",
    "reset": "r",
    "update": "z",
    "c": "g",
}
LSTM_GATES = "ifgo"
"""In the order in which the matrices are laid side by side."""
RECURRENT = re.compile(r"(?:^|[_.])(?:h|hh|h2h|rec\w*|U)\W*\*|(?:^|[_.])W?h\*|\*\w*_?h(?:\W|$)|^U_?\*")
INPUT_KEY = re.compile(r"(?:^|[_.])(?:x|i|ih|x2h|in)\W*\*|(?:^|[_.])W?[xi]\*|\*\w*_?[xi](?:\W|$)|^W_?\*")
"""What marks the recurrent and the input family of two squares; * stands for the gate."""

Family = dict[str, Tensor]


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each module whose matrices differ by a gate's letter."""
    modules: dict[str, dict[str, Family]] = {}
    for (module, key), family in _families(free).items():
        modules.setdefault(module, {})[key] = family
    for module, families in modules.items():
        if not any(_is_square(family) for family in families.values()):
            continue
        claims = leaf_names(each for family in families.values() for each in family.values())
        label = module.strip("._/:").replace("/", ".")
        yield Sighting(label, claims, partial(_layer, file, label, families, hints), module)


def _families(free: Mapping[str, Tensor]) -> dict[tuple[str, str], Family]:
    """Return (module, name with * for the gate) → gate → tensor, where most gates of an LSTM or a GRU are there."""
    families: dict[tuple[str, str], Family] = {}
    for name, tensor in free.items():
        for match in filter(None, (WORD.fullmatch(name), LETTER.fullmatch(name))):
            gate = WORDS.get(match["gate"], match["gate"])
            module, stem = _split(match["before"])
            families.setdefault((module, f"{stem}*{match['after']}"), {})[gate] = tensor
            break
    return {key: family for key, family in families.items() if _is_gated(frozenset(family))}


def _split(before: str) -> tuple[str, str]:
    end = 1 + max(before.rfind("."), before.rfind("/"))
    return before[:end], before[end:]


def _is_gated(gates: frozenset[str]) -> bool:
    return len(gates & set("ifo")) == 3 or bool(gates & set("zu") and "r" in gates)


def _is_square(family: Family) -> bool:
    return all(len(each.shape) == 2 and len(set(each.shape)) == 1 for each in family.values())


def _layer(file: TensorFile, label: str, families: Mapping[str, Family], hints: Hints) -> Layer:
    gates = {gate for family in families.values() for gate in family}
    if any(set(family) != set(LSTM_GATES) for family in families.values()):
        raise Unreadable(
            f"expected the gates i f g o of an LSTM, got a matrix for each of {' '.join(sorted(gates))}, "
            "whose equations the names do not tell; try stacking them as PyTorch's weight_ih_l0 and weight_hh_l0"
        )
    matrices = {key: family for key, family in families.items() if len(_shape(key, family)) == 2}
    recurrent, inputs = _two(matrices)
    n = families[recurrent]["i"].shape[0]
    is_linear = families[inputs]["i"].shape[0] == n
    built = {"W_hh": _beside(families[recurrent], is_linear), "W_hx": _beside(families[inputs], is_linear)}
    biases = [key for key in families if key not in matrices]
    if len(biases) > 2:
        raise Unreadable(f"expected at most two biases for each gate, got {len(biases)}; try one layer in a file")
    built |= {role: _beside(families[key], False) for role, key in zip(("b_x", "b_h"), biases, strict=False)}
    require_floats(built)
    doubt = () if families[inputs]["i"].shape != (n, n) or ".weight" in inputs else (
        english("matrices are taken to act on columns (W @ h), as nn.Linear has them"),
    )  # fmt: skip
    return fitted(
        file, label, built, KERAS, hints, Stated(layout="keras"),
        why=english("{name} {shape} and {partner}, with i, f, g and o for *, are an LSTM's, one matrix for each gate",
                    name=shown(recurrent), shape=shape_text((n, n)), partner=shown(inputs)),
        layout="per_gate",
        assumptions=doubt,
    )  # fmt: skip


def _shape(key: str, family: Family) -> tuple[int, ...]:
    shapes = {each.shape for each in family.values()}
    if len(shapes) > 1:
        some = ", ".join(map(str, family.values()))
        raise Unreadable(f"expected one shape for all gates of {shown(key)}, got {some}; try the whole file")
    return shapes.pop()


def _two(matrices: Mapping[str, Family]) -> tuple[str, str]:
    """Return the names of the recurrent and the input family: by shape where only one is square, else by name."""
    squares = [key for key, family in matrices.items() if _is_square(family)]
    others = [key for key in matrices if key not in squares]
    if len(squares) == len(others) == 1:
        return squares[0], others[0]
    recurrent = [key for key in squares if RECURRENT.search(key) and not INPUT_KEY.search(key)]
    inputs = [key for key in squares if INPUT_KEY.search(key) and not RECURRENT.search(key)]
    if len(matrices) == 2 and len(recurrent) == len(inputs) == 1:
        return recurrent[0], inputs[0]
    raise Unreadable(
        f"expected one recurrent and one input matrix for each gate, got {', '.join(map(shown, matrices))}, "
        "which names and shapes do not tell apart; try names such as W_xi and W_hi"
    )


def _beside(family: Family, is_linear: bool) -> Tensor:
    """Return the gates' tensors one after the other along the last axis, inputs along the first."""
    tensors = [family[gate] for gate in LSTM_GATES]
    shape = tensors[0].shape[::-1] if is_linear else tensors[0].shape

    def read() -> Array:
        parts = [each.read() for each in tensors]
        return np.concatenate([each.T if is_linear else each for each in parts], axis=-1)

    return derived(tensors[0].name, (*shape[:-1], 4 * shape[-1]), read, tensors)
