"""Norms of Jacobian products from their leading left singular directions: a lower bound at a small part of the cost."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

import numpy as np

from vanishgrad.arrays import Array, is_extended, on_host
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.extended_range import on_one_scale
from vanishgrad.propagation.products.scaling import LN_2
from vanishgrad.propagation.singular_values.scaled_vectors import LinearisedSteps, ScaledVectors

INTERVAL = 8
"""Steps between two QR factorisations of the tangents."""


class LeadingNorms(NamedTuple):
    """Natural logarithms by trial and lag, NaN beyond a trial's own length.

    Attributes
    ----------
    state : (B, T + 1) array
        ln ‖∂s_T/∂s_k‖₂.
    input : (B, T) array
        ln ‖∂h_T/∂x_k‖₂.
    exponent : (B,) array
        The largest Lyapunov exponent over the second half of each sequence, nats per step.
    """

    state: Array
    input: Array
    exponent: Array


def leading_norms(cell: Cell, trajectory: StoredTrajectory, lengths: Array, directions: int) -> LeadingNorms:
    r"""Return ‖Q^T ∂s_T/∂s_k‖₂ and ‖Q_h^T ∂h_T/∂x_k‖₂ for every k.

    Tangents from s_0, orthonormalised on their way to s_T, span the leading left singular directions Q of the longest
    product (Benettin et al. 1980); shorter ones share them, the better the longer they are. Q_h are those of their h.

    Parameters
    ----------
    cell : Cell
    trajectory : StoredTrajectory
        Sequences aligned at their end.
    lengths : (B,) array of int
    directions : int
        The number r of columns of Q; from the state's size m on the norms are exact.

    Notes
    -----
    3 r rows through every step in place of the m that the products have. Each norm is a lower bound of the true one; at
    lags that a few directions dominate it is that one.
    """
    steps, batch, n = LinearisedSteps(cell, trajectory), len(lengths), cell.parts[0].size
    r = min(directions, cell.state_size)
    Q, exponent = _tangents(cell, trajectory, steps, lengths, r)
    Q_h = np.zeros((batch, min(r, n), cell.state_size))
    of_h = np.linalg.qr(np.swapaxes(Q[:, :, :n], 1, 2))[0] if r < n else np.broadcast_to(np.eye(n), (batch, n, n))
    Q_h[:, :, :n] = np.swapaxes(of_h, 1, 2)
    rows = ScaledVectors.on(trajectory.start, np.concatenate([Q, Q_h], axis=1))
    total = trajectory.steps
    state, received = np.full((batch, total + 1), np.nan), np.full((batch, total), np.nan)
    for t, linearisation in steps.backward():
        state[:, total - t] = _log_norm(rows, slice(r))
        received[:, total - t] = _log_norm(rows[r:].through_input(linearisation, t, cell.input_size), slice(None))
        rows.cotangent(linearisation, t)
    state[:, total] = _log_norm(rows, slice(r))
    for b, length in enumerate(lengths):
        state[b, length + 1 :], received[b, length:] = np.nan, np.nan
    return LeadingNorms(state, received, exponent)


def _tangents(
    cell: Cell, trajectory: StoredTrajectory, steps: LinearisedSteps, lengths: Array, r: int
) -> tuple[Array, Array]:
    """Return an orthonormal basis of r rows, (B, r, m), of what tangents span at T, and the first one's exponent."""
    batch, total, m = len(lengths), trajectory.steps, cell.state_size
    start = np.linalg.qr(np.random.default_rng(0).standard_normal((m, r)))[0].T
    basis, growth = np.array(np.broadcast_to(start, (batch, r, m))), np.zeros(batch)
    vectors, history = ScaledVectors.on(trajectory.start, basis), [(0, growth)]
    for t, linearisation in steps.forward(1):
        vectors.tangent(linearisation, t)
        if t % INTERVAL == 0 or t == total:
            values, exponents = _floats(vectors)
            with np.errstate(divide="ignore"):
                growth = growth + np.log(np.linalg.norm(values[:, 0], axis=1)) + LN_2 * exponents[:, 0]
            history.append((t, growth))
            basis = np.ascontiguousarray(np.swapaxes(np.linalg.qr(np.swapaxes(values, 1, 2))[0], 1, 2))
            vectors = ScaledVectors.on(trajectory.start, basis)
    times = [time for time, _ in history]
    exponent = np.empty(batch)
    for b, length in enumerate(lengths):
        time, before = history[bisect_right(times, total - length // 2) - 1]
        with np.errstate(invalid="ignore"):
            exponent[b] = (growth[b] - before[b]) / (total - time)
    return basis, exponent


def _floats(vectors: ScaledVectors) -> tuple[Array, Array]:
    """Return vectors in floating point, (B, a, m), and their exponents, (B, a)."""
    exponents: Array = np.asarray(on_host(vectors.exponents))
    if not is_extended(vectors.values):
        return on_host(vectors.values), exponents
    wide: Any = vectors.values
    batch, count, length = wide.shape
    values, own = on_one_scale(wide.reshape(batch * count, 1, length))
    return values.reshape(batch, count, length), exponents + own.reshape(batch, count)


def _log_norm(vectors: ScaledVectors, rows: slice) -> Array:
    """Return ln of the spectral norm of some rows as a matrix, (B,)."""
    values, exponents = _floats(vectors)
    values, exponents = values[:, rows], exponents[:, rows]
    largest = exponents.max(axis=1, keepdims=True)
    scaled = values * 2.0 ** np.maximum(exponents - largest, -1000)[..., None]
    gram = scaled @ np.swapaxes(scaled, 1, 2)
    with np.errstate(divide="ignore"):
        log_norm: Array = np.log(np.maximum(np.linalg.eigvalsh(gram)[:, -1], 0)) / 2 + LN_2 * largest[:, 0]
    return log_norm
