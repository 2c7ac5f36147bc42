"""Sources of input, read block by block: held in memory, drawn again from a seed, or looked up by token id."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.random_streams import ANY_CELL, Role, stream

BLOCK = 1024
"""Steps between two states of a noise's generators that are kept."""


def rounded(values: Array, dtype: str, name: str) -> Array:
    """Return inputs rounded to a dtype, contiguous; `name` is theirs in a message.

    Raises
    ------
    VanishgradError
        If an entry overflows the dtype.
    """
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(values, dtype=dtype)
    if not np.isfinite(array).all():
        raise VanishgradError(f"expected inputs that {dtype} can hold, got an overflow from {name!r}; try smaller ones")
    return array


class Source(ABC):
    """Input sequences (B, S, d).

    Parameters
    ----------
    shape : (B, S, d)
    dtype : str
        ``float64`` or ``float32``: what the entries are rounded to, once.
    name : str
        ``white:STD``, ``zeros`` or the path of a file, for messages.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: str, name: str) -> None:
        self.shape, self.dtype, self.name = shape, dtype, name

    def between(self, start: int, stop: int) -> Array:
        """Return x_{start+1} … x_stop, (B, stop - start, d), contiguous.

        Raises
        ------
        VanishgradError
            If an entry overflows the dtype.
        """
        with np.errstate(over="ignore"):
            return rounded(self._exact(start, stop), self.dtype, self.name)

    @abstractmethod
    def _exact(self, start: int, stop: int) -> Array:
        """Return the same before it is rounded."""


class Held(Source):
    """Sequences that stand in memory, or in a file that is mapped there."""

    def __init__(self, values: Array, dtype: str, name: str) -> None:
        trials, steps, width = values.shape
        super().__init__((trials, steps, width), dtype, name)
        self._values = values

    def _exact(self, start: int, stop: int) -> Array:
        return self._values[:, start:stop]


class Zeros(Source):
    """Input that is zero at every step."""

    def _exact(self, start: int, stop: int) -> Array:
        return np.zeros((self.shape[0], stop - start, self.shape[2]))


class Noise(Source):
    """White noise N(0, std²), drawn step by step from a stream of each trial.

    A generator's state is kept at every 1024-th step, so that any block is drawn again as it was, in
    O(B d) numbers for each kept state.
    """

    def __init__(self, std: float, shape: tuple[int, int, int], seed: int, dtype: str, name: str) -> None:
        super().__init__(shape, dtype, name)
        self._std = std
        self._kept = [[stream(seed, Role.INPUT, trial, ANY_CELL) for trial in range(shape[0])]]

    def _exact(self, start: int, stop: int) -> Array:
        first, last = start // BLOCK, (stop - 1) // BLOCK
        for number in range(len(self._kept) - 1, first):
            self._drawn(number)
        blocks = [self._drawn(number) for number in range(first, last + 1)]
        whole = np.concatenate(blocks, axis=1) if blocks else np.empty((self.shape[0], 0, self.shape[2]))
        return self._std * whole[:, start - first * BLOCK : stop - first * BLOCK]

    def _drawn(self, number: int) -> Array:
        """Return a block, and keep where the next one starts."""
        generators, (_, steps, width) = copy.deepcopy(self._kept[number]), self.shape
        rest = min(BLOCK, steps - number * BLOCK)
        block = np.stack([each.standard_normal((rest, width)) for each in generators])
        if number + 1 == len(self._kept):
            self._kept.append(generators)
        return block


class Tokens(Source):
    """Token ids (B, S) as rows of an embedding, or as unit vectors."""

    def __init__(self, ids: Array, rows: Array | int, dtype: str, name: str) -> None:
        trials, steps = ids.shape
        super().__init__((trials, steps, rows if isinstance(rows, int) else rows.shape[1]), dtype, name)
        self._ids, self._rows = ids, rows

    def _exact(self, start: int, stop: int) -> Array:
        ids = self._ids[:, start:stop]
        if not isinstance(self._rows, int):
            return self._rows[ids]
        vectors = np.zeros((*ids.shape, self._rows))
        np.put_along_axis(vectors, ids[..., None], 1, axis=-1)
        return vectors
