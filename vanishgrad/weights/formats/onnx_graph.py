"""ONNX: a graph of nodes and initial values, as far as recurrent nodes and their constant weights need it."""

from __future__ import annotations

import os
import struct
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.onnx_tensor import tensor_of
from vanishgrad.weights.formats.operator_graph import Graph, Node
from vanishgrad.weights.formats.protobuf import fields, message, signed, text, varint, varints
from vanishgrad.weights.formats.raw import mapped
from vanishgrad.weights.tensors import TensorFile

MODEL_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Fields of a ModelProto → their wire type."""
GRAPH = 7
MAX_DEPTH = 32
"""Levels of graphs within graphs; each is a call, and exporters nest a few."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with fields of an ONNX model."""
    view, place, numbers = memoryview(head), 0, set()
    try:
        while place < len(view):
            tag, place = varint(view, place)
            number, kind = tag >> 3, tag & 7
            if MODEL_FIELDS.get(number) != kind:
                return False
            numbers.add(number)
            size, place = varint(view, place)
            place += size if kind == 2 else 0
    except ValueError:
        return False
    return bool(numbers & {1, GRAPH}) and len(numbers) > 1


def tensors(path: str) -> TensorFile:
    """Return the initial values of every graph by name, none of them read, and the graph itself."""
    content = mapped(path)
    try:
        graphs = [message(value) for number, value in fields(content) if number == GRAPH]
        if not graphs:
            raise ValueError("no graph")
        graph = _graph(graphs[0], path, None, 0)
    except (ValueError, struct.error, UnicodeDecodeError) as error:
        raise VanishgradError(
            f"expected a whole ONNX model, got {path}, which fails with: {error}; try copying the file again"
        ) from None
    initial = {name: tensor for each in graph.every() for name, tensor in each.initial.items()}
    return TensorFile(path, "onnx", initial, {"onnx": graph, "room": os.path.getsize(path)})


def _graph(data: memoryview, path: str, outer: Graph | None, depth: int) -> Graph:
    if depth > MAX_DEPTH:
        raise ValueError(f"graphs nested over {MAX_DEPTH} deep")
    graph = Graph(outer)
    for number, value in fields(data):
        if number == 1:
            graph.nodes.append(_node(message(value), path, graph, depth))
        elif number == 5:
            tensor = tensor_of(message(value), path)
            graph.initial[tensor.name] = tensor
        elif number in (11, 12):
            names = graph.inputs if number == 11 else graph.outputs
            names.append(next((text(inner) for key, inner in fields(message(value)) if key == 1), ""))
    graph.producers = {name: node for node in graph.nodes for name in node.outputs if name}
    graph.inputs = [name for name in graph.inputs if name not in graph.initial]
    return graph


def _node(data: memoryview, path: str, graph: Graph, depth: int) -> Node:
    node = Node()
    for number, value in fields(data):
        if number == 1:
            node.inputs.append(text(value))
        elif number == 2:
            node.outputs.append(text(value))
        elif number == 5:
            name, attribute = _attribute(message(value), path, graph, depth)
            node.attributes[name] = attribute
        elif number in (3, 4, 7):
            setattr(node, {3: "name", 4: "op", 7: "domain"}[number], text(value))
    return node


def _attribute(data: memoryview, path: str, graph: Graph, depth: int) -> tuple[str, Any]:
    """Return the name and value of an attribute: the one of its fields that is there."""
    name, single = "", None
    several: list[Any] = []
    for number, value in fields(data):
        if number == 1:
            name = text(value)
        elif number in (6, 11):
            body = _graph(message(value), path, graph, depth + 1)
            graph.bodies.append(body)
        elif number in (7, 8):
            several.extend(_floats(value) if number == 7 else map(signed, varints(value)))
        elif number == 9:
            several.append(text(value))
        elif number in (2, 3, 4, 5):
            single = _single(number, value, path)
    return name, several if single is None else single


def _single(number: int, value: int | memoryview, path: str) -> Any:
    if number == 3:
        return signed(next(varints(value)))
    if number == 5:
        return tensor_of(message(value), path)
    return _floats(value)[0] if number == 2 else text(value)


def _floats(value: int | memoryview) -> tuple[float, ...]:
    data = message(value)
    return struct.unpack(f"<{len(data) // 4}f", data)
