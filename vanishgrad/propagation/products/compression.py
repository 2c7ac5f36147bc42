r"""Rank compression of long products: rows that have become too small to count are left out, and their size bounded.

Turn the rows R of one part by the eigenvectors Q of R Rᵀ. For every v, ‖R v‖² = ‖R₁ v‖² + ‖R₂ v‖² with R₁ the rows that
are kept and R₂ those that are left out, so that every norm of the part's blocks is wrong by at most
½ (‖R₂‖/‖R₁‖)² relative: with rows left out below 5e-6 of the smallest block, by 1e-11 at first.

What is left out may outgrow what is kept, later. So Gaussian combinations of all rows that were ever left out, the
probes, are carried along: z = gᵀ R₂ is at least |g₁| ‖R₂‖ long, and the largest of 8 probes is shorter than ‖R₂‖/10
with probability erf(1/(10 √2))⁸ = 1.6e-9 only. A relative error bound of every norm at every lag follows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vanishgrad.arrays import Array, is_numpy, namespace
from vanishgrad.propagation.products.sweep import PROBES, Sweep

SMALL = 5e-6
"""Rows below this share of the part's smallest block are left out."""
PROBE_COUNT = 8
CONFIDENCE = 10.0
"""‖R₂‖ is taken to be up to so many times the longest probe; see above for the probability that it is more."""
FIRST_LAG = 8
MIN_ROWS = 8


class Compression:
    """Leaves out rows as a sweep goes on.

    Parameters
    ----------
    finer : float
        Rows are left out below `SMALL` divided by so much.
    seed : int
        Of the probes.
    """

    def __init__(self, finer: float = 1, seed: int = 0) -> None:
        self._random, self._small = np.random.default_rng(seed), SMALL / finer
        self._next_lag = FIRST_LAG

    def applied(self, sweep: Sweep, lag: int) -> Mapping[str, Array]:
        """Compress a sweep if it is time, and return how the rows of each part were turned."""
        if lag < self._next_lag or not sweep.shared:
            return {}
        before = sum(sweep.block(name).shape[1] for name in sweep.groups)
        turns = self._compressed(sweep)
        after = sum(sweep.block(name).shape[1] for name in sweep.groups)
        self._next_lag = max(lag + 4, lag * 5 // 4 if after < 0.9 * before else lag * 2)
        return turns

    def _compressed(self, sweep: Sweep) -> Mapping[str, Array]:
        turned = {name: _turn(sweep, i, name, self._small) for i, name in enumerate(sweep.groups)}
        if all(rank == Q.shape[1] for Q, rank in turned.values()):
            return {}
        blocks, turns = {}, {}
        before = {name: sweep.on_trial_scale(name) for name in sweep.rows if name.endswith(PROBES)}
        probes = {name: rows for name, rows in before.items() if rows is not None}
        if len(probes) < len(before):  # what has been left out is to be watched further, as far as it has fallen
            sweep.widen()
            return {}
        for name, (Q, rank) in turned.items():
            R = _rotated(Q, sweep.block(name))
            blocks[name], turns[name] = R[:, :rank], namespace(Q).astype(Q[:, :rank], R.dtype)
            probes[name + PROBES] = self._probed(R[:, rank:], probes.get(name + PROBES))
        others = {name: sweep.block(name) for name in sweep.rows if name not in blocks and name not in probes}
        sweep.take({**blocks, **others, **probes})
        return turns

    def _probed(self, left_out: Array, before: Array | None) -> Array:
        """Return Gaussian combinations of the rows left out now, added to those of the rows left out before."""
        xp = namespace(left_out)
        shape = (left_out.shape[0], PROBE_COUNT, left_out.shape[1])
        fresh = xp.astype(xp.asarray(self._random.standard_normal(shape)), left_out.dtype) @ left_out
        return fresh if before is None else before + fresh


def _turn(sweep: Sweep, place: int, name: str, small: float) -> tuple[Array, int]:
    """Return the eigenvectors of R Rᵀ as rows, the largest first, and how many rows are to be kept in some trial.

    The identity where all are kept: of a diagonal product, whose norms are known exactly, or if none is small enough.
    """
    xp = namespace(sweep.P)
    R = xp.astype(sweep.block(name), xp.float64, copy=False)  # whose squares tell rows of 1e-5 from rounding
    rows = R.shape[1]
    gram = R @ xp.matrix_transpose(R)
    if xp.count_nonzero(gram) == xp.count_nonzero(xp.linalg.diagonal(gram)):
        return _unturned(gram), rows
    mass = sweep.mass[:, place]
    smallest = xp.min(xp.where(mass > 0, mass, xp.max(mass, axis=-1)[:, None]), axis=-1)
    least = small**2 * smallest / rows
    if _all_above(gram[0], least[0]):
        return _unturned(gram), rows
    squares, vectors = xp.linalg.eigh(gram)
    needed = xp.sum(xp.astype(squares > least[:, None], xp.int64), axis=-1)
    kept = min(rows, max(int(xp.max(needed)), MIN_ROWS))
    return xp.flip(xp.matrix_transpose(vectors), axis=1), kept


def _unturned(gram: Array) -> Array:
    xp = namespace(gram)
    turn: Array = xp.zeros_like(gram) + xp.eye(gram.shape[1], dtype=gram.dtype)
    return turn


def _all_above(gram: Array, least: Array) -> bool:
    """Whether all eigenvalues are above the least: a tenth of the price of the eigenvalues, paid for one trial only."""
    if not is_numpy(gram):
        return False
    try:
        np.linalg.cholesky(gram - least * np.eye(len(gram)))
    except np.linalg.LinAlgError:
        return False
    return True


def _rotated(Q: Array, R: Array) -> Array:
    """Return Q R, rounded once: a small row keeps what float32 has of it."""
    xp = namespace(R)
    rotated: Array = xp.astype(Q @ xp.astype(R, xp.float64, copy=False), R.dtype, copy=False)
    return rotated


def missing(probes: Array) -> Array:
    """Return an upper bound of ‖R₂‖², (B,), of left-out rows from their probes, (B, parts, s, q)."""
    xp = namespace(probes)
    squares: Array = xp.sum(xp.max(xp.vecdot(probes, probes), axis=-1), axis=-1)
    return CONFIDENCE**2 * squares


def error_bound(sigma: Array, left_out: Array) -> float:
    """Return the largest relative error, over trials, of norms (B,) from the squares (B,) of what was left out."""
    xp = namespace(sigma)
    some = sigma > 0
    relative = left_out / (2 * xp.where(some, sigma, 1) ** 2)
    return float(xp.max(xp.where(some, relative, xp.astype(left_out > 0, sigma.dtype))))
