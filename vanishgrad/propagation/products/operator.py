"""The Jacobian product of one sequence for any (t, k), dense or as SciPy's LinearOperator."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.errors import UsageError
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.propagation.run import run
from vanishgrad.propagation.singular_values.largest import largest_singular_value

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


class JacobianProduct:
    r"""∂s_t/∂s_k = J_t J_{t-1} ⋯ J_{k+1} = exp(log_scale) · P.

    Attributes
    ----------
    t, k : int
    log_scale : float
        How much a random direction grew from k to t, in nats: P is of order 1 however long the product is.
    """

    def __init__(self, cell: Cell, trajectory: StoredTrajectory, t: int, k: int, dtype: Any) -> None:
        self.t, self.k = t, k
        self._cell, self._trajectory = cell, trajectory
        self._linearisation = cell.linearise(trajectory, k, t)
        self._m, self._dtype = cell.state_size, dtype
        self._factors = self._growth()
        self.log_scale = -float(np.log(self._factors).sum())

    @cached_property
    def matrix(self) -> Array:
        """The dense P, (m, m): O(m³) for each step."""
        return self._tangent(np.eye(self._m, dtype=self._dtype))

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
            matvec=lambda v: self._tangent(v.reshape(-1, 1)).ravel(),
            rmatvec=lambda u: self._cotangent(u.reshape(1, -1)).ravel(),
            matmat=self._tangent,
            rmatmat=lambda U: self._cotangent(U.T).T,
            dtype=self._dtype,
        )

    def _growth(self) -> Array:
        """Return for each step 1/‖J v‖ of a random direction that is followed along."""
        v = np.random.default_rng(0).standard_normal((1, self._m, 1)).astype(self._dtype)
        v /= np.linalg.norm(v)
        factors = np.ones(self.t - self.k)
        for step in range(len(factors)):
            moved = np.empty_like(v)
            self._linearisation.tangent(self.k + 1 + step, v, moved)
            size = float(np.linalg.norm(moved))
            factors[step] = 1 / size if size > 0 else 1.0
            v = moved * factors[step]
        return factors

    def _tangent(self, V: Array) -> Array:
        V = np.ascontiguousarray(V, dtype=self._dtype)[None]
        for step, factor in enumerate(self._factors.tolist()):
            moved = np.empty_like(V)
            self._linearisation.tangent(self.k + 1 + step, V, moved)
            V = moved * factor
        return V[0]

    def _cotangent(self, W: Array) -> Array:
        W = np.ascontiguousarray(W, dtype=self._dtype)[None]
        for step in range(len(self._factors) - 1, -1, -1):
            moved = np.empty_like(W)
            self._linearisation.cotangent(self.k + 1 + step, W, moved)
            W = moved * float(self._factors[step])
        return W[0]


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
