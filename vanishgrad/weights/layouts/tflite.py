"""TensorFlow Lite's fused operators: LSTM, RNN and their sequences in one direction or two.

A tensor's place among the operator's inputs says what it is; its name means nothing. LSTM gates stand i f g o, each
with a matrix of its own for x and for h; without the input gate's, i = 1 - f. cell_clip clips c at every step, and
Keras's converter always writes 10. A reversed sequence is an operator before the layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from vanishgrad.cells.activations import LINEAR, RELU, SIGMOID, TANH
from vanishgrad.languages import english
from vanishgrad.weights.formats.operator_graph import Graph, Node, recurrent_names
from vanishgrad.weights.gate_order import PYTORCH
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.conventions import joined, negated
from vanishgrad.weights.layouts.sequence_origins import SequenceOrigins
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import FLOATS, Tensor, TensorFile, shape_text

ONE_WAY, TWO_WAYS = "UNIDIRECTIONAL_SEQUENCE_", "BIDIRECTIONAL_SEQUENCE_"
RECURRENT = {f"{way}{cell}": cell.lower() for cell in ("LSTM", "RNN") for way in ("", ONE_WAY, TWO_WAYS)}
"""Operator → the cell that it is."""
PASSING = ("RESHAPE", "TRANSPOSE", "SQUEEZE", "EXPAND_DIMS")
ACTIVATIONS = {0: LINEAR, 1: RELU, 4: TANH}
"""Numbers of the schema's ActivationFunctionType."""
FULL_LSTM = {"W": 1, "U": 5, "p": 9, "b": 12, "projection": 16, "projection bias": 17, "norm": 20}
"""Role → its first input in an LSTM of one direction: four each, three peepholes, one projection."""
FORWARD_LSTM = {"W": 1, "U": 5, "p": 9, "b": 12, "projection": 16, "projection bias": 17, "second input": 39}
BACKWARD_LSTM = {"W": 18, "U": 22, "p": 26, "b": 29, "projection": 33, "projection bias": 34, "second input": 39}
PLAIN_RNN = {"W": 1, "U": 2, "b": 3}
BACKWARD_RNN = {"W": 5, "U": 6, "b": 7, "second input": 9}


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each direction of each recurrent operator, and a refusal for each loop."""
    graphs: Sequence[Graph] = file.configuration.get("tflite", ())
    names = recurrent_names(graphs, lambda node: RECURRENT.get(node.op))
    for graph in graphs:
        sequences = SequenceOrigins(graph, RECURRENT, names, PASSING)
        for node in graph.nodes:
            if node.op in RECURRENT:
                for is_second in (False, True) if node.op.startswith(TWO_WAYS) else (False,):
                    yield _sighting(file, sequences, node, is_second, hints)
            elif node.op == "WHILE":
                yield Sighting("while", (), _refuse_loop, None)


def _refuse_loop() -> Layer:
    raise Unreadable(
        "expected a fused LSTM or RNN, got a WHILE, as the converter writes every GRU and what it cannot fuse; "
        "try the Keras file or checkpoint that it was converted from"
    )


def _sighting(file: TensorFile, sequences: SequenceOrigins, node: Node, is_second: bool, hints: Hints) -> Sighting:
    is_backward = sequences.is_reversed(node) != is_second
    path = sequences.names[id(node)]
    label = path + (".reverse" if is_backward else "")
    layer = partial(_layer, file, sequences, node, is_second, label, path, hints)
    return Sighting(label, (), layer, module=None)


def _layer(
    file: TensorFile, sequences: SequenceOrigins, node: Node, is_second: bool, label: str, path: str, hints: Hints
) -> Layer:
    inputs = _Inputs(sequences.graph, node)
    inputs.require_plain(is_second)
    roles = inputs.lstm(is_second) if RECURRENT[node.op] == "lstm" else inputs.rnn(is_second)
    clip = node.attributes.get("cell_clip", 0.0)
    if clip and ("w_c" in roles or "W_hr" in roles):
        raise Unreadable(f"expected no cell_clip beside peepholes or a projection, got {clip:g}; try a model without")
    number = int(node.attributes.get("activation", 0))
    if number not in ACTIVATIONS:
        raise Unreadable(
            f"expected tanh, ReLU or none as activation, got number {number}; try a model with one of them"
        )
    why = english(
        "an operator {kind} reads {name} as recurrent weights, {shape} of all gates",
        kind=node.op, name=roles["W_hh"].name, shape=shape_text(roles["W_hh"].shape),
    )  # fmt: skip
    if inputs.is_coupled(is_second):
        why = english("{sentence} (without an input gate's, so i = 1 - f)", sentence=why)
    if clip:
        why = english("{sentence}, its cell state clipped at ±{bound}", sentence=why, bound=f"{clip:g}")
    return fitted(
        file, label, roles, PYTORCH, hints,
        Stated(ACTIVATIONS[number], SIGMOID, layout="tflite"),
        why=why,
        layout="tflite",
        path=path,
        direction="backward" if label.endswith(".reverse") else "forward",
        driven_by=sequences.below(node),
        variant="projected" if "W_hr" in roles else "peephole" if "w_c" in roles else "clipped" if clip else "",
        clip=clip or None,
    )  # fmt: skip


class _Inputs:
    """The inputs of an operator by role."""

    def __init__(self, graph: Graph, node: Node) -> None:
        self._graph, self._node = graph, node

    def require_plain(self, is_second: bool) -> None:
        """Refuse what is another cell than ours, or not stored in floats."""
        attributes, places = self._node.attributes, self._places(is_second)
        strange = {
            "the kernel of four inputs": attributes.get("kernel_type") and self._node.op == "LSTM",
            "diagonal recurrent weights": attributes.get("diagonal_recurrent_tensors"),
            "layer norms of each gate": any(map(self._name, range(20, 24))) and "norm" in places,
            "a projection's bias": "projection bias" in places and self._name(places["projection bias"]),
            "a second input": "second input" in places and self._name(places["second input"]),
            "a projection that is clipped": attributes.get("proj_clip") and self._name(places.get("projection", 99)),
        }
        if unknown := [what for what, is_there in strange.items() if is_there]:
            raise Unreadable(f"expected a plain {self._node.op}, got one with {unknown[0]}; try a model without")

    def is_coupled(self, is_second: bool) -> bool:
        """Return whether there is no input gate, and 1 - f takes its place."""
        return RECURRENT[self._node.op] == "lstm" and not self._name(self._places(is_second)["W"])

    def lstm(self, is_second: bool) -> dict[str, Tensor]:
        """Return the roles of an LSTM, gates stacked i f g o."""
        places, is_coupled = self._places(is_second), self.is_coupled(is_second)
        roles = {role: self._stacked(places[letter], 4, is_coupled)
                 for role, letter in (("W_hx", "W"), ("W_hh", "U"), ("b_x", "b"))}  # fmt: skip
        if self._name(places["p"] + 1):
            roles["w_c"] = self._stacked(places["p"], 3, is_coupled)
        if self._name(places["projection"]):
            roles["W_hr"] = self._weight(places["projection"])
        return roles

    def rnn(self, is_second: bool) -> dict[str, Tensor]:
        """Return the roles of a vanilla network."""
        places = self._places(is_second)
        return {role: self._weight(places[letter]) for role, letter in (("W_hx", "W"), ("W_hh", "U"), ("b_x", "b"))}

    def _places(self, is_second: bool) -> Mapping[str, int]:
        is_two_ways = self._node.op.startswith(TWO_WAYS)
        if RECURRENT[self._node.op] == "rnn":
            return BACKWARD_RNN if is_second else {**PLAIN_RNN, **({"second input": 9} if is_two_ways else {})}
        return BACKWARD_LSTM if is_second else FORWARD_LSTM if is_two_ways else FULL_LSTM

    def _name(self, place: int) -> str:
        return self._node.inputs[place] if place < len(self._node.inputs) else ""

    def _stacked(self, start: int, gates: int, is_coupled: bool) -> Tensor:
        """Return the tensors of consecutive gates, the first of them the second's negative where it is coupled."""
        present = [self._weight(place) for place in range(start + is_coupled, start + gates)]
        tensors = [negated(present[0]), *present] if is_coupled else present
        if len({tensor.shape for tensor in tensors}) > 1:
            raise Unreadable(f"expected tensors of one shape for the gates, got {', '.join(map(str, present))}; "
                             "try converting the model again")  # fmt: skip
        return joined(tensors)

    def _weight(self, place: int) -> Tensor:
        name = self._name(place)
        tensor = self._graph.found(name) if name else None
        if isinstance(tensor, tuple) and tensor[0].op == "DEQUANTIZE" and tensor[0].inputs:
            tensor = self._graph.found(tensor[0].inputs[0])
        if not isinstance(tensor, Tensor):
            raise Unreadable(
                f"expected input {place} of {self._node.op} to be stored in the file, got none; try another conversion"
            )
        if tensor.dtype not in FLOATS:
            raise Unreadable(
                f"expected floats, got {tensor}, quantised when the model was converted; "
                "try converting without optimizations, or the Keras file that it was converted from"
            )
        return tensor
