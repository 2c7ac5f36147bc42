"""One-sided Jacobi: singular values of rows whose sizes are logarithms, none of them lost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vanishgrad.arrays import Array

MAX_SWEEPS = 60
"""Far beyond what is met: seven for a full matrix of 128 rows, one or two where the rows are graded."""


def orthogonal_rows(log_d: Array, V: Array) -> tuple[Array, Array]:
    r"""Return log σ, descending, and the orthonormal rows y_i with diag(e^log_d) V = X diag(σ) Y, X orthonormal.

    Rows d_i v_i and d_j v_j, d_i >= d_j, are turned until they are orthogonal. With ρ = d_j/d_i <= 1, which may be 0,
    a = v_i·v_i, b = v_j·v_j, c = v_i·v_j, z = (ρ²b - a)/2 and τ = sign(z) c/(|z| + √(z² + ρ²c²)), the tangent of the
    angle is ρτ, and

        v_i ← (v_i - ρ²τ v_j)/√(1 + ρ²τ²),    v_j ← (v_j + τ v_i)/√(1 + ρ²τ²):

    nothing but ρ depends on the sizes. The relative error of each σ is about u·κ(V), whatever log_d
    (Demmel and Veselić, Jacobi's method is more accurate than QR, 1992).

    Parameters
    ----------
    log_d : (B, r) array
        -inf for a zero row.
    V : (B, r, q) array

    Returns
    -------
    log_sigma : (B, r) array
    Y : (B, r, q) array
        Zero where σ is.

    Notes
    -----
    A sweep costs 5 r² q operations; only pairs that are not orthogonal yet take part.
    """
    rows = np.array(np.where(np.isneginf(log_d)[..., None], 0, V))
    for _ in range(MAX_SWEEPS):
        log_d, rows = _ordered(*_normalised(log_d, rows))
        pending = _pending(rows)
        if not pending.any():
            break
        for first, second in _rounds(rows.shape[1]):
            due = pending[first, second]
            if due.any():
                _turn(log_d, rows, first[due], second[due])
    return log_d, rows


def _normalised(log_d: Array, rows: Array) -> tuple[Array, Array]:
    norms = np.linalg.vector_norm(rows, axis=2)
    with np.errstate(divide="ignore"):
        return log_d + np.log(norms), rows / np.where(norms > 0, norms, 1)[..., None]


def _ordered(log_d: Array, rows: Array) -> tuple[Array, Array]:
    order = np.argsort(-log_d, axis=1, kind="stable")
    return np.take_along_axis(log_d, order, axis=1), np.take_along_axis(rows, order[..., None], axis=1)


def _pending(rows: Array) -> Array:
    """Return which pairs of unit rows, (r, r), are not orthogonal to rounding in some trial."""
    size = rows.shape[-1]
    cosines = np.abs(rows @ np.swapaxes(rows, 1, 2)).max(axis=0)
    return np.triu(cosines > size * np.finfo(rows.dtype).eps, k=1)


def _rounds(r: int) -> Iterator[tuple[Array, Array]]:
    """Yield every pair i < j once, in rounds of disjoint pairs (a tournament's circle)."""
    players = np.arange(r + r % 2)
    half = len(players) // 2
    for _ in range(len(players) - 1):
        left, right = players[:half], players[: half - 1 : -1]
        first, second = np.minimum(left, right), np.maximum(left, right)
        yield first[second < r], second[second < r]
        players = np.concatenate([players[:1], players[-1:], players[1:-1]])


def _turn(log_d: Array, rows: Array, first: Array, second: Array) -> None:
    x, y = np.take(rows, first, axis=1), np.take(rows, second, axis=1)
    a, b, c = np.vecdot(x, x), np.vecdot(y, y), np.vecdot(x, y)
    log_x, log_y = log_d[:, first], log_d[:, second]
    rho = np.exp(log_y - np.where(np.isfinite(log_y), log_x, 0)).astype(rows.dtype)
    z = (rho**2 * b - a) / 2
    size = np.abs(z) + np.hypot(z, rho * c)
    tau = np.where(z < 0, -c, c) / np.where(size > 0, size, 1)
    cosine = 1 / np.sqrt(1 + (rho * tau) ** 2)
    rows[:, first] = _weighted_sum(cosine, x, -cosine * rho**2 * tau, y)
    rows[:, second] = _weighted_sum(cosine * tau, x, cosine, y)


def _weighted_sum(p: Array, x: Array, q: Array, y: Array) -> Array:
    """Return p x + q y, p and q (B, k), x and y (B, k, q); einsum takes half the time of a broadcast product."""
    total: Array = np.einsum("bk,bkq->bkq", p, x)
    total += np.einsum("bk,bkq->bkq", q, y)
    return total
