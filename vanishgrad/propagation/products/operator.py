"""The Jacobian product of one sequence for any (t, k), dense or as SciPy's LinearOperator."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.errors import UsageError
from vanishgrad.extended_range import ExtendedRange, extended, to_float
from vanishgrad.extended_range.array import ABSENT
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.propagation.products.scaling import LN_2
from vanishgrad.propagation.run import run
from vanishgrad.propagation.singular_values.largest import largest_singular_value
from vanishgrad.propagation.singular_values.scaled_vectors import ScaledVectors

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


class JacobianProduct:
    r"""∂s_t/∂s_k = J_t J_{t-1} ⋯ J_{k+1} = exp(log_scale) · P.

    Attributes
    ----------
    t, k : int
    log_scale : float
        How much a random direction grew from k to t, in nats, to a factor of 2: P is of order 1 however long the
        product is, and however far its units are saturated.
    """

    def __init__(self, cell: Cell, trajectory: StoredTrajectory, t: int, k: int, dtype: Any) -> None:
        self.t, self.k = t, k
        self._cell, self._trajectory = cell, trajectory
        self._linearisation = EitherRange(cell, trajectory, k, t)
        self._m, self._dtype = cell.state_size, dtype
        self._exponent = self._growth()
        self.log_scale = self._exponent * LN_2

    @cached_property
    def matrix(self) -> Array:
        """The dense P, (m, m): O(m³) for each step."""
        return self._times(np.eye(self._m, dtype=self._dtype))

    @property
    def log_norm(self) -> float:
        """The natural logarithm of the product's largest singular value, -inf only where it is exactly zero."""
        until = StoredTrajectory(self._trajectory.states[: self.t + 1], self._trajectory.records[: self.t])
        *_, last = backward_products(self._cell, until, 1, lags=self.t - self.k)
        matrix, log_scale = last.block(None, None)
        with np.errstate(divide="ignore"):
            return float(np.log(largest_singular_value(matrix)[0]) + log_scale[0])

    def as_linear_operator(self) -> LinearOperator:
        """Return P as an operator that never forms it: for norm estimators, and SciPy's ``svds`` for the leading value.

        Of long products, which are graded, ``svds`` may return wrong lower singular values and not say so; all of them,
        each to its own accuracy, are those of ``vanishgrad explain --only directions``.
        A product with a vector costs one sweep. The singular values of ∂s_t/∂s_k are exp(log_scale) times those of P.
        """
        from scipy.sparse.linalg import LinearOperator

        return LinearOperator(
            (self._m, self._m),
            matvec=lambda v: self._times(v.reshape(-1, 1)).ravel(),
            rmatvec=lambda u: self._times(u.reshape(-1, 1), backward=True).ravel(),
            matmat=self._times,
            rmatmat=lambda U: self._times(U, backward=True),
            dtype=self._dtype,
        )

    def _growth(self) -> int:
        """Return how many powers of two a random direction grows by."""
        v = np.random.default_rng(0).standard_normal((self._m, 1)).astype(self._dtype)
        image = self._image(v)
        return int(image.e.max() - extended(v).e.max()) if image.any() else 0

    def _image(self, V: Array, backward: bool = False) -> ExtendedRange:
        """Return ∂s_t/∂s_k V, (m, c), or backward the transposed product times V."""
        vectors = ScaledVectors.on(V, np.ascontiguousarray(V.T, dtype=self._dtype)[None])
        times = range(self.k + 1, self.t + 1)
        for t in reversed(times) if backward else times:
            (vectors.cotangent if backward else vectors.tangent)(self._linearisation, t)
        values = extended(vectors.values)
        return ExtendedRange(values.m, np.where(values.m != 0, values.e + vectors.exponents[..., None], ABSENT))[0].T

    def _times(self, V: Array, backward: bool = False) -> Array:
        """Return P V, or backward Pᵀ V."""
        image = self._image(V, backward)
        return to_float(ExtendedRange(image.m, image.e - self._exponent)).astype(self._dtype)


def product(cell: Cell, xs: Array, t: int, k: int, s0: Array | None = None) -> JacobianProduct:
    """Return ∂s_t/∂s_k of a cell with one set of weights along one sequence.

    Parameters
    ----------
    cell : Cell
    xs : (T, d) array
    t, k : int
        0 ≤ k ≤ t ≤ T.
    s0 : (m,) array, optional
        The start; zero by default.

    Raises
    ------
    UsageError
        If the times do not fit, or the cell has several trials.
    """
    if cell.trials != 1:
        raise UsageError(f"expected a cell with one set of weights, got {cell.trials} trials; try cell.trial(0)")
    if not 0 <= k <= t <= len(xs):
        raise UsageError(f"expected 0 ≤ k ≤ t ≤ {len(xs)}, got k = {k} and t = {t}")
    dtype = cell.dtype
    start = np.zeros((1, cell.state_size), dtype=dtype) if s0 is None else np.asarray(s0, dtype=dtype)[None]
    # For t = 0 too, the record of one step says what a record is.
    trajectory = run(cell, np.asarray(xs, dtype=dtype)[None, : max(t, 1)], start)
    return JacobianProduct(cell, trajectory, t, k, dtype)
