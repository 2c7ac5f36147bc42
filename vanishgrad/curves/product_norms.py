"""Norms of products by lag: ln ‖·‖₂ and ln(‖·‖_F/√q) of named matrices, given one lag of a sweep after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.curves.curve import Curve, curve
from vanishgrad.curves.recorder import Norms, alive_lags
from vanishgrad.propagation.singular_values.largest import LeadingSingularValues, count_at_least

LARGEST_LOG = 700.0
"""Nats within which a threshold is scaled: e^700 is within the range of a float64."""


class ProductNorms:
    """The norms of products that a run of `compare` does not measure.

    Parameters
    ----------
    last_lags : (B,) array of int
        The last lag of each trial: NaN stands beyond it.
    threshold : float or None
        At or above which singular values are counted; None where they are not.
    unobserved : float
        ln ‖·‖ at lags that are not given.
    """

    def __init__(self, last_lags: Array, threshold: float | None = None, unobserved: float = math.nan) -> None:
        self._last, self._threshold, self._unobserved = last_lags, threshold, unobserved
        self._counted = [] if threshold is None else alive_lags(int(last_lags.min()))
        self._log_norm: dict[str, Array] = {}
        self._log_rms: dict[str, Array] = {}
        self._alive: dict[str, dict[int, Array]] = {}
        self._leading: LeadingSingularValues | None = None

    def observe(self, lag: int, products: Mapping[str, tuple[Array, Array]]) -> dict[str, Array]:
        """Record one lag of products exp(log_scale) · matrix, (B, p, q) and (B,); return σ₁ of each matrix, (B,)."""
        matrices = {name: matrix for name, (matrix, _) in products.items()}
        leading = self._leading or self._begin(matrices)
        sigma = leading(matrices)
        for name, (matrix, log_scale) in products.items():
            with np.errstate(divide="ignore"):
                self._log_norm[name][:, lag] = np.log(sigma[name]) + log_scale
                frobenius = np.log(np.linalg.matrix_norm(matrix)) + log_scale
            self._log_rms[name][:, lag] = frobenius - math.log(matrix.shape[2]) / 2
            if lag in self._counted and self._threshold is not None:
                least = self._threshold * np.exp(np.clip(-log_scale, -LARGEST_LOG, LARGEST_LOG))
                self._alive[name][lag] = count_at_least(matrix, least, sigma[name])
        return sigma

    def _begin(self, matrices: Mapping[str, Array]) -> LeadingSingularValues:
        shape = (len(self._last), int(self._last.max()) + 1)
        for name in matrices:
            self._log_norm[name], self._log_rms[name] = np.full((2, *shape), self._unobserved)
            self._alive[name] = dict[int, Array]()
        shapes = {name: (matrix.shape[1], matrix.shape[2]) for name, matrix in matrices.items()}
        self._leading = LeadingSingularValues(shapes, shape[0], next(iter(matrices.values())).dtype)
        return self._leading

    def norms(self, name: str) -> Norms:
        """Return what was recorded of a product."""
        beyond = np.arange(self._log_norm[name].shape[1]) > self._last[:, None]
        log_norm, log_rms = (np.where(beyond, np.nan, values[name]) for values in (self._log_norm, self._log_rms))
        return Norms(log_norm, log_rms, self._alive[name])

    def curve(self, name: str, threshold: float) -> Curve:
        """Return what a product's curve says."""
        norms = self.norms(name)
        return curve(norms.log_norm, norms.log_rms, norms.alive, threshold)
