"""A tensor of a file by name: its shape and dtype are known before any of its numbers is read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vanishgrad.arrays import Array

SEPARATORS = re.compile(r"[./:]+")
FLOATS = ("float64", "float32", "float16", "bfloat16")
"""What a weight may be stored as; all four widen to float64 exactly."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A named array of a file, read only when asked.

    Attributes
    ----------
    name : str
        As the file has it.
    shape : tuple of int
    dtype : str
        As stored: ``float32``, ``bfloat16``, ``int8``, ...
    read : callable
        Returns the array; bfloat16 comes as float32, which holds it exactly.
    sources : tuple of Tensor
        The stored tensors that a derived one is made of; empty for one that is stored itself.
    note : str
        What was assumed in deriving it, if anything was.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Array] = field(repr=False)
    sources: tuple[Tensor, ...] = ()
    note: str = ""

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def stored(self) -> tuple[Tensor, ...]:
        """The tensors of the file that this one is made of."""
        return self.sources or (self,)

    def __str__(self) -> str:
        return f"{shown(self.name)} ({shape_text(self.shape)}, {self.dtype})"


@dataclass(frozen=True, eq=False)
class TensorFile:
    """What a format reader makes of a file.

    Attributes
    ----------
    path : str
    format : str
        The row of the format table that read it.
    tensors : mapping from name to Tensor
    configuration : mapping
        What the format says beside tensors, by the name of the layout that understands it: a Keras configuration, the
        nodes of an ONNX graph, the attributes of a pickled PyTorch module.
    calls : tuple of str
        Callables that a pickle asks for and no file of weights needs; none was run.
    """

    path: str
    format: str
    tensors: Mapping[str, Tensor]
    configuration: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[str, ...] = ()


def stored_array(name: str, values: Array) -> Tensor:
    """Return the tensor of an array that is in memory already."""
    return Tensor(name, values.shape, str(values.dtype), lambda: values)


def derived(name: str, shape: Sequence[int], read: Callable[[], Array], sources: Sequence[Tensor]) -> Tensor:
    """Return a tensor computed from others when read; its dtype is that of the first."""
    stored = tuple(leaf for source in sources for leaf in source.stored)
    return Tensor(name, tuple(shape), sources[0].dtype, read, stored)


def row(tensor: Tensor, index: int) -> Tensor:
    """Return one row along the first axis, for instance one direction of an ONNX weight."""
    return derived(tensor.name, tensor.shape[1:], lambda: tensor.read()[index], (tensor,))


def part(tensor: Tensor, start: int, stop: int) -> Tensor:
    """Return the entries start … stop - 1 along the first axis."""
    shape = (stop - start, *tensor.shape[1:])
    return derived(tensor.name, shape, lambda: tensor.read()[start:stop], (tensor,))


def stacked(name: str, tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors of one shape, one after the other along the last axis."""
    *outer, last = tensors[0].shape
    shape = (*outer, last * len(tensors))
    return derived(name, shape, lambda: np.concatenate([each.read() for each in tensors], axis=-1), tensors)


def name_parts(name: str) -> list[str]:
    """Return what separators divide in a name; one empty part where there is none."""
    return [each for each in SEPARATORS.split(name) if each] or [""]


def contains_parts(name: str, pattern: str) -> bool:
    """Return whether a run of whole parts of a name is what is asked for: ``cell.ln`` in ``rnn.cell.ln.weight``."""
    parts, expected = name_parts(name), name_parts(pattern)
    return any(parts[place : place + len(expected)] == expected for place in range(len(parts) - len(expected) + 1))


def widened_bfloat16(words: Array) -> Array:
    """Return the float32 values of bfloat16 bit patterns (uint16); exact, a bfloat16 is the upper half of a float32."""
    return (words.astype(np.uint32) << np.uint32(16)).view(np.float32)


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as people write it: ``512 × 128``."""
    return " × ".join(map(str, shape)) if shape else "a scalar"


def shown(name: object, most: int = 80) -> str:
    """Return a name out of a file as it may stand in a sentence: printable, on one line, not endless."""
    text = name if isinstance(name, str) else f"a name of type {type(name).__name__}"
    printable = "".join(each if each.isprintable() else "?" for each in text[: most + 1])
    return printable if len(text) <= most else printable[: most - 1] + "…"
