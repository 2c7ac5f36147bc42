"""Weights that stand behind other nodes of an ONNX graph: what can be computed from constants alone, is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.weights.formats.onnx_tensor import DTYPES
from vanishgrad.weights.formats.operator_graph import Graph, Node
from vanishgrad.weights.tensors import Tensor, shown, stored_array

MAX_DEPTH = 64
MAX_NODES = 10_000
"""Nodes that are evaluated for the weights of a graph, and how deep they stand behind one another."""
SPARE_BYTES = 1 << 20


class NotConstant(Exception):
    """Why a value cannot be computed before the model runs: half a sentence."""


def constant(graph: Graph, name: str, room: int) -> Tensor:
    """Return a weight by the name that a node reads it by; initial values stay unread.

    Raises
    ------
    NotConstant
        If it depends on the model's input, or on a node that is not understood.
    """
    origin = graph.found(name)
    if isinstance(origin, Tensor):
        return origin
    folding = _Folding(room)
    values = folding.value(graph, name, 0)

    def read() -> Array:
        return _Folding(room).value(graph, name, 0)

    sources = list(folding.leaves.values())
    if not sources:
        return stored_array(name, values)
    return Tensor(name, values.shape, str(values.dtype), read, tuple(sources))


@dataclass
class _Folding:
    """One evaluation, which may make no more than twice the file's bytes in no more than ten thousand nodes."""

    room: int
    leaves: dict[str, Tensor] = field(default_factory=dict)
    known: dict[tuple[int, str], Array] = field(default_factory=dict)
    made: int = 0

    def value(self, graph: Graph, name: str, depth: int) -> Array:
        """Return what a name stands for in a graph."""
        origin = graph.found(name)
        if isinstance(origin, Tensor):
            self.leaves[origin.name] = origin
            return origin.read()
        if origin is None:
            raise NotConstant(f"{shown(name)} is given when the model runs")
        node, where = origin
        key = (id(where), name)
        if key not in self.known:
            self.known[key] = self._folded(node, where, name, depth)
        return self.known[key]

    def _folded(self, node: Node, graph: Graph, name: str, depth: int) -> Array:
        if depth > MAX_DEPTH or len(self.known) > MAX_NODES:
            raise NotConstant(f"{shown(name)} stands behind more nodes than can be followed")
        fold = FOLDS.get(node.op)
        if fold is None or node.domain not in ("", "ai.onnx"):
            raise NotConstant(f"{shown(name)} comes from a node {shown(node.op)}, which is no constant")
        inputs = [self.value(graph, each, depth + 1) if each else None for each in node.inputs]
        try:
            return self._paid(fold(node, inputs, self._allowed))
        except (ValueError, IndexError, TypeError, KeyError, OverflowError, AttributeError):
            raise NotConstant(f"the node {shown(node.op)} that makes {shown(name)} does not fit its inputs") from None

    def _paid(self, values: Array) -> Array:
        if values.base is None:
            self.made += values.nbytes
        return values

    def _allowed(self, size: int) -> None:
        if self.made + size > 2 * self.room + SPARE_BYTES:
            raise NotConstant("its constants are together larger than the file")


Allowed = Callable[[int], None]
Fold = Callable[[Node, Sequence[Any], Allowed], Array]


def _constant(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    for key, kind in (
        ("value_float", np.float32),
        ("value_floats", np.float32),
        ("value_int", np.int64),
        ("value_ints", np.int64),
    ):
        if key in node.attributes:
            return np.array(node.attributes[key], kind)
    values: Array = node.attributes["value"].read()
    return values


def _cast(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    dtype = DTYPES[node.attributes["to"]].replace("bfloat16", "float32")
    allowed(inputs[0].size * np.dtype(dtype).itemsize)
    return np.asarray(inputs[0].astype(dtype))


def _concat(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    allowed(sum(each.nbytes for each in inputs))
    return np.concatenate(inputs, axis=node.attributes["axis"])


def _slice(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    data, attributes = inputs[0], node.attributes
    limits = dict(zip(("starts", "ends", "axes", "steps"), inputs[1:], strict=False))
    starts, ends = (attributes[key] if limits.get(key) is None else limits[key] for key in ("starts", "ends"))
    axes = attributes.get("axes", range(len(starts))) if limits.get("axes") is None else limits["axes"]
    steps = [1] * len(starts) if limits.get("steps") is None else limits["steps"]
    window = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        behind = None if step < 0 and end < -data.shape[axis] else int(end)
        window[int(axis)] = slice(int(start), behind, int(step))
    return np.asarray(data[tuple(window)])


def _axes(node: Node, inputs: Sequence[Any]) -> tuple[int, ...] | None:
    axes = inputs[1] if len(inputs) > 1 and inputs[1] is not None else node.attributes.get("axes")
    return None if axes is None else tuple(int(axis) for axis in np.ravel(axes))


def _unsqueeze(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    return np.expand_dims(inputs[0], _axes(node, inputs) or ())


def _squeeze(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    return np.squeeze(inputs[0], _axes(node, inputs))


def _reshape(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    data, shape = inputs[0], [int(size) for size in inputs[1]]
    if not node.attributes.get("allowzero"):
        shape = [data.shape[axis] if size == 0 else size for axis, size in enumerate(shape)]
    allowed(data.nbytes)
    return np.asarray(data.reshape(shape))


def _transpose(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    return np.transpose(inputs[0], node.attributes.get("perm"))


def _gather(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    data, indices, axis = inputs[0], inputs[1], node.attributes.get("axis", 0)
    allowed(indices.size * data.nbytes // max(data.shape[axis], 1))
    return np.take(data, indices.astype(np.int64), axis)


def _dequantised(node: Node, inputs: Sequence[Any], allowed: Allowed) -> Array:
    data, scale, zero = (*inputs, None)[:3]
    allowed(16 * data.size)
    shape = [1] * data.ndim
    if scale.ndim == 1 and scale.size > 1:
        shape[node.attributes.get("axis", 1)] = -1
    shift = 0 if zero is None else zero.astype(np.float64).reshape(shape)
    return np.asarray((data - shift) * scale.astype(np.float64).reshape(shape))


FOLDS: dict[str, Fold] = {
    "Constant": _constant,
    "Identity": lambda node, inputs, allowed: np.asarray(inputs[0]),
    "Cast": _cast,
    "Concat": _concat,
    "Slice": _slice,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Gather": _gather,
    "DequantizeLinear": _dequantised,
}
"""What each node makes of constants; a node that is not listed is not folded."""
