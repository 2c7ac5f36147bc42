"""Which recurrent layers of a graph drive which: the sequence that each reads, followed up to where it comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from vanishgrad.weights.formats.operator_graph import Graph, Node

MAX_DEPTH = 200
"""Nodes behind one another that are followed."""
REVERSALS = ("REVERSE_V2", "ReverseSequence")
CONCATENATIONS = ("CONCATENATION", "Concat")


@dataclass(frozen=True)
class Origin:
    """Where a sequence comes from: whether time runs backwards in it, and the layers it is made of (None: not told)."""

    is_reversed: bool = False
    layers: tuple[str, ...] | None = ()


@dataclass(eq=False)
class SequenceOrigins:
    """The sequences of a graph.

    Attributes
    ----------
    graph : Graph
    recurrent : collection of str
        Operators that are recurrent layers.
    names : mapping from int to str
        id of a recurrent node → its name.
    passing : sequence of str
        Operators that leave a sequence's numbers as they are.
    """

    graph: Graph
    recurrent: Collection[str]
    names: Mapping[int, str]
    passing: Sequence[str]
    _origins: dict[str, Origin] = field(default_factory=dict)

    def is_reversed(self, node: Node) -> bool:
        """Return whether a recurrent node reads its sequence from the end on."""
        return self._origin(node.inputs[0], 0).is_reversed if node.inputs else False

    def below(self, node: Node) -> tuple[str, ...] | None:
        """Return the layers whose outputs, side by side, a node reads; empty for none, None if that cannot be told."""
        return self._origin(node.inputs[0], 0).layers if node.inputs else None

    def directions(self, node: Node) -> tuple[str, ...]:
        """Return the names of the layers that a recurrent node is, one for each of its directions."""
        name, is_reversed = self.names[id(node)], self.is_reversed(node)
        direction = node.attributes.get("direction", "bidirectional" if node.op.startswith("BIDIR") else "forward")
        own = {"bidirectional": (False, True), "reverse": (True,)}.get(direction, (False,))
        return tuple(name + ".reverse" * (is_reversed != is_second) for is_second in own)

    def _origin(self, name: str, depth: int) -> Origin:
        if name not in self._origins:
            self._origins[name] = Origin(layers=None)
            self._origins[name] = self._followed(name, depth)
        return self._origins[name]

    def _followed(self, name: str, depth: int) -> Origin:
        producer = self.graph.found(name)
        if not isinstance(producer, tuple) or not producer[0].inputs:
            return Origin()
        node, _ = producer
        if depth > MAX_DEPTH:
            return Origin(layers=None)
        if node.op in CONCATENATIONS:
            return self._side_by_side([self._origin(each, depth + 1) for each in node.inputs])
        above = self._origin(node.inputs[0], depth + 1)
        if node.op in self.recurrent:
            return Origin(above.is_reversed, self._output(node, name))
        if node.op in REVERSALS:
            return Origin(not above.is_reversed, above.layers)
        if node.op in self.passing:
            return above
        is_driven = any(self._origin(each, depth + 1).layers != () for each in node.inputs if each)
        return Origin(above.is_reversed, None if is_driven else ())

    def _output(self, node: Node, name: str) -> tuple[str, ...] | None:
        """Return the layers whose states an output of a node holds, side by side."""
        layers, place = self.directions(node), node.outputs.index(name)
        if node.op.startswith("BIDIR") and not node.attributes.get("merge_outputs"):
            return layers[place : place + 1]
        return layers if place == 0 else None

    def _side_by_side(self, parts: Sequence[Origin]) -> Origin:
        ways = {part.is_reversed for part in parts}
        layers = [part.layers for part in parts]
        if len(ways) > 1 or any(each is None for each in layers):
            return Origin(min(ways), None)
        return Origin(ways.pop(), tuple(name for each in layers if each for name in each))
