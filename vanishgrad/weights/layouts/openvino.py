"""OpenVINO: the layers LSTMSequence, GRUSequence, RNNSequence and their cells; an input's place says what it is.

Gates stand f i g o in an LSTM and z r n in a GRU, one bias for both products; with linear_before_reset a fourth block
of the GRU's bias stands inside the reset product. clip bounds what goes into the activations of gates and candidate,
as in ONNX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from vanishgrad.languages import english
from vanishgrad.weights.formats.operator_graph import Graph, Node, recurrent_names
from vanishgrad.weights.gate_order import OPENVINO
from vanishgrad.weights.hints import Hints, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.conventions import inside_reset
from vanishgrad.weights.layouts.onnx_activations import stated
from vanishgrad.weights.layouts.sequence_origins import SequenceOrigins
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import FLOATS, Tensor, TensorFile, part, row, shape_text, shown

WEIGHTS = {"LSTMSequence": 4, "GRUSequence": 3, "RNNSequence": 3, "LSTMCell": 3, "GRUCell": 2, "RNNCell": 2}
"""Layer → its first weight among the inputs: W, R and B stand behind x, the states and the lengths."""
LOOPS = ("TensorIterator", "Loop")
REFUSED = ("AUGRUSequence", "AUGRUCell")
PASSING = ("Squeeze", "Unsqueeze", "Transpose", "Reshape", "Convert")
KNOWN = frozenset(
    ("hidden_size", "activations", "activations_alpha", "activations_beta", "clip", "direction", "linear_before_reset")
)
ACTIVATIONS = ("sigmoid", "tanh", "relu")
NUMBERED = re.compile(r"(?:LSTM|GRU|RNN)(?:Sequence|Cell)_\d+")
"""The name of a layer that nobody gave one."""


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each direction of each recurrent layer, and a refusal for each loop."""
    graph = file.configuration.get("openvino")
    if not isinstance(graph, Graph):
        return
    names = recurrent_names([graph], _stem)
    sequences, read = SequenceOrigins(graph, WEIGHTS, names, PASSING), set[tuple[str, ...]]()
    for node in graph.nodes:
        if node.op in WEIGHTS and (node.op.endswith("Sequence") or _weights(node) not in read):
            read.add(_weights(node))
            for place, label in enumerate(sequences.directions(node)):
                yield Sighting(label, (), partial(_layer, file, sequences, node, place, label, hints), module=None)
        elif node.op in (*LOOPS, *REFUSED):
            yield Sighting(shown(node.name), (), partial(_refuse, node), module=None)


def _weights(node: Node) -> tuple[str, ...]:
    """Return the names of a node's weights: those of one cell that is unrolled over its steps are the same."""
    return tuple(node.inputs[WEIGHTS[node.op] :])


def _refuse(node: Node) -> Layer:
    what = "a recurrence in steps of its own" if node.op in LOOPS else "a GRU with attention"
    raise Unreadable(
        f"expected LSTMSequence, GRUSequence or RNNSequence, got {node.op}, {what}; "
        "try the checkpoint that it was converted from"
    )


def _stem(node: Node) -> str | None:
    """Return what a recurrent layer's name begins with: its own, or the cell's where nobody gave it one."""
    if node.op not in WEIGHTS:
        return None
    cell = _cell(node)
    return cell if NUMBERED.fullmatch(node.name) else node.name.strip("/").replace("/", ".") or cell


def _cell(node: Node) -> str:
    return node.op.removesuffix("Sequence").removesuffix("Cell").lower()


def _layer(file: TensorFile, sequences: SequenceOrigins, node: Node, place: int, label: str, hints: Hints) -> Layer:
    cell, attributes = _cell(node), _attributes(node)
    is_after = node.attributes.get("linear_before_reset", "false").lower() in ("true", "1")
    roles = _roles(sequences.graph, node, place, cell, is_after)
    return fitted(
        file, label, roles, OPENVINO, hints,
        stated(cell, attributes | {"linear_before_reset": is_after}, 0, "openvino"),
        why=english("a layer {kind} reads {name} as its recurrent weights, {shape} for each direction",
                    kind=node.op, name=shown(roles["W_hh"].name), shape=shape_text(roles["W_hh"].shape)),
        layout="openvino",
        path=sequences.names[id(node)],
        direction="backward" if label.endswith(".reverse") else "forward",
        driven_by=sequences.below(node),
    )  # fmt: skip


def _attributes(node: Node) -> dict[str, Any]:
    """Return activations and clip as ONNX has them.

    Raises
    ------
    Unreadable
        If the layer says more than its definition, or has other functions.
    """
    names = [each.strip().lower() for each in node.attributes.get("activations", "").split(",") if each.strip()]
    strange = [
        *(set(node.attributes) - KNOWN),
        *(name for name in names if name not in ACTIVATIONS),
        *(name for name in ("activations_alpha", "activations_beta") if node.attributes.get(name, "").strip()),
    ]
    try:
        clip = float(node.attributes.get("clip", "0"))
    except ValueError:
        clip = -1.0
    if strange or not 0 <= clip < float("inf"):
        raise Unreadable(
            f"expected {', '.join(ACTIVATIONS)} without parameters and a clip from 0 up in {node.op}, "
            f"got {shown(strange[0]) if strange else shown(node.attributes['clip'])}; try another model"
        )
    return ({"activations": names} if names else {}) | ({"clip": clip} if clip else {})


def _roles(graph: Graph, node: Node, place: int, cell: str, is_after: bool) -> dict[str, Tensor]:
    W, R, B = (_direction(graph, node, WEIGHTS[node.op] + index, place) for index in range(3))
    n = R.shape[-1] if R.shape else 0
    if node.attributes.get("hidden_size", str(n)) != str(n):
        raise Unreadable(
            f"expected R of hidden_size {shown(node.attributes['hidden_size'])}, as the layer says, got {R}; "
            "the file contradicts itself, try converting the model again"
        )
    roles = {"W_hx": W, "W_hh": R, "b_x": B}
    if cell == "gru" and is_after:
        if B.shape != (4 * n,):
            raise Unreadable(f"expected a bias of four blocks with linear_before_reset, got {B}; try another model")
        roles |= {"b_x": part(B, 0, 3 * n), "b_h": inside_reset(part(B, 3 * n, 4 * n))}
    return roles


def _direction(graph: Graph, node: Node, index: int, place: int) -> Tensor:
    """Return a weight of one direction; a cell has one, without an axis for it."""
    name = node.inputs[index] if index < len(node.inputs) else ""
    tensor = graph.found(name)
    if isinstance(tensor, tuple) and tensor[0].op == "Convert" and tensor[0].inputs:
        origin = graph.found(tensor[0].inputs[0])
        tensor = origin if isinstance(origin, Tensor) and origin.dtype in FLOATS else tensor
    if isinstance(tensor, tuple):
        raise Unreadable(
            f"expected weights of {node.op} to be stored in floats, got a layer {shown(tensor[0].op)} that makes them, "
            "as of compressed integers; try converting without compression"
        )
    if not isinstance(tensor, Tensor):
        raise Unreadable(f"expected weights as input {index} of {node.op}, got none; try converting the model again")
    if node.op.endswith("Cell"):
        return tensor
    if not tensor.shape or place >= tensor.shape[0]:
        raise Unreadable(f"expected a block for each direction of {node.op}, got {tensor}; try converting again")
    return row(tensor, place)
