"""The object graph of tf.train.Checkpoint (TrackableObjectGraph): what each variable was called.

The graph is a string variable: the length of its text, a checksum of four bytes, and the text, a protocol buffer of
nodes 1, each with attributes 2 of name 1, full name 2 and key in the checkpoint 3.
"""

from __future__ import annotations

from collections.abc import Iterator

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.protobuf import fields, message, text, varint
from vanishgrad.weights.tensors import Tensor

CHECKSUM = 4


def full_names(graph: Tensor | None) -> dict[str, str]:
    """Return key in the checkpoint → full name of the variable; empty without a graph.

    Raises
    ------
    VanishgradError
        If the graph is damaged.
    """
    if graph is None:
        return {}
    try:
        content = memoryview(graph.read().tobytes())
        _, place = varint(content, 0)
        return dict(_names(content[place + CHECKSUM :]))
    except ValueError:
        raise VanishgradError(
            "expected a whole object graph in the TensorFlow checkpoint, got a damaged one; try copying it again"
        ) from None


def _names(graph: memoryview) -> Iterator[tuple[str, str]]:
    for number, node in fields(graph):
        for kind, attribute in fields(message(node)) if number == 1 else ():
            if kind == 2:
                about = dict(fields(message(attribute)))
                if about.get(2) and 3 in about:
                    yield text(about[3]), text(about[2])
