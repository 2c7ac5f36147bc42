"""A graph of operators, as ONNX, TensorFlow Lite and OpenVINO store a model: nodes and constant tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from vanishgrad.weights.tensors import Tensor


@dataclass(eq=False)
class Node:
    """One operation: what it reads, what it writes, and its attributes."""

    op: str = ""
    name: str = ""
    domain: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Graph:
    """Nodes and initial values; the body of an If, Loop or Scan sees those of the graph around it."""

    outer: Graph | None = None
    nodes: list[Node] = field(default_factory=list)
    initial: dict[str, Tensor] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    bodies: list[Graph] = field(default_factory=list)
    producers: dict[str, Node] = field(default_factory=dict)

    def every(self) -> Iterator[Graph]:
        """Yield the graph and all bodies inside it."""
        waiting = [self]
        while waiting:
            graph = waiting.pop()
            yield graph
            waiting.extend(reversed(graph.bodies))

    def found(self, name: str) -> Tensor | tuple[Node, Graph] | None:
        """Return the initial value of a name, or the node that makes it and the graph that this stands in."""
        graph: Graph | None = self
        while graph is not None:
            if name in graph.initial:
                return graph.initial[name]
            if name in graph.producers:
                return graph.producers[name], graph
            graph = None if name in graph.inputs else graph.outer
        return None


def recurrent_names(graphs: Iterable[Graph], stem: Callable[[Node], str | None]) -> dict[int, str]:
    """Return id of a node → its stem, with a number from the second of that stem on; of nodes that have a stem."""
    names: dict[int, str] = {}
    counts: Counter[str] = Counter()
    for graph in graphs:
        for node in graph.nodes:
            if own := stem(node):
                names[id(node)] = f"{own}_{counts[own]}" if counts[own] else own
                counts[own] += 1
    return names
