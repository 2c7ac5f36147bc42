"""TensorFlow Lite models (FlatBuffer with the identifier TFL3): operators by their tensors' numbers, constant tensors.

Model: 1 operator codes, 2 subgraphs, 4 buffers. Subgraph: 0 tensors, 3 operators. Tensor: 0 shape, 1 type, 2 buffer,
3 name, 6 sparsity. Operator: 0 code, 1 inputs, 2 outputs, 4 options. Buffer: 0 bytes, or 1 offset and 2 size.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import partial

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.flatbuffer import FlatTable, root
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.operator_graph import Graph, Node
from vanishgrad.weights.formats.raw import WIDTHS, decoded, mapped
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

IDENTIFIER = b"TFL3"
DTYPES = {
    0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 6: "bool", 7: "int16", 8: "complex64", 9: "int8",
    10: "float64", 12: "uint64", 15: "uint32", 16: "uint16", 18: "bfloat16",
}  # fmt: skip
OPERATORS = {
    2: "CONCATENATION", 6: "DEQUANTIZE", 16: "LSTM", 22: "RESHAPE", 24: "RNN", 35: "UNIDIRECTIONAL_SEQUENCE_RNN",
    39: "TRANSPOSE", 43: "SQUEEZE", 44: "UNIDIRECTIONAL_SEQUENCE_LSTM", 46: "BIDIRECTIONAL_SEQUENCE_RNN",
    52: "BIDIRECTIONAL_SEQUENCE_LSTM", 70: "EXPAND_DIMS", 105: "REVERSE_V2", 119: "WHILE",
}  # fmt: skip
"""Numbers of the schema's BuiltinOperator that recurrent layers and what stands between them have."""
OPTIONS: dict[str, dict[str, tuple[int, str]]] = {
    "CONCATENATION": {"axis": (0, "i")},
    "LSTM": {"activation": (0, "b"), "cell_clip": (1, "f"), "proj_clip": (2, "f"), "kernel_type": (3, "b")},
    "RNN": {"activation": (0, "b")},
    "UNIDIRECTIONAL_SEQUENCE_RNN": {"time_major": (0, "b"), "activation": (1, "b")},
    "BIDIRECTIONAL_SEQUENCE_RNN": {"time_major": (0, "b"), "activation": (1, "b"), "merge_outputs": (2, "b")},
    "UNIDIRECTIONAL_SEQUENCE_LSTM": {
        "activation": (0, "b"), "cell_clip": (1, "f"), "proj_clip": (2, "f"), "time_major": (3, "b"),
        "diagonal_recurrent_tensors": (5, "b"),
    },
    "BIDIRECTIONAL_SEQUENCE_LSTM": {
        "activation": (0, "b"), "cell_clip": (1, "f"), "proj_clip": (2, "f"), "merge_outputs": (3, "b"),
        "time_major": (4, "b"),
    },
}  # fmt: skip
"""Operator → name of an option → its field and kind in the operator's table."""
IN_FILE = 1
"""An offset above this says that a buffer lies in the file behind the FlatBuffer."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file has TensorFlow Lite's identifier."""
    return head[4:8] == IDENTIFIER


def tensors(path: str) -> TensorFile:
    """Return the constants of every subgraph by name, none of them read, and the subgraphs.

    Raises
    ------
    VanishgradError
        If the file is damaged or cut short.
    """
    content = mapped(path)
    try:
        model = root(content)
        operators = [_operator(code) for code in model.tables(1)]
        buffers = [_buffer(buffer, content) for buffer in model.tables(4)]
        graphs = [_graph(subgraph, operators, buffers, path) for subgraph in model.tables(2)]
    except (ValueError, IndexError, struct.error) as error:
        raise VanishgradError(
            f"expected a whole TensorFlow Lite model, got {path}, which fails with: {error}; try copying it again"
        ) from None
    by_name: dict[str, Tensor] = {}
    for place, graph in enumerate(graphs):
        for number, tensor in graph.initial.items():
            name = tensor.name if tensor.name not in by_name else f"{tensor.name} ({place}:{number})"
            by_name[name] = tensor
    return TensorFile(path, "tflite", by_name, {"tflite": tuple(graphs)})


def _operator(code: FlatTable) -> str:
    """Return the name of an operator: the newer of two fields, or the older where that is zero."""
    number = max(code.integer(3), code.integer(0, "b"))
    return OPERATORS.get(number, f"operator {number}")


def _buffer(buffer: FlatTable, content: memoryview) -> memoryview | None:
    start, size = buffer.integer(1, "Q"), buffer.integer(2, "Q")
    return content[start : start + size] if start > IN_FILE else buffer.bytes(0)


def _graph(subgraph: FlatTable, operators: Sequence[str], buffers: Sequence[memoryview | None], path: str) -> Graph:
    graph = Graph(nodes=[_node(operator, operators) for operator in subgraph.tables(3)])
    for number, table in enumerate(subgraph.tables(0)):
        data = buffers[table.integer(2, "I")]
        if data is not None and len(data):
            graph.initial[str(number)] = _tensor(table, data, number, path)
    graph.producers = {name: node for node in graph.nodes for name in node.outputs}
    return graph


def _node(operator: FlatTable, operators: Sequence[str]) -> Node:
    op, options = operators[operator.integer(0, "I")], operator.table(4)
    fields = OPTIONS.get(op, {}) if options else {}
    return Node(
        op,
        inputs=[str(number) if number >= 0 else "" for number in operator.integers(1)],
        outputs=[str(number) for number in operator.integers(2)],
        attributes={name: options.number(*field) for name, field in fields.items()} if options else {},
    )


def _tensor(table: FlatTable, data: memoryview, number: int, path: str) -> Tensor:
    name = bytes(table.bytes(3) or b"").decode("utf-8", "replace") or f"tensor {number}"
    shape, code = table.integers(0), table.integer(1, "b")
    dtype = DTYPES.get(code, f"type {code} of TensorFlow Lite")
    if table.table(6) is not None:
        dtype = f"sparse {dtype}"
    if dtype in WIDTHS and elements(path, name, shape, len(data)) * WIDTHS[dtype] != len(data):
        raise ValueError(f"tensor {shown(name)} has another size than its bytes")
    return Tensor(name, tuple(shape), dtype, partial(_read, path, name, data, dtype, shape))


def _read(path: str, name: str, data: memoryview, dtype: str, shape: Sequence[int]) -> Array:
    if dtype not in WIDTHS:
        raise VanishgradError(f"expected real numbers, got {dtype} for {shown(name)} in {path}; try a float model")
    return decoded(data, dtype, shape)
