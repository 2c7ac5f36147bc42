r"""All singular values of ∂s_T/∂s_k, and the directions that are best preserved, at chosen lags."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.extended_range import extended, on_one_scale, zeros
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.products import linearisations
from vanishgrad.propagation.products.scaling import LN_2, RangeWatch
from vanishgrad.propagation.singular_values.graded_qr import LARGEST_LOG, Graded, identity
from vanishgrad.propagation.singular_values.lanczos import unit
from vanishgrad.propagation.singular_values.one_sided_jacobi import orthogonal_rows
from vanishgrad.propagation.singular_values.rank_revealing import MAX_ERROR, step_factors


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The singular values of a block of ∂s_T/∂s_{T-lag}.

    Attributes
    ----------
    log_sigma : (B, r) array
        Descending; -inf for a zero, and for what rounding alone may have made: a step's own entries may cancel, but
        what is small because units or gates saturate is a number.
    left : (B, m) array
        The unit vector at time T that the best-preserved one becomes; zero if the block is.
    right : (B, m) array
        The unit vector at time T - lag that is preserved best.
    error : (B, r) array
        Estimated absolute error of each logarithm.
    """

    log_sigma: Array
    left: Array
    right: Array
    error: Array


def spectra(
    cell: Cell,
    trajectory: StoredTrajectory,
    lags: Collection[int],
    blocks: Mapping[str, tuple[str, str] | None],
) -> Iterator[tuple[int, dict[str, Spectrum]]]:
    r"""Yield each lag, ascending, with the spectrum of each block of ∂s_T/∂s_{T-lag}.

    The transpose of the product is kept as Q diag(d) V; a step back in time replaces J^T Q by its own factors.

    Parameters
    ----------
    cell : Cell
    trajectory : StoredTrajectory
    lags : collection of int
        At most T.
    blocks : mapping
        Name → (to, from) parts, or None for the whole state.

    Notes
    -----
    5 m³ multiplications a step for a whole state of size m, then about 20 m³ for each lag and block; O(B m²) numbers
    beside the trajectory. The error of ln σ_i is about 8m·u·Σ_t ‖J_t‖/r_i(t), with r_i(t) what the step did to the i-th
    direction: of the order u·T for the best, u·Σ κ(J_t) for the last that is not zero; then the rounding of V and that
    of the logarithms' sum.
    """
    steps, batch = trajectory.steps, trajectory.states.shape[1]
    plain = graded = identity(batch, cell.state_size, trajectory.states.dtype)
    walk = linearisations(cell, trajectory, batch)
    for lag in range(max(lags) + 1):
        if lag:
            step, t = next(walk), steps - lag + 1
            image, by_factors = _with_step(graded, step, t)
            plain, graded = image if graded is plain else _image(plain, step, t), by_factors
        if lag in lags:
            ways = [plain] if graded is plain else [graded, plain]
            yield lag, {name: _best(_spectrum(cell, way, block, lag) for way in ways) for name, block in blocks.items()}


def _best(ways: Iterable[Spectrum]) -> Spectrum:
    """Return the spectrum of each trial by the way that knows most of it, the first of equals."""
    best, *others = ways
    for other in others:
        more = np.isfinite(other.log_sigma).sum(axis=1) > np.isfinite(best.log_sigma).sum(axis=1)
        pairs = ((getattr(other, each.name), getattr(best, each.name)) for each in fields(Spectrum))
        best = Spectrum(*(np.where(more[:, None], new, old) for new, old in pairs))
    return best


def _with_step(product: Graded, step: EitherRange, t: int) -> tuple[Graded, Graded]:
    """Return J_tᵀ times a transposed product; and by a graded step's own factors where that would lose any."""
    image = _image(product, step, t)
    eps = float(np.finfo(product.Q.dtype).eps)
    doubtful = (image.unknown > product.unknown) | (image.loss.max(axis=1) > product.loss.max(axis=1) + eps**-0.5)
    factors = step_factors(step, t, doubtful, product.Q.shape[1], eps) if doubtful.any() else None
    if factors is None:
        return image, image
    own, trials = factors
    return image, image.with_trials(trials, product[trials].before_transposed(own))


def _image(product: Graded, step: EitherRange, t: int) -> Graded:
    """Return J_tᵀ times a transposed product; where an entry may leave floating point, each column on its own scale."""
    rows = np.ascontiguousarray(np.swapaxes(product.Q, 1, 2))
    M, log_scales, noise = _transposed_image(rows, step, t)
    image = product.before(M, log_scales, noise)
    if np.all(image.unknown <= product.unknown):
        return image
    # A row of J that is exactly zero, a dead unit's, leaves a zero, and no rounding.
    dead = np.isneginf(_log_row_norms(step, t, rows)).sum(axis=1)
    return product.before(M, log_scales, noise, rows.shape[1] - dead) if dead.any() else image


def _transposed_image(rows: Array, step: EitherRange, t: int) -> tuple[Array, Array | float, Array | None]:
    """Return J_tᵀ times unit columns, given as rows, the logarithms of the images' scales, and their errors over u."""
    if RangeWatch(rows).lasts(rows, step, t):
        out = np.empty_like(rows)
        step.cotangent(t, rows, out)
        return np.swapaxes(out, 1, 2), 0.0, None
    out, log_scales = _on_own_scales(rows, step, t)
    # What is not zero in a unit vector is off by u, and meets the whole of a row of J.
    if np.all(rows != 0):
        log_sizes = _log_norm(log_scales + _log_norms(out), np.ones((1, 1, 1), dtype=bool))
    else:
        log_sizes = _log_norm(_log_row_norms(step, t, rows), rows != 0)
    noise = np.exp(np.minimum(log_sizes - log_scales, LARGEST_LOG)).astype(rows.dtype)
    return np.swapaxes(out, 1, 2), log_scales, noise


def _on_own_scales(rows: Array, step: EitherRange, t: int) -> tuple[Array, Array]:
    """Return rows times J_t, each of order 1, and the logarithm of its scale, (B, m)."""
    wide: Any = extended(rows)
    image: Any = zeros(wide.shape)
    step.cotangent(t, wide, image)
    batch, m, _ = rows.shape
    scaled, exponents = on_one_scale(image.reshape(batch * m, 1, m))
    return scaled.reshape(batch, m, m).astype(rows.dtype), exponents.reshape(batch, m) * LN_2


def _log_row_norms(step: EitherRange, t: int, like: Array) -> Array:
    """Return the logarithms of the norms of the rows of J_t, (B, m)."""
    identity = np.array(np.broadcast_to(np.eye(like.shape[1], dtype=like.dtype), like.shape))
    out, log_scales = _on_own_scales(identity, step, t)
    return log_scales + _log_norms(out)


def _log_norms(rows: Array) -> Array:
    with np.errstate(divide="ignore"):
        logs: Array = np.log(np.linalg.vector_norm(rows, axis=2))
    return logs


def _log_norm(logs: Array, some: Array) -> Array:
    """Return ln √Σ e^2l over those l of logarithms, (B, m), that count in each line of `some`, (B, k, m)."""
    lines = np.where(some, logs[:, None], -np.inf)
    top = np.max(lines, axis=2, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        norm: Array = top[..., 0] + np.log(np.sum(np.exp(2 * (lines - top)), axis=2)) / 2
    return norm


def _spectrum(cell: Cell, transposed: Graded, block: tuple[str, str] | None, lag: int) -> Spectrum:
    part = transposed if block is None else transposed.block(cell.slices[block[1]], cell.slices[block[0]])
    # One more QR from the other side leaves rows that are nearly orthogonal (Drmač and Veselić 2008).
    other = part.transposed(max(lag, 1))
    log_sigma, Y = orthogonal_rows(other.log_d, other.V)
    first = Y[:, 0]
    gains = np.exp(other.log_d - np.where(np.isfinite(log_sigma[:, :1]), log_sigma[:, :1], 0))
    image = unit(gains * _applied(other.V, first))
    size, error = _size(cell, block), _error(other, log_sigma, lag)
    # A direction that a step lost may lead again behind one so uncertain.
    is_known = np.logical_and.accumulate(error < MAX_ERROR, axis=1)
    log_sigma, error = np.where(is_known, log_sigma, -np.inf), np.where(is_known, error, 0)
    is_led = np.isfinite(log_sigma[:, :1])
    return Spectrum(
        log_sigma=log_sigma[:, :size],
        left=np.where(is_led, _applied(other.Q, image), 0),
        right=np.where(is_led, _applied(part.Q, first), 0),
        error=error[:, :size],
    )


def _size(cell: Cell, block: tuple[str, str] | None) -> int:
    names = [part.name for part in cell.parts] if block is None else block
    sizes = [part.size for part in cell.parts if part.name in names]
    return sum(sizes) if block is None else min(sizes)


def _error(product: Graded, log_sigma: Array, lag: int) -> Array:
    """Return the errors of ln σ, descending as these; 0 where σ is zero to rounding, and at lag 0."""
    order = np.argsort(-product.log_d, axis=1, kind="stable")
    # A direction is told from those before it, whose errors it has.
    loss = np.maximum.accumulate(np.take_along_axis(product.loss, order, axis=1), axis=1)
    m, u = log_sigma.shape[1], np.finfo(product.V.dtype).eps / 2
    # Eight times the first-order estimate: directions that change places at a step, and factors whose own entries
    # cancel as a layer norm's do, err by more than it says.
    finite = np.isfinite(log_sigma)
    return np.where(finite & (lag > 0), 8 * u * (m * loss + lag * np.abs(np.where(finite, log_sigma, 0))), 0)


def _applied(matrices: Array, vectors: Array) -> Array:
    return (matrices @ vectors[..., None])[..., 0]
