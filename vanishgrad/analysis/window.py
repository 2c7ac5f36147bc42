"""Matrices of consecutive lags side by side, so that their norms are taken together.

Small matrices are a matter of microseconds each; what costs then is everything around them. A window holds as many
lags as stay in a cache.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vanishgrad.cells.arrays import Array

CACHE_BYTES = 2**22
MOST_LAGS = 32


class Window:
    """Named arrays (B, …) and logarithms of scales (B,) of up to `capacity` lags.

    Arrays are copied; of a window for one lag only they are kept as they are.

    Attributes
    ----------
    capacity : int
    lags : list of int
    """

    def __init__(self, first: Mapping[str, Array]) -> None:
        size = sum(array.nbytes for array in first.values())
        self.capacity = max(1, min(CACHE_BYTES // max(1, size), MOST_LAGS))
        self.lags: list[int] = []
        self._batch = len(next(iter(first.values())))
        shapes = {name: (self.capacity * self._batch, *array.shape[1:]) for name, array in first.items()}
        self._arrays = {name: np.empty(shapes[name], array.dtype) for name, array in first.items()}
        self._log_scales: list[Mapping[str, Array]] = []

    @property
    def full(self) -> bool:
        """Whether no further lag fits."""
        return len(self.lags) == self.capacity

    def append(self, lag: int, arrays: Mapping[str, Array], log_scales: Mapping[str, Array]) -> None:
        """Add a lag."""
        start = len(self.lags) * self._batch
        for name, array in arrays.items():
            if self.capacity == 1:
                self._arrays[name] = array
            else:
                self._arrays[name][start : start + self._batch] = array
        self.lags.append(lag)
        self._log_scales.append(log_scales)

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def array(self, name: str) -> Array:
        """Return an array of all lags, (L·B, …), those of the first lag first."""
        return self._arrays[name][: len(self.lags) * self._batch]

    def log_scale(self, name: str) -> Array:
        """Return the logarithms of the scales of all lags, (L, B)."""
        return np.stack([scales[name] for scales in self._log_scales])

    def clear(self) -> None:
        """Forget all lags."""
        self.lags.clear()
        self._log_scales.clear()
