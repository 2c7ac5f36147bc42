"""Captured runs of ONNX models: onnxruntime runs the graph once, with the inputs of recurrent nodes as outputs too."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.models.captured_run import CapturedCall, CapturedRun
from vanishgrad.weights.formats import read_as
from vanishgrad.weights.formats.operator_graph import Graph, Node
from vanishgrad.weights.formats.protobuf import delimited
from vanishgrad.weights.hints import Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts.onnx import node_layers
from vanishgrad.weights.recognition import recurrent_layers
from vanishgrad.weights.save_npz import named_tensors, reading
from vanishgrad.weights.tensors import TensorFile

READ = {"xs": 0, "lengths": 4, "h": 5, "c": 6}
"""What a recurrent node reads of a batch → which of its inputs that is."""
GRAPH, OUTPUT, NAME = 7, 12, 1
"""Fields of ModelProto, GraphProto and ValueInfoProto."""
DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
          "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}  # fmt: skip


class RecurrentNode(NamedTuple):
    """A node of the graph, and the layer that it is in each direction."""

    name: str
    node: Node
    layers: list[Layer]


def captured_graph(path: str, feeds: Mapping[str, Array]) -> tuple[CapturedRun, list[str]]:
    """Run an ONNX model once, and return what its recurrent nodes were given, and a sentence for each left out.

    Parameters
    ----------
    path : str
    feeds : mapping
        Name of an input → array; a single one may have any name where the graph has one input.

    Raises
    ------
    VanishgradError
        Without onnxruntime; if the model cannot be run on these inputs; if no recurrent node can be captured.
    """
    file = read_as(["onnx"], path)
    nodes, refused = _nodes(file)
    if not nodes:
        recurrent_layers(path)  # says what stands there instead
        raise VanishgradError(refused[0] if refused else f"expected a node RNN, GRU or LSTM in {path}, got none; "
                              "try a model that has one")  # fmt: skip
    values = _values(file, [name for each in nodes for name in _read_names(each.node).values()], feeds)
    return CapturedRun({each.name: _call(each, values) for each in nodes}), refused


def _nodes(file: TensorFile) -> tuple[list[RecurrentNode], list[str]]:
    top: Graph = file.configuration["onnx"]
    nodes, refused = [], []
    try:
        for name, where, node, layers in node_layers(file):
            if where is top:
                nodes.append(RecurrentNode(name, node, layers))
            else:
                refused.append(f"expected recurrent nodes in the graph itself, got {name} in the body of an If, Loop "
                               "or Scan, whose inputs cannot be outputs; try --input with the layer's own")  # fmt: skip
    except Unreadable as reason:
        raise VanishgradError(f"{file.path}: {reason}") from None
    return nodes, refused


def _read_names(node: Node) -> dict[str, str]:
    """Return what a node reads of a batch → its name in the graph; absent inputs are left out."""
    return {key: node.inputs[k] for key, k in READ.items() if k < len(node.inputs) and node.inputs[k]}


def _values(file: TensorFile, names: list[str], feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Return the values of names of a graph along one run."""
    try:
        import onnxruntime
    except ImportError:
        raise VanishgradError("expected onnxruntime to run an ONNX model, got none; try pip install "
                              "'vanishgrad[onnx]'") from None  # fmt: skip
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", os.path.dirname(os.path.abspath(file.path))
    )
    try:
        session = onnxruntime.InferenceSession(_with_outputs(file, names), options, ["CPUExecutionProvider"])
        wanted = list(dict.fromkeys(names))
        outputs = session.run(wanted, _fed(session.get_inputs(), feeds))
    except VanishgradError:
        raise
    except Exception as error:  # onnxruntime's own have no common base
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise VanishgradError(
            f"expected {file.path} to run on this batch, got: {reason[:300]}; try another --input"
        ) from None
    return dict(zip(wanted, outputs, strict=True))


def _with_outputs(file: TensorFile, names: list[str]) -> bytes:
    """Return a model with further outputs, without types.

    A second graph behind the first is merged with it by every protobuf parser, repeated fields one after the other.
    """
    with open(file.path, "rb") as stream:
        content = stream.read()
    new = [name for name in dict.fromkeys(names) if name not in file.configuration["onnx"].outputs]
    return content + delimited(GRAPH, b"".join(delimited(OUTPUT, delimited(NAME, name.encode())) for name in new))


def _fed(inputs: list[Any], feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Return an array for every input of a graph, in its type."""
    wanted = {each.name: each for each in inputs}
    if len(wanted) == len(feeds) == 1:
        feeds = dict(zip(wanted, feeds.values(), strict=True))
    if wanted.keys() != feeds.keys():
        raise VanishgradError(f"expected an array for each of {', '.join(wanted)}, got {', '.join(feeds)}; "
                              "try an .npz with these names: numpy.savez")  # fmt: skip
    return {name: _typed(name, each, wanted[name].type) for name, each in feeds.items()}


def _typed(name: str, values: Array, kind: str) -> Array:
    dtype = DTYPES.get(kind)
    if dtype is None or np.issubdtype(dtype, np.floating) != np.issubdtype(values.dtype, np.floating):
        raise VanishgradError(f"expected {kind} for the input {name}, got {values.dtype}; try astype")
    return values.astype(dtype)


def _call(each: RecurrentNode, values: Mapping[str, Array]) -> CapturedCall:
    """Return what a node was given; of directions and sequences as PyTorch orders them."""
    read = {key: values[name] for key, name in _read_names(each.node).items()}
    xs = np.swapaxes(read["xs"].astype(np.float64), 0, 1)
    batch, steps = xs.shape[:2]
    cells = [layer.build() for layer in each.layers]
    weights = dict(_named(each, cells))
    starts = np.zeros((len(cells), batch, cells[0].state_size))
    for part, where in cells[0].slices.items():
        starts[:, :, where] = read.get(part, 0)
    lengths = read.get("lengths", np.full(batch, steps)).astype(np.int64)
    if not lengths.all():
        raise VanishgradError(f"expected sequences of at least one step at {each.name}, got one of length 0")
    return CapturedCall(weights, {"cell": cells[0].name, **reading(cells[0])}, xs, lengths, starts, len(cells))


def _named(each: RecurrentNode, cells: list[Any]) -> Iterator[tuple[str, Array]]:
    for layer, cell in zip(each.layers, cells, strict=True):
        yield from named_tensors(cell, each.name, backward=layer.direction == "backward").items()
