"""Matrices of consecutive lags side by side, so that their norms are taken together.

Small matrices are a matter of microseconds each; what costs then is everything around them. A window holds as many
lags as a second-level cache does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vanishgrad.cells.arrays import Array

CACHE_BYTES = 2**22
MOST_LAGS = 32


class Window:
    """Named matrices (B, p, q) of up to `capacity` lags, copied; of one lag only, the matrices themselves.

    Attributes
    ----------
    matrices : dict
        Name → (L·B, p, q), those of the first lag first.
    capacity : int
    """

    def __init__(self, first: Mapping[str, Array]) -> None:
        size = sum(matrix.nbytes for matrix in first.values())
        self.capacity = max(1, min(CACHE_BYTES // max(1, size), MOST_LAGS))
        self._lags = 0
        self._buffers = {
            name: np.empty((self.capacity * len(matrix), *matrix.shape[1:]), matrix.dtype)
            for name, matrix in first.items()
            if self.capacity > 1
        }
        self.matrices: dict[str, Array] = {}

    @property
    def full(self) -> bool:
        """Whether no further lag fits."""
        return self._lags == self.capacity

    def append(self, matrices: Mapping[str, Array]) -> None:
        """Add a lag."""
        if self.capacity == 1:
            self.matrices, self._lags = dict(matrices), 1
            return
        for name, matrix in matrices.items():
            batch = len(matrix)
            self._buffers[name][self._lags * batch : (self._lags + 1) * batch] = matrix
            self.matrices[name] = self._buffers[name][: (self._lags + 1) * batch]
        self._lags += 1

    def clear(self) -> None:
        """Forget all lags."""
        self.matrices, self._lags = {}, 0
