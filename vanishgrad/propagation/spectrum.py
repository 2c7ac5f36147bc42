r"""All singular values of ∂s_T/∂s_k, and the directions that are best preserved, at chosen lags."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.cells import Cell, Trajectory
from vanishgrad.cells.arrays import Array
from vanishgrad.propagation.graded import Graded, identity
from vanishgrad.propagation.jacobi import orthogonal_rows
from vanishgrad.propagation.products import linearisations


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The singular values of a block of ∂s_T/∂s_{T-lag}.

    Attributes
    ----------
    log_sigma : (B, r) array
        Descending; -inf for an exact zero.
    left : (B, m) array
        The unit vector at time T that the best-preserved one becomes; zero if the block is.
    right : (B, m) array
        The unit vector at time T - lag that is preserved best.
    error : (B,) array
        Estimated absolute error of the logarithms.
    """

    log_sigma: Array
    left: Array
    right: Array
    error: Array


def spectra(
    cell: Cell,
    trajectory: Trajectory,
    lags: Collection[int],
    blocks: Mapping[str, tuple[str, str] | None],
) -> Iterator[tuple[int, dict[str, Spectrum]]]:
    r"""Yield each lag, ascending, with the spectrum of each block of ∂s_T/∂s_{T-lag}.

    The transpose of the product is kept as Q diag(d) V; a step back in time replaces J^T Q by its own factors.

    Parameters
    ----------
    cell : Cell
    trajectory : Trajectory
    lags : collection of int
        At most T.
    blocks : mapping
        Name → (to, from) parts, or None for the whole state.

    Notes
    -----
    3 m³ operations a step for a whole state of size m, then about 20 m³ for each lag; O(B m²) numbers beside the
    trajectory. The error of a logarithm is about m·u·Σ κ(J_t) for the whole state, the condition number of what is not
    zero, plus the rounding of the logarithms' sum; a block's is larger where the parts cancel, by the condition number
    of its factor.
    """
    steps, batch = trajectory.steps, trajectory.states.shape[1]
    product = identity(batch, cell.state_size, trajectory.states.dtype)
    kappas = np.zeros(batch)
    walk = linearisations(cell, trajectory, batch)
    for lag in range(max(lags) + 1):
        if lag:
            rows = np.ascontiguousarray(np.swapaxes(product.Q, 1, 2))
            out = np.empty_like(rows)
            next(walk).cotangent(steps - lag + 1, rows, out)
            product, kappa = product.before(np.swapaxes(out, 1, 2))
            kappas = kappas + kappa
        if lag in lags:
            yield lag, {name: _spectrum(cell, product, block, kappas, lag) for name, block in blocks.items()}


def _spectrum(cell: Cell, transposed: Graded, block: tuple[str, str] | None, kappas: Array, lag: int) -> Spectrum:
    part = transposed if block is None else transposed.block(cell.slices[block[1]], cell.slices[block[0]])
    # One more QR from the other side leaves rows that are nearly orthogonal (Drmač and Veselić 2008).
    other, cancelled = part.transposed()
    log_sigma, Y = orthogonal_rows(other.log_d, other.V)
    first = Y[:, 0]
    gains = np.exp(other.log_d - np.where(np.isfinite(log_sigma[:, :1]), log_sigma[:, :1], 0))
    image = _unit(gains * _applied(other.V, first))
    return Spectrum(
        log_sigma=log_sigma[:, : _size(cell, block)],
        left=_applied(other.Q, image),
        right=_applied(part.Q, first),
        error=_error(log_sigma, kappas + cancelled if block is None else kappas * cancelled, lag, Y.dtype),
    )


def _size(cell: Cell, block: tuple[str, str] | None) -> int:
    names = [part.name for part in cell.parts] if block is None else block
    sizes = [part.size for part in cell.parts if part.name in names]
    return sum(sizes) if block is None else min(sizes)


def _error(log_sigma: Array, kappas: Array, lag: int, dtype: np.dtype) -> Array:
    largest = np.max(np.abs(np.where(np.isfinite(log_sigma), log_sigma, 0)), axis=1)
    return np.finfo(dtype).eps / 2 * (log_sigma.shape[1] * kappas + lag * largest)


def _applied(matrices: Array, vectors: Array) -> Array:
    return (matrices @ vectors[..., None])[..., 0]


def _unit(vectors: Array) -> Array:
    norms = np.linalg.vector_norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)
