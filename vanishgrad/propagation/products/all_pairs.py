r"""‖∂s_t/∂s_k‖ for all pairs of times on a grid.

Between neighbouring times the products D_j = ∂s_{t_{j+1}}/∂s_{t_j} take one sweep of T steps altogether; then
∂s_{t_i}/∂s_{t_j} = (∂s_{t_i}/∂s_{t_{j+1}}) D_j for all i at once, block by block with an exponent for each block.
"""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.propagation.products.products import Product, backward_products
from vanishgrad.propagation.products.scaling import LN_2, joined, summed
from vanishgrad.propagation.singular_values.largest import LeadingSingularValues


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
    spans, G = list(cell.slices.values()), len(times)
    P = np.tile(np.eye(cell.state_size, dtype=trajectory.states.dtype), (G, 1, 1))
    exponents = np.zeros((G, len(spans), len(spans)), dtype=np.int64)
    leading = LeadingSingularValues({"state": P.shape[1:]}, G, P.dtype)
    found = np.full((G, G), np.nan)
    found[-1, -1] = 0.0
    for j in range(G - 2, -1, -1):
        found[j, j] = 0.0
        stretch = _stretch(cell, trajectory, int(times[j]), int(times[j + 1]))
        P[j + 1 :], exponents[j + 1 :] = _multiplied(P[j + 1 :], exponents[j + 1 :], stretch, spans)
        matrix, top = joined([[P[:, rows, columns] for columns in spans] for rows in spans], exponents)
        with np.errstate(divide="ignore"):
            log_norm = np.log(leading({"state": matrix})["state"]) + top * LN_2
        found[j + 1 :, j] = log_norm[j + 1 :]
    return found


def _stretch(cell: Cell, trajectory: StoredTrajectory, k: int, t: int) -> Product:
    """Return ∂s_t/∂s_k."""
    until = StoredTrajectory(trajectory.states[: t + 1], trajectory.records[:t])
    *_, product = backward_products(cell, until, 1, lags=t - k)
    return product


def _multiplied(P: Array, exponents: Array, right: Product, spans: list[slice]) -> tuple[Array, Array]:
    """Return products P D, (G, m, m), and the exponents of their blocks."""
    out, by = np.empty_like(P), np.empty_like(exponents)
    for a, rows in enumerate(spans):
        for c, columns in enumerate(spans):
            terms = [P[:, rows, inner] @ right.matrix[:, inner, columns] for inner in spans]
            out[:, rows, columns], by[:, a, c] = summed(terms, exponents[:, a] + right.exponents[:, :, c])
    return out, by
