"""Householder QR in floating point: of frames whose rows keep their own accuracy, and of a matrix for ln|det|."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array


def row_wise_qr(A: Array) -> tuple[Array, Array, Array]:
    """Return Q, (B, m, K), and |R_ii| with its rounding error, both (B, K), of A (B, m, K).

    Householder QR of the rows in the order of their size: each row then keeps its own accuracy, however far it is below
    another one (Powell and Reid 1969), and r_i = Q_iᵀ A is off by the rounding of the rows that Q_i has a share of.
    """
    sizes = np.abs(A).max(axis=2)
    order = np.argsort(-sizes, axis=1)[..., None]
    Q, R = np.linalg.qr(np.take_along_axis(A, order, axis=1))
    Q = np.take_along_axis(Q, np.argsort(order, axis=1), axis=1)
    rounding = A.shape[1] * np.finfo(A.dtype).eps * np.einsum("bm,bmk->bk", sizes, np.abs(Q))
    return Q, np.abs(np.diagonal(R, axis1=1, axis2=2)), rounding


def log_determinant(J: Array) -> tuple[Array, Array]:
    """Return ln|det J|, (B,), of J (B, m, m), -inf where rounding alone would keep it from 0; and where it is doubtful.

    That is asked of rows and columns of one size each: a determinant that is small because they are is a number, if
    their small entries have digits of their own.
    """
    half = math.sqrt(np.finfo(J.dtype).eps)
    log_sizes, (doubtful, singular) = np.zeros(len(J)), np.zeros((2, len(J)), dtype=bool)
    for axis in (2, 1):
        sizes = np.abs(J).max(axis=axis, keepdims=True)
        singular |= (sizes == 0).any(axis=(1, 2))
        sizes = np.where(sizes > 0, sizes, 1)
        J, log_sizes = J / sizes, log_sizes + np.log(sizes).sum(axis=(1, 2))
        doubtful |= sizes.min(axis=(1, 2)) < half * sizes.max(axis=(1, 2))
    r = np.abs(np.diagonal(np.linalg.qr(J, mode="r"), axis1=1, axis2=2))
    whole = r.min(axis=1) > J.shape[1] * np.finfo(J.dtype).eps * r.max(axis=1)
    logs = np.log(np.where(whole[:, None], r, 1)).sum(axis=1)
    doubtful |= r.min(axis=1) < half * r.max(axis=1)
    return np.where(whole & ~singular, log_sizes + logs, -np.inf), doubtful & ~singular
