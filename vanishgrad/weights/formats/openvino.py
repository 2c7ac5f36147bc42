"""OpenVINO's intermediate representation: NAME.xml with layers and edges, NAME.bin with the numbers of its constants.

A Const layer names element_type, shape, offset and size; an edge leads from an output port to the input port that is
its place among the inputs. Bodies of loops have layers of their own, which are not looked at.
"""

from __future__ import annotations

import os
import re
from functools import partial
from xml.parsers import expat

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.beside import beside
from vanishgrad.weights.formats.limits import elements
from vanishgrad.weights.formats.operator_graph import Graph, Node
from vanishgrad.weights.formats.raw import WIDTHS, decoded, stretch
from vanishgrad.weights.tensors import Tensor, TensorFile, shown

BEGINNING = re.compile(rb"(?s)\s*(?:<\?xml.{0,200}?\?>\s*)?<net\s")
VERSIONS = ("10", "11")
DTYPES = {
    "f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16", "i64": "int64", "i32": "int32",
    "i16": "int16", "i8": "int8", "u64": "uint64", "u32": "uint32", "u16": "uint16", "u8": "uint8", "boolean": "bool",
}  # fmt: skip
LAYER = ("net", "layers", "layer")
MAX_DEPTH = 200
"""Elements within one another; a loop's body adds five."""


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins with the root element of a model."""
    return bool(BEGINNING.match(head.removeprefix(b"\xef\xbb\xbf")))


def tensors(path: str) -> TensorFile:
    """Return the constants by the names of their layers, none of them read, and the graph.

    Raises
    ------
    VanishgradError
        If the XML is damaged or declares entities, or if the numbers are not beside it.
    """
    try:
        graph, constants = _Document(path).parsed()
    except (expat.ExpatError, ValueError, KeyError) as error:
        raise VanishgradError(
            f"expected a whole OpenVINO model, got {path}, which fails with: {shown(str(error), 200)}; "
            "try copying it again, or converting the model again"
        ) from None
    where = beside(path, os.path.splitext(os.path.basename(path))[0] + ".bin", "the numbers of the constants")
    room = os.path.getsize(where)
    graph.initial = {place: _tensor(path, where, room, name, about) for place, (name, about) in constants.items()}
    graph.producers = {output: node for node in graph.nodes for output in node.outputs}
    by_name: dict[str, Tensor] = {}
    for place, tensor in graph.initial.items():
        by_name[tensor.name if tensor.name not in by_name else f"{tensor.name} ({place})"] = tensor
    return TensorFile(path, "openvino", by_name, {"openvino": graph})


class _Document:
    """A model's XML, read element by element."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: list[str] = []
        self._nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, int], str] = {}
        self._id = ""

    def parsed(self) -> tuple[Graph, dict[str, tuple[str, dict[str, str]]]]:
        """Return the graph without its constants, and those: output → (name, attributes)."""
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse_declarations
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        with open(self._path, "rb") as file:
            parser.ParseFile(file)
        for (layer, port), source in sorted(self._edges.items()):
            inputs = self._nodes[layer].inputs
            if port != len(inputs):
                raise ValueError(f"layer {shown(layer)} without an edge to port {len(inputs)}")
            inputs.append(source)
        constants = {
            node.outputs[0]: (node.name, node.attributes)
            for node in self._nodes.values()
            if node.op == "Const" and node.outputs
        }
        return Graph(nodes=[node for node in self._nodes.values() if node.op != "Const"]), constants

    def _refuse_declarations(self, *declaration: object) -> None:
        raise ValueError("a document type declaration, which no model has")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        above = tuple(self._open)
        self._open.append(tag)
        if len(self._open) > MAX_DEPTH:
            raise ValueError(f"elements nested over {MAX_DEPTH} deep")
        if not above and attributes.get("version") not in VERSIONS:
            raise ValueError(f"version {attributes.get('version')} where {' and '.join(VERSIONS)} are read")
        if above == LAYER[:2] and tag == LAYER[2]:
            self._id = attributes["id"]
            if self._id in self._nodes:
                raise ValueError(f"two layers {self._id}")
            self._nodes[self._id] = Node(attributes["type"], attributes["name"])
        elif above == LAYER and tag == "data":
            self._nodes[self._id].attributes |= attributes
        elif above == (*LAYER, "output") and tag == "port":
            self._nodes[self._id].outputs.append(f"{self._id}:{attributes['id']}")
        elif above == ("net", "edges") and tag == "edge":
            target = attributes["to-layer"], int(attributes["to-port"])
            self._edges[target] = f"{attributes['from-layer']}:{attributes['from-port']}"

    def _end(self, tag: str) -> None:
        self._open.pop()


def _tensor(path: str, where: str, room: int, name: str, about: dict[str, str]) -> Tensor:
    dtype = DTYPES.get(about.get("element_type", ""), f"element type {about.get('element_type')}")
    try:
        shape = tuple(int(size) for size in about["shape"].split(",") if size.strip())
        start, size = int(about["offset"]), int(about["size"])
    except (KeyError, ValueError):
        raise _misplaced(path, name) from None
    count = elements(path, name, shape, 8 * room)
    if start < 0 or not 0 <= size <= room - start or (dtype in WIDTHS and count * WIDTHS[dtype] != size):
        raise _misplaced(path, name)
    return Tensor(name, shape, dtype, partial(_read, path, where, (start, size), name, dtype, shape))


def _read(path: str, where: str, place: tuple[int, int], name: str, dtype: str, shape: tuple[int, ...]) -> Array:
    if dtype not in WIDTHS:
        raise VanishgradError(f"expected real numbers, got {dtype} for {shown(name)} in {path}; try a float model")
    return decoded(stretch(where, *place, shown(name)), dtype, shape)


def _misplaced(path: str, name: str) -> VanishgradError:
    return VanishgradError(
        f"expected offset and size of {shown(name)} in {path} to fit its shape and the .bin beside it, got others; "
        "try copying both again"
    )
