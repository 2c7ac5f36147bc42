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
DIRECTION = re.compile(r"(?:^|[./])bw[./]")
PEEPHOLES = ("w_i_diag", "w_f_diag", "w_o_diag")
"""In the order i f o, which TENSORFLOW_1 has without g."""
BIASES = {"kernel": "bias", "weights": "biases"}
PLUS = "1 is added to the forget gate, forget_bias's default; --forget-offset -1 takes it off where it was 0"
UNSAID = "cell_clip and proj_clip are taken to be none, a checkpoint does not say"


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each matrix with the name of a cell of TensorFlow 1."""
    for name, tensor in free.items():
        found = CELL.fullmatch(name)
        if not found or len(tensor.shape) != 2 or f"{found['path']}recurrent_kernel{found['tail']}" in free:
            continue
        if ("gru" in found["kind"]) != bool(found["inner"]):
            continue
        own = {each.removeprefix(found["path"]).removesuffix(":0"): free[each] for each in free if _is_own(each, found)}
        label = found["path"].strip("./").replace("/", ".")
        layer = partial(_gru if found["inner"] else _fused, file, label, found, own, hints)
        yield Sighting(label, tuple(each.name for each in own.values()), layer, found["path"])


def _is_own(name: str, found: re.Match[str]) -> bool:
    """Return whether a tensor has one of the names that the cells give: all else in the cell is left over."""
    if not name.startswith(found["path"]):
        return False
    words = (found["matrix"], BIASES[found["matrix"]])
    known = [
        *words,
        *(f"{inner}/{word}" for inner in ("gates", "candidate", "projection") for word in words),
        *PEEPHOLES,
    ]
    return name[len(found["path"]) :].removesuffix(":0").replace(".", "/") in known


def _fused(file: TensorFile, label: str, found: re.Match[str], own: dict[str, Tensor], hints: Hints) -> Layer:
    kernel, bias = own[found["matrix"]], own.get(BIASES[found["matrix"]])
    gates = 4 if "lstm" in found["kind"] else 1
    projection = own.get(f"projection/{found['matrix']}")
    rows, columns = kernel.shape
    state = projection.shape[-1] if projection else columns // gates
    if columns % gates or not 0 < state < rows or bias is None:
        raise Unreadable(
            f"expected a matrix of (d + n) × {gates}n and a bias for {found['kind']} of TensorFlow 1, got {kernel}; "
            "try the whole checkpoint"
        )
    is_plus = gates == 4 and not found["kind"].startswith("cudnn")
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
    offset = ", which adds 1 to the forget gate at run time" if is_plus else ""
    return _layer(file, label, roles, found, hints, f"one matrix for [x, h]{offset}", unsaid)


def _peepholes(peepholes: list[Tensor], n: int) -> Tensor:
    if len(peepholes) != 3 or any(each.shape != (n,) for each in peepholes):
        raise Unreadable(
            f"expected three peepholes of {n}, got {', '.join(map(str, peepholes))}; try the whole checkpoint"
        )
    return stacked(peepholes[0].name, peepholes)


def _gru(file: TensorFile, label: str, found: re.Match[str], own: dict[str, Tensor], hints: Hints) -> Layer:
    words = (found["matrix"], BIASES[found["matrix"]])
    wanted = [f"{inner}/{word}" for word in words for inner in ("gates", "candidate")]
    if any(each not in own for each in wanted) or found["kind"].startswith("cudnn"):
        raise Unreadable(f"expected {', '.join(wanted)} of GRUCell of TensorFlow 1, got {', '.join(own)}; try LSTMCell")
    gates, candidate, b_gates, b_candidate = (own[each] for each in wanted)
    rows, n = candidate.shape
    if gates.shape != (rows, 2 * n) or n >= rows:
        raise Unreadable(f"expected (d + n) × 2n gates beside {candidate}, got {gates}; try the whole checkpoint")
    roles = {
        "W_hx": _beside(part(gates, 0, rows - n), part(candidate, 0, rows - n)),
        "W_hh": _beside(part(gates, rows - n, rows), part(candidate, rows - n, rows)),
        "b_x": joined([b_gates, b_candidate]),
    }
    return _layer(file, label, roles, found, hints, "gates r z and a candidate, each with one matrix for [x, h]", ())


def _beside(gates: Tensor, candidate: Tensor) -> Tensor:
    return turned(joined([turned(gates), turned(candidate)]))


def _layer(
    file: TensorFile, label: str, roles: dict[str, Tensor], found: re.Match[str], hints: Hints, what: str,
    unsaid: tuple[str, ...],
) -> Layer:  # fmt: skip
    kernel = found[0]
    return fitted(
        file, label, roles, TENSORFLOW_1, hints,
        Stated(None, SIGMOID, "before", layout="tensorflow1", open=("activation",)),
        why=f"{kernel} is TensorFlow 1's {found['kind']}: {what}",
        layout="tensorflow1",
        variant="projected" if "W_hr" in roles else "peephole" if "w_c" in roles else "",
        direction="backward" if DIRECTION.search(label.replace(".", "/") + "/") else "forward",
        assumptions=unsaid,
    )  # fmt: skip
