"""Batches the Jacobian products of consecutive lags, so that one call takes all their norms.

Small matrices are a matter of microseconds each; what costs then is everything around them. A window holds as many
lags as stay in a cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.propagation.products.products import Product

Block = tuple[str | None, str | None]
INPUT_CURVE = "input"
CACHE_BYTES = 3 * 2**19
MAX_LAGS = 32
"""Lags that a batch holds, where so many fit the cache."""


class Lags(NamedTuple):
    """Every curve's matrices at consecutive lags, those of the first lag first.

    Attributes
    ----------
    first : int
    matrices : mapping
        Curve → (L·B, p, q).
    log_scales : mapping
        Curve → logarithms of the scales, (L, B).
    probes : mapping
        Curve → probes of what its matrices miss, (L·B, groups, s, q), on their scale; empty where nothing is missing.
    """

    first: int
    matrices: Mapping[str, Array]
    log_scales: Mapping[str, Array]
    probes: Mapping[str, Array]


def one_lag(product: Product, blocks: Mapping[str, Block]) -> Lags:
    """Return the matrices of one product, each on its own scale."""
    by_name = {name: product.block(*block) for name, block in blocks.items()}
    log_scales = {name: log_scale for name, (_, log_scale) in by_name.items()}
    matrices = {name: matrix for name, (matrix, _) in by_name.items()}
    probes = {}
    if product.probed:
        for name, (to, source) in blocks.items():
            each = [product.probes(group, source, log_scales[name]) for group in list(product.rows)[product.places(to)]]
            probes[name] = np.stack(each, axis=1)
    if product.input_matrix is not None:
        matrices[INPUT_CURVE], log_scales[INPUT_CURVE] = product.input_block()
        if product.input_probes is not None:
            probes[INPUT_CURVE] = product.input_probes[:, None]
    return Lags(product.lag, matrices, {name: each[None] for name, each in log_scales.items()}, probes)


class LagBatch:
    """Products that have one scale for all blocks, of up to `capacity` lags; copied, unless there is room for one only.

    Attributes
    ----------
    capacity : int
    """

    def __init__(self, first: Product) -> None:
        self._arrays = _arrays(first)
        self.capacity = max(1, min(CACHE_BYTES // sum(array.nbytes for array in self._arrays.values()), MAX_LAGS))
        if self.capacity > 1:
            self._arrays = {
                name: np.empty((self.capacity * len(array), *array.shape[1:]), array.dtype)
                for name, array in self._arrays.items()
            }
        self._first = first
        self._log_scales: list[Array] = []

    @property
    def empty(self) -> bool:
        """Whether there is no lag."""
        return not self._log_scales

    @property
    def full(self) -> bool:
        """Whether no further lag fits."""
        return len(self._log_scales) == self.capacity

    def fits(self, product: Product) -> bool:
        """Whether a product consists of the same arrays: between two turns, only the input comes and goes."""
        return (product.input_matrix is not None) == (INPUT_CURVE in self._arrays)

    def append(self, product: Product) -> None:
        """Add a lag."""
        if self.empty:
            self._first = product
        for name, array in _arrays(product).items():
            if self.capacity == 1:
                self._arrays[name] = array
            else:
                start = len(self._log_scales) * len(array)
                self._arrays[name][start : start + len(array)] = array
        self._log_scales.append(product.log_scale)

    def lags(self, blocks: Mapping[str, Block]) -> Lags:
        """Return the matrices that are held, and forget them."""
        log_scales, self._log_scales = np.stack(self._log_scales), []
        first, count = self._first, log_scales.size
        spans = {name: first.spans(*block) for name, block in blocks.items()}
        whole = self._arrays[STATE][:count]
        matrices = {name: whole[:, rows, columns] for name, (rows, columns) in spans.items()}
        probes = {}
        if PROBED in self._arrays:
            probed = self._arrays[PROBED][:count].reshape(count, first.parts, -1, whole.shape[2])
            for name, (to, _) in blocks.items():
                probes[name] = probed[:, first.places(to), :, spans[name][1]]
        if INPUT_CURVE in self._arrays:
            matrices[INPUT_CURVE] = self._arrays[INPUT_CURVE][:count]
        if PROBED_INPUT in self._arrays:
            probes[INPUT_CURVE] = self._arrays[PROBED_INPUT][:count, None]
        return Lags(first.lag, matrices, dict.fromkeys(matrices, log_scales), probes)


STATE, PROBED, PROBED_INPUT = "state", "probes", "probes of the input"


def _arrays(product: Product) -> dict[str, Array]:
    arrays = {STATE: product.state_rows, PROBED: product.probe_rows, INPUT_CURVE: product.input_matrix}
    arrays[PROBED_INPUT] = product.input_probes
    return {name: array for name, array in arrays.items() if array is not None}
