"""Paddle: paddle.nn.LSTM, GRU and SimpleRNN keep PyTorch's names and orders, and every weight twice.

weight_hh_l0 is 0.cell.weight_hh, or 0.cell_fw.weight_hh and 0.cell_bw.weight_hh of a bidirectional layer; a projection
is 0.cell.weight_ho (n, p), PyTorch's weight_hr transposed. An exported model (.pdiparams) has lstm_cell_0.w_0 and so on
for weight_ih, weight_hh, bias_ih, bias_hh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from vanishgrad.languages import english
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import Hints, Stated
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.conventions import repeated, turned
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, shape_text

TWIN = re.compile(r"(?P<path>(?:.*[./])?)(?P<index>\d{1,4})\.(?P<cell>cell|cell_fw|cell_bw)\.weight_hh")
EXPORTED = re.compile(r"(?P<path>(?P<cell>(?:.*[./])?(?:lstm|gru|simple_rnn)_cell_(?P<index>\d{1,4}))\.)w_1")
ROLES = {"W_hx": "weight_ih", "W_hh": "weight_hh", "b_x": "bias_ih", "b_h": "bias_hh"}
EXPORTED_ROLES = {"W_hx": "w_0", "W_hh": "w_1", "b_x": "b_0", "b_h": "b_1"}


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each recurrent matrix that stands there twice, and for each of an exported model."""
    for name in free:
        if (match := TWIN.fullmatch(name)) and _outer(match, "weight_hh") in free:
            sighting = _twins(file, match, free, hints)
            if sighting is not None:
                yield sighting
        elif match := EXPORTED.fullmatch(name):
            names = {role: match["path"] + each for role, each in EXPORTED_ROLES.items()}
            roles = {role: free[each] for role, each in names.items() if each in free}
            if "W_hx" in roles:
                claims = tuple(each.name for each in roles.values())
                yield Sighting(match["cell"], claims, partial(_layer, file, match["cell"], roles, hints), match["path"])


def _outer(match: re.Match[str], word: str) -> str:
    reverse = "_reverse" if match["cell"] == "cell_bw" else ""
    return f"{match['path']}{word}_l{match['index']}{reverse}"


def _twins(file: TensorFile, match: re.Match[str], free: Mapping[str, Tensor], hints: Hints) -> Sighting | None:
    inner = f"{match['path']}{match['index']}.{match['cell']}."
    names = {role: (_outer(match, word), inner + word) for role, word in ROLES.items()}
    roles = {role: repeated(free[one], free[two]) for role, (one, two) in names.items() if {one, two} <= free.keys()}
    if "W_hx" not in roles:
        return None
    claims = [part for role in roles for part in names[role]]
    if f"{inner}weight_ho" in free:
        roles["W_hr"] = turned(free[f"{inner}weight_ho"])
        claims.append(f"{inner}weight_ho")
    label = ".".join(
        part for part in (match["path"].strip("./"), match["index"], "reverse" * (match["cell"] == "cell_bw")) if part
    )
    layer = partial(_layer, file, label, roles, hints, match)
    return Sighting(label, tuple(claims), layer, match["path"])


def _layer(
    file: TensorFile, label: str, roles: dict[str, Tensor], hints: Hints, match: re.Match[str] | None = None
) -> Layer:
    matrix = roles["W_hh"]
    is_rnn = len(set(matrix.shape)) == 1
    return fitted(
        file, label, roles, PYTORCH, hints, Stated(reset="after", open=("activation",) if is_rnn else ()),
        why=english("{name} {shape} is Paddle's name, as it stands again in {again}",
                    name=matrix.name, shape=shape_text(matrix.shape), again=match[0]) if match
        else english("{name} {shape} is Paddle's name in an exported model",
                     name=matrix.name, shape=shape_text(matrix.shape)),
        layout="paddle",
        path=match["path"].strip("./") if match else label,
        variant="projected" if "W_hr" in roles else "",
        layer_index=int(match["index"]) if match else 0,
        direction="backward" if match and match["cell"] == "cell_bw" else "forward",
        driven_by=_below(match) if match else None,
    )  # fmt: skip


def _below(match: re.Match[str]) -> tuple[str, ...] | None:
    """Return the layers one lower in the stack: both directions of it, if it has two."""
    index = int(match["index"])
    if index == 0:
        return None
    below = ".".join(each for each in (match["path"].strip("./"), str(index - 1)) if each)
    return (below,) if match["cell"] == "cell" else (below, f"{below}.reverse")
