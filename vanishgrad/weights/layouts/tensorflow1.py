"""TensorFlow 1's cells (tf.nn.rnn_cell, tf.compat.v1): BasicRNNCell, BasicLSTMCell, LSTMCell, GRUCell.

Each keeps one matrix for [x, h]. LSTM gates stand i g f o, and 1 is added to the forget gate at run time unless the
program said otherwise; w_i_diag, w_f_diag, w_o_diag are peepholes, projection/kernel is a projection. GRU gates stand
r z beside a candidate, the reset gate before the product, z on the old state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from vanishgrad.cells.activations import SIGMOID
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import TENSORFLOW_1
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.conventions import joined, plus_one, turned
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, part, stacked

CELL = re.compile(
    r"(?P<path>(?:.*[./:])?(?P<kind>(?:basic_)?(?:lstm|rnn)_cell|cudnn_compatible_lstm_cell|gru_cell|"
    r"cudnn_compatible_gru_cell)(?:_\d+)?[./])(?P<inner>gates[./])?(?P<matrix>kernel|weights)(?P<tail>(?::0)?)"
)
OTHERS = {
    "layer_norm_basic_lstm_cell": "LayerNormBasicLSTMCell, which norms each gate and the cell state",
    "coupled_input_forget_gate_lstm_cell": "CoupledInputForgetGateLSTMCell",
    "ugrnn_cell": "UGRNNCell",
    "intersection_rnn_cell": "IntersectionRNNCell",
    "phased_lstm_cell": "PhasedLSTMCell",
    "grid_lstm_cell": "GridLSTMCell",
    "conv_lstm_cell": "ConvLSTMCell",
}
"""Scopes of tf.contrib.rnn's cells that are none of ours."""
OTHER = re.compile(rf"(?P<path>(?:.*[./:])?(?P<kind>{'|'.join(OTHERS)})(?:_\d+)?[./])(?:\w+[./])?kernel(?::0)?")
DIRECTION = re.compile(r"(?:^|[./])bw[./]")
PEEPHOLES = ("w_i_diag", "w_f_diag", "w_o_diag")
"""In the order i f o, which TENSORFLOW_1 has without g."""
BIASES = {"kernel": "bias", "weights": "biases"}
PLUS = english("1 is added to the forget gate, forget_bias's default; --forget-offset -1 takes it off where it was 0")
ATTENDED = english(
    "what the attention around the cell feeds back into its input is left out, as any input that the state makes"
)
UNSAID = english("cell_clip and proj_clip are taken to be none, a checkpoint does not say")


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each matrix with the name of a cell of TensorFlow 1."""
    for name, tensor in free.items():
        if other := OTHER.fullmatch(name):
            names = tuple(each for each in free if each.startswith(other["path"]))
            yield Sighting(_label(other), names, partial(_refuse, OTHERS[other["kind"]]), other["path"])
            continue
        match = CELL.fullmatch(name)
        if not match or len(tensor.shape) != 2 or f"{match['path']}recurrent_kernel{match['tail']}" in free:
            continue
        if ("gru" in match["kind"]) != bool(match["inner"]):
            continue
        own = {each.removeprefix(match["path"]).removesuffix(":0"): free[each] for each in free if _is_own(each, match)}
        label = _label(match)
        layer = partial(_gru if match["inner"] else _fused, file, label, match, own, hints)
        yield Sighting(label, tuple(each.name for each in own.values()), layer, match["path"])


def _label(match: re.Match[str]) -> str:
    return match["path"].strip("./").replace("/", ".")


def _refuse(cell: str) -> Layer:
    raise Unreadable(
        f"expected BasicRNNCell, BasicLSTMCell, LSTMCell or GRUCell of TensorFlow 1, got {cell}: another cell; "
        "try a model with one of them"
    )


def _is_own(name: str, match: re.Match[str]) -> bool:
    """Return whether a tensor has one of the names that the cells give: all else in the cell is left over."""
    if not name.startswith(match["path"]):
        return False
    words = (match["matrix"], BIASES[match["matrix"]])
    siblings = [
        *words,
        *(f"{inner}/{word}" for inner in ("gates", "candidate", "projection") for word in words),
        *PEEPHOLES,
    ]
    return name[len(match["path"]) :].removesuffix(":0").replace(".", "/") in siblings


def _fused(file: TensorFile, label: str, match: re.Match[str], own: dict[str, Tensor], hints: Hints) -> Layer:
    kernel, bias = own[match["matrix"]], own.get(BIASES[match["matrix"]])
    gates = 4 if "lstm" in match["kind"] else 1
    projection = own.get(f"projection/{match['matrix']}")
    rows, columns = kernel.shape
    state = projection.shape[-1] if projection else columns // gates
    if columns % gates or not 0 < state < rows or bias is None:
        raise Unreadable(
            f"expected a matrix of (d + n) × {gates}n and a bias for {match['kind']} of TensorFlow 1, got {kernel}; "
            "try the whole checkpoint"
        )
    is_plus = gates == 4 and not match["kind"].startswith("cudnn")
    roles = {
        "W_hx": part(kernel, 0, rows - state),
        "W_hh": part(kernel, rows - state, rows),
        "b_x": plus_one(bias, 2, 4) if is_plus else bias,
    }
    peepholes = [own[each] for each in PEEPHOLES if each in own]
    if peepholes:
        roles["w_c"] = _peepholes(peepholes, columns // 4)
    if projection:
        roles["W_hr"] = turned(projection)
    unsaid = (*((PLUS,) if is_plus else ()), *((UNSAID,) if gates == 4 else ()))
    what = (
        english("one matrix for [x, h], which adds 1 to the forget gate at run time")
        if is_plus
        else english("one matrix for [x, h]")
    )
    return _layer(file, label, roles, match, hints, what, unsaid)


def _peepholes(peepholes: list[Tensor], n: int) -> Tensor:
    if len(peepholes) != 3 or any(each.shape != (n,) for each in peepholes):
        raise Unreadable(
            f"expected three peepholes of {n}, got {', '.join(map(str, peepholes))}; try the whole checkpoint"
        )
    return stacked(peepholes[0].name, peepholes)


def _gru(file: TensorFile, label: str, match: re.Match[str], own: dict[str, Tensor], hints: Hints) -> Layer:
    words = (match["matrix"], BIASES[match["matrix"]])
    names = [f"{inner}/{word}" for word in words for inner in ("gates", "candidate")]
    if any(each not in own for each in names) or match["kind"].startswith("cudnn"):
        raise Unreadable(f"expected {', '.join(names)} of GRUCell of TensorFlow 1, got {', '.join(own)}; try LSTMCell")
    gates, candidate, b_gates, b_candidate = (own[each] for each in names)
    rows, n = candidate.shape
    if gates.shape != (rows, 2 * n) or n >= rows:
        raise Unreadable(f"expected (d + n) × 2n gates beside {candidate}, got {gates}; try the whole checkpoint")
    roles = {
        "W_hx": _beside(part(gates, 0, rows - n), part(candidate, 0, rows - n)),
        "W_hh": _beside(part(gates, rows - n, rows), part(candidate, rows - n, rows)),
        "b_x": joined([b_gates, b_candidate]),
    }
    what = english("gates r z and a candidate, each with one matrix for [x, h]")
    return _layer(file, label, roles, match, hints, what, ())


def _beside(gates: Tensor, candidate: Tensor) -> Tensor:
    return turned(joined([turned(gates), turned(candidate)]))


def _layer(
    file: TensorFile, label: str, roles: dict[str, Tensor], match: re.Match[str], hints: Hints, what: str,
    unsaid: tuple[str, ...],
) -> Layer:  # fmt: skip
    kernel = match[0]
    return fitted(
        file, label, roles, TENSORFLOW_1, hints,
        Stated(None, SIGMOID, "before", layout="tensorflow1", open=("activation",)),
        why=english("{name} is TensorFlow 1's {kind}: {what}", name=kernel, kind=match["kind"], what=what),
        layout="tensorflow1",
        variant="projected" if "W_hr" in roles else "peephole" if "w_c" in roles else "",
        direction="backward" if DIRECTION.search(label.replace(".", "/") + "/") else "forward",
        assumptions=(*unsaid, *((ATTENDED,) if "attention" in label else ())),
    )  # fmt: skip
