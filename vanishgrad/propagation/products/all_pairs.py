r"""Jacobian norms of all pairs: ‖∂s_t/∂s_k‖ for times t ≥ k on a grid.

Between neighbouring times the products D_j = ∂s_{t_{j+1}}/∂s_{t_j} take one sweep of T steps altogether; then
∂s_{t_i}/∂s_{t_j} = (∂s_{t_i}/∂s_{t_{j+1}}) D_j for all i at once, in extended range once an entry may leave that
of floating point.
"""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.extended_range import ExtendedRange, on_one_scale, scaled
from vanishgrad.propagation.products.products import Product, backward_products
from vanishgrad.propagation.products.scaling import LN_2, MARGIN, depth, powers, range_bits, shifted
from vanishgrad.propagation.singular_values.largest import LeadingSingularValues

GROUP_BYTES = 2**20
"""Norms are taken of groups of products of so many bytes, which stay in a cache."""


def pair_log_norms(cell: Cell, trajectory: StoredTrajectory, times: Array) -> Array:
    """Return ln ‖∂s_t/∂s_k‖₂ of one sequence, (G, G): row t, column k, both in `times`; NaN for k > t.

    Parameters
    ----------
    cell : Cell
    trajectory : StoredTrajectory
        Of one sequence.
    times : (G,) array of int
        Ascending indices of states, from 0 to the trajectory's steps.

    Notes
    -----
    One sweep of times[-1] - times[0] steps and G²/2 products of (m, m), m the size of the state: G² m³ multiplications
    and additions. O(G m²) numbers beside the trajectory, however long it is.
    """
    G, m = len(times), cell.state_size
    products = _Products(np.tile(np.eye(m, dtype=trajectory.states.dtype), (G, 1, 1)))
    size = max(1, GROUP_BYTES // products.P[0].nbytes)
    groups = [slice(first, min(first + size, G)) for first in range(0, G, size)]
    leading = [LeadingSingularValues({"state": (m, m)}, group.stop - group.start, products.P.dtype) for group in groups]
    log_norms = np.zeros((G, G))
    for j in range(G - 2, -1, -1):
        products.multiply(_stretch(cell, trajectory, int(times[j]), int(times[j + 1])), slice(j + 1, G))
        for group, largest in zip(groups, leading, strict=True):
            if group.stop > j + 1:
                with np.errstate(divide="ignore"):
                    log_norms[group, j] = np.log(largest({"state": products.P[group]})["state"])
        log_norms[:, j] += products.exponents * LN_2
    return np.where(np.tri(G, dtype=bool), log_norms, np.nan)


class _Products:
    """Matrices 2^exponents · P, (G, m, m); in extended range, `wide`, once an entry may leave that of P."""

    def __init__(self, P: Array) -> None:
        self.P, self.exponents = P, np.zeros(len(P), dtype=np.int64)
        self._wide: ExtendedRange | None = None

    def multiply(self, right: Product, places: slice) -> None:
        """Multiply some of the matrices by a product from the right."""
        if self._wide is None and not self._lasts(right, places):
            self._wide = scaled(self.P.astype(np.float64), self.exponents[:, None, None])
        if self._wide is None:
            image = self.P[places] @ right.matrix
            by = np.maximum(powers(image, np.zeros(len(image), dtype=np.int64)), 2 - range_bits(image))
            self.P[places] = shifted(image, -by)
            self.exponents[places] += right.exponents[0, 0, 0] + by
            return
        whole = scaled(right.matrix.astype(np.float64), _scale(right)) if right.extended is None else right.extended
        product = self._wide[places] @ whole
        self._wide[places] = product
        self.P[places], self.exponents[places] = on_one_scale(product)

    def _lasts(self, right: Product, places: slice) -> bool:
        """Return whether no term of a product is below the range of floating point."""
        limit = range_bits(self.P) - MARGIN
        return right.extended is None and depth(self.P[places]) + depth(right.matrix) <= limit


def _scale(product: Product) -> Array:
    return product.exponents[:, :1, :1]


def _stretch(cell: Cell, trajectory: StoredTrajectory, k: int, t: int) -> Product:
    """Return ∂s_t/∂s_k."""
    until = StoredTrajectory(trajectory.states[: t + 1], trajectory.records[:t])
    *_, product = backward_products(cell, until, 1, lags=t - k)
    return product
