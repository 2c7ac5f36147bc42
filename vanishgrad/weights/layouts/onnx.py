"""ONNX: the nodes RNN, GRU and LSTM; names of weights mean nothing there, a node's inputs say what each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from vanishgrad.cells.activations import Activation
from vanishgrad.languages import english
from vanishgrad.weights.formats.onnx_constants import NotConstant, constant
from vanishgrad.weights.formats.operator_graph import Graph, Node, recurrent_names
from vanishgrad.weights.gate_order import ONNX
from vanishgrad.weights.hints import Hints, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.onnx_activations import stated
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, part, row, shape_text, shown

CELL_OF_NODE = {"RNN": "rnn", "GRU": "gru", "LSTM": "lstm"}
REFUSED = ("DynamicQuantizeLSTM", "AttnLSTM", "QLinearLSTM")
LOOPS = ("Loop", "Scan")
INPUTS = {"W": 1, "R": 2, "B": 3, "P": 7}
KNOWN = frozenset(
    ("activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "input_forget", "layout",
     "linear_before_reset", "output_sequence")
)  # fmt: skip
"""Attributes of the three nodes, one of their first version included."""
PRODUCTS = ("MatMul", "Gemm")
UNROLLED = 3
"""Steps, each a product with one and the same matrix, from which a graph is taken for an unrolled cell."""
ENTRYWISE = (
    "Identity", "Squeeze", "Unsqueeze", "Transpose", "Reshape", "Cast", "Add", "Sub", "Mul", "Tanh", "Relu", "Sigmoid",
    "HardSigmoid", "Split", "Slice", "Concat", "Expand", "Dropout",
)  # fmt: skip
"""Nodes between one step of an unrolled cell and the next: none of them is a product or a norm."""
PASSING = ("Identity", "Squeeze", "Unsqueeze", "Transpose", "Reshape", "Cast", "Dropout")
"""Nodes that leave the numbers of a sequence as they are, between one recurrent node and the next."""
FARTHEST = 1000


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each direction of each recurrent node; nodes with the same weights count once."""
    graph = file.configuration.get("onnx")
    if not isinstance(graph, Graph):
        return
    names = recurrent_names(graph.every(), _stem)
    visited: set[object] = set()
    for where in graph.every():
        for node in where.nodes:
            if node.op in CELL_OF_NODE or node.op in REFUSED:
                key, claims = _same(node, where, file)
                if key not in visited:
                    visited.add(key)
                    yield from _directions(file, where, node, claims, names, hints)
    if not visited:
        loops = list(_loops(graph))
        yield from loops or _unrolled(graph)


def node_layers(file: TensorFile) -> Iterator[tuple[str, Graph, Node, list[Layer]]]:
    """Yield each recurrent node of a file with its name, the graph that it stands in, and a layer for each direction.

    Raises
    ------
    Unreadable
        For a node that is not wholly understood.
    """
    graph = file.configuration["onnx"]
    names = recurrent_names(graph.every(), _stem)
    for where in graph.every():
        for node in where.nodes:
            if node.op in CELL_OF_NODE or node.op in REFUSED:
                layers = _directions(file, where, node, (), names, Hints())
                yield names[id(node)], where, node, [each.layer() for each in layers]


def _loops(graph: Graph) -> Iterator[Sighting]:
    """Yield a refusal for each loop of a graph without recurrent nodes: what is repeated there is not told."""
    for where in graph.every():
        for node in where.nodes:
            if node.op in LOOPS:
                yield Sighting(shown(node.name or node.op), (), partial(_refuse_loop, node.op), None)


def _unrolled(graph: Graph) -> Iterator[Sighting]:
    """Yield a refusal where one product with a matrix is made of the one before it, entry by entry, step after step."""
    for where in graph.every():
        uses = Counter(node.inputs[1] for node in where.nodes if _is_product(node))
        matrix, steps = max(uses.items(), key=lambda each: each[1], default=("", 0))
        chained = sum(_follows_itself(node, where) for node in where.nodes if _is_product(node, matrix))
        if steps >= UNROLLED and chained >= UNROLLED - 1 and isinstance(where.found(matrix), Tensor):
            yield Sighting(shown(matrix), (), partial(_refuse_unrolled, matrix, steps), None)


def _is_product(node: Node, matrix: str | None = None) -> bool:
    return node.op in PRODUCTS and len(node.inputs) > 1 and matrix in (None, node.inputs[1])


def _follows_itself(product: Node, graph: Graph) -> bool:
    """Return whether a product's operand is made of an earlier one with the same matrix, with no other mixing between.

    Tied weights of parallel branches, or of blocks with attention or norms between them, are not.
    """
    waiting, visited = [product.inputs[0]], set[str]()
    while waiting and len(visited) < FARTHEST:
        node = graph.producers.get(waiting.pop())
        if node is None:
            continue
        if _is_product(node, product.inputs[1]):
            return True
        if node.op in ENTRYWISE:
            waiting.extend(each for each in node.inputs if each not in visited)
            visited.update(node.inputs)
    return False


def _refuse_unrolled(matrix: str, steps: int) -> Layer:
    raise Unreadable(
        f"expected a node RNN, GRU or LSTM, got {steps} products with {shown(matrix)}, as of a cell unrolled over its "
        "steps; try the checkpoint that it was exported from, or exporting the layer and not its cell"
    )


def _refuse_loop(op: str) -> Layer:
    raise Unreadable(
        f"expected a node RNN, GRU or LSTM, got a {op}, as exporters write a cell that these nodes do not have; "
        "try the checkpoint that it was exported from"
    )


def _stem(node: Node) -> str | None:
    """Return what a recurrent node's name begins with: its own, or the operation's."""
    is_known = node.op in CELL_OF_NODE or node.op in REFUSED
    return node.name.strip("/").replace("/", ".") or node.op.lower() if is_known else None


def _same(node: Node, graph: Graph, file: TensorFile) -> tuple[object, tuple[str, ...]]:
    """Return what two nodes share when they are one layer in two branches, and the names of its stored weights."""
    try:
        weights = [_weight(node, graph, file, each) for each in INPUTS]
    except Unreadable:
        return id(node), ()
    stored = tuple(tuple(leaf.name or str(id(leaf)) for leaf in each.stored) if each else () for each in weights)
    return (node.op, stored, str(sorted(node.attributes.items()))), tuple(name for names in stored for name in names)


def _weight(node: Node, graph: Graph, file: TensorFile, which: str) -> Tensor | None:
    place = INPUTS[which]
    if place >= len(node.inputs) or not node.inputs[place]:
        return None
    try:
        return constant(graph, node.inputs[place], file.configuration["room"])
    except NotConstant as reason:
        raise Unreadable(
            f"expected {which} of the node {node.op} to be stored in the file, but {reason}; "
            "try exporting with constant folding"
        ) from None


def _directions(
    file: TensorFile, graph: Graph, node: Node, claims: tuple[str, ...], names: Mapping[int, str], hints: Hints
) -> Iterator[Sighting]:
    direction = node.attributes.get("direction", "forward")
    name = names[id(node)]
    rows = {"bidirectional": (0, 1)}.get(direction, (0,))
    for index in rows:
        is_backward = direction == "reverse" or index == 1
        label = name + (".reverse" if is_backward else "")
        layer = partial(_layer, file, graph, node, index, is_backward, label, names, hints)
        yield Sighting(label, claims, layer, module=None)


def _layer(
    file: TensorFile, graph: Graph, node: Node, index: int, is_backward: bool, label: str,
    names: Mapping[int, str], hints: Hints,
) -> Layer:  # fmt: skip
    if node.op in REFUSED:
        raise Unreadable(f"expected RNN, GRU or LSTM, got the quantised or fused node {node.op}; try the float model")
    cell = CELL_OF_NODE[node.op]
    _require_known(node)
    roles = _roles(node, graph, file, index, cell)
    reading = stated(cell, node.attributes, index, "onnx")
    return fitted(
        file, label, roles, ONNX, hints, reading,
        why=english("a node {kind} reads {name} as its recurrent weights, {shape} for each direction",
                    kind=node.op, name=shown(node.inputs[2]), shape=shape_text(roles["W_hh"].shape)),
        layout="onnx",
        path=label.removesuffix(".reverse"),
        direction="backward" if is_backward else "forward",
        driven_by=_below(node, graph, names),
        variant=_variant(node, roles, reading.gate_activation),
    )  # fmt: skip


def _require_known(node: Node) -> None:
    """Refuse a node that says more than the operator's definition: what it means is not known."""
    strange = [*(set(node.attributes) - KNOWN), *(f"input {place}" for place in range(8, len(node.inputs)))]
    if strange:
        raise Unreadable(f"expected the attributes of {node.op} in ONNX, got {shown(strange[0])}; try another export")


def _roles(node: Node, graph: Graph, file: TensorFile, index: int, cell: str) -> dict[str, Tensor]:
    by_input = {name: _weight(node, graph, file, name) for name in INPUTS}
    W, R, B, P = (by_input[name] for name in INPUTS)
    if W is None or R is None or len(W.shape) != 3 or len(R.shape) != 3 or index >= min(W.shape[0], R.shape[0]):
        raise Unreadable(
            f"expected W and R of {node.op} with one block for each direction, got {W} and {R}; try another export"
        )
    roles = {"W_hx": row(W, index), "W_hh": row(R, index)}
    rows = len(ONNX.order(cell)) * R.shape[2]
    if node.attributes.get("hidden_size", R.shape[2]) != R.shape[2]:
        raise Unreadable(
            f"expected R of hidden_size {node.attributes['hidden_size']}, as the node says, got {R}; "
            "the file contradicts itself, try another export"
        )
    if B is not None:
        _require_rows(B, index, 2 * rows)
        roles |= {"b_x": part(row(B, index), 0, rows), "b_h": part(row(B, index), rows, 2 * rows)}
    if P is not None and cell == "lstm":
        _require_rows(P, index, 3 * R.shape[2])
        roles["w_c"] = row(P, index)
    return roles


def _require_rows(tensor: Tensor, index: int, size: int) -> None:
    if len(tensor.shape) != 2 or tensor.shape[0] <= index or tensor.shape[1] != size:
        raise Unreadable(f"expected {size} entries for each direction, got {tensor}; try another export")


def _variant(node: Node, roles: Mapping[str, Tensor], gate: Activation | None) -> str:
    is_coupled = node.op == "LSTM" and bool(node.attributes.get("input_forget"))
    if is_coupled and gate and not gate.name.startswith(("sigmoid", "hard_sigmoid")):
        raise Unreadable(f"expected sigmoid gates where f = 1 - i, got {gate.name}; try a model without input_forget")
    return " ".join(word for word, holds in (("coupled", is_coupled), ("peephole", "w_c" in roles)) if holds)


def _below(node: Node, graph: Graph, names: Mapping[int, str]) -> tuple[str, ...] | None:
    """Return the recurrent layers whose sequences a node reads, following its first input upwards."""
    is_direct = True
    for _ in range(FARTHEST):
        origin: Any = graph.found(node.inputs[0]) if node.inputs else None
        if not isinstance(origin, tuple):
            return ()
        name, (node, graph) = node.inputs[0], origin
        if node.op in CELL_OF_NODE:
            return _outputs(node, names) if is_direct and node.outputs[:1] == [name] else None
        is_direct = is_direct and node.op in PASSING
    return None


def _outputs(node: Node, names: Mapping[int, str]) -> tuple[str, ...]:
    name, direction = names[id(node)], node.attributes.get("direction", "forward")
    both = {"bidirectional": (name, f"{name}.reverse"), "reverse": (f"{name}.reverse",)}
    return both.get(direction, (name,))
