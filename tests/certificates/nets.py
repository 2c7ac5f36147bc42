"""Random nets as data, and the Jacobian of each in 60-digit arithmetic: an oracle of its own."""

from __future__ import annotations

import mpmath as mp
import numpy as np

from vanishgrad.cells import ACTIVATIONS, GRU, LSTM, RNN, Cell
from vanishgrad.cells.mgu import MGU

DIGITS = 60
KINDS = ("rnn", "lstm", "gru-after", "gru-before", "mgu-before-new", "mgu-after-old", "mgu-none-new")


def net(kind: str, n: int, d: int, scale: float, seed: int, keep: float = 0.0) -> Cell:
    """Return a net with Gaussian weights of the given scale, `keep` added to the bias of f (and taken from i) or z.

    It is taken from the gate of an mgu that multiplies what is new.
    """
    random = np.random.default_rng([seed, n, d])
    gates = {"rnn": 1, "lstm": 4}.get(kind, 2 if kind.startswith("mgu") else 3)
    W, V = (random.normal(size=(gates * n, width)) * scale / width**0.5 for width in (n, d))
    b = random.normal(size=gates * n) * scale
    if kind == "rnn":
        return RNN(W, V, b, ACTIVATIONS[("tanh", "sigmoid", "linear")[seed % 3]])
    if kind.startswith("mgu"):
        _, reset, multiplies = kind.split("-")
        b[:n] += keep if multiplies == "old" else -keep
        return MGU(W, V, b, random.normal(size=n) * scale, reset=reset, keep=multiplies)
    b[n : 2 * n] += keep
    if kind == "lstm":
        b[:n] -= keep
        return LSTM(W, V, b)
    after = kind == "gru-after"
    return GRU(W, V, b, random.normal(size=n) * scale if after else None, reset="after" if after else "before")


def matrix(array: np.ndarray) -> mp.matrix:
    return mp.matrix(np.atleast_2d(array).tolist())


def norm(A: mp.matrix) -> mp.mpf:
    """Return the 2-norm in the arithmetic in force."""
    return mp.svd_r(A, compute_uv=False)[0]


def scaled(A: mp.matrix, scale: list[float]) -> mp.matrix:
    """Return Δ A Δ⁻¹."""
    n = len(scale)
    return (
        mp.matrix(
            n,
            n,
        )
        if not n
        else mp.matrix([[A[i, j] * scale[i] / scale[j] for j in range(n)] for i in range(n)])
    )


def sigma(a: mp.mpf) -> mp.mpf:
    return 1 / (1 + mp.exp(-a))


def jacobians(cell: Cell, xs: np.ndarray, s0: np.ndarray | None = None) -> list[mp.matrix]:
    """Return J_1 … J_T along xs (T, d) from s_0 (0 if None), from the textbook's formulas."""
    s, found = [mp.mpf(0) if s0 is None else mp.mpf(float(s0[j])) for j in range(cell.state_size)], []
    for x in xs:
        s, J = step(cell, s, x)
        found.append(J)
    return found


def step(cell: Cell, s: list, x: np.ndarray) -> tuple[list, mp.matrix]:
    """Return s_t and J_t."""
    return {"rnn": _rnn, "lstm": _lstm, "gru": _gru, "mgu": _mgu}[cell.name](
        cell, s, [mp.mpf(float(each)) for each in x]
    )


def _reached(cell: Cell, h: list, x: list, rows: slice, recurrent: bool = True) -> list:
    W, V, b = (getattr(cell, name)[0][rows].tolist() for name in ("W_hh", "W_hx", "b"))
    return [(mp.fdot(w, h) if recurrent else 0) + mp.fdot(v, x) + bias for w, v, bias in zip(W, V, b, strict=True)]


def _rnn(cell: Cell, h: list, x: list) -> tuple[list, mp.matrix]:
    n = cell.hidden_size
    phi, dphi = {
        "tanh": (mp.tanh, lambda a: mp.sech(a) ** 2),
        "sigmoid": (sigma, lambda a: sigma(a) * sigma(-a)),
        "linear": (lambda a: a, lambda a: mp.mpf(1)),
    }[cell.activation.name]
    a = _reached(cell, h, x, slice(None))
    return [phi(each) for each in a], mp.diag([dphi(each) for each in a]) * matrix(cell.W_hh[0]) if n else mp.matrix(0)


def _lstm(cell: Cell, s: list, x: list) -> tuple[list, mp.matrix]:
    n = cell.hidden_size
    h, c = s[:n], s[n:]
    W = [matrix(cell.W_hh[0][j * n : (j + 1) * n]) for j in range(4)]
    a = [_reached(cell, h, x, slice(j * n, (j + 1) * n)) for j in range(4)]
    i, f, o = ([sigma(each) for each in a[j]] for j in (0, 1, 3))
    g = [mp.tanh(each) for each in a[2]]
    new = [f[j] * c[j] + i[j] * g[j] for j in range(n)]
    C = (
        mp.diag([c[j] * f[j] * (1 - f[j]) for j in range(n)]) * W[1]
        + mp.diag([g[j] * i[j] * (1 - i[j]) for j in range(n)]) * W[0]
        + mp.diag([i[j] * (1 - g[j] ** 2) for j in range(n)]) * W[2]
    )
    O = mp.diag([mp.tanh(new[j]) * o[j] * (1 - o[j]) for j in range(n)]) * W[3]
    E, F = mp.diag([o[j] * mp.sech(new[j]) ** 2 for j in range(n)]), mp.diag(f)
    return [o[j] * mp.tanh(new[j]) for j in range(n)] + new, _blocks([[O + E * C, E * F], [C, F]], n)


def _blocks(blocks: list[list[mp.matrix]], n: int) -> mp.matrix:
    J = mp.matrix(2 * n, 2 * n)
    for i in range(2 * n):
        for j in range(2 * n):
            J[i, j] = blocks[i // n][j // n][i % n, j % n]
    return J


def _gru(cell: Cell, h: list, x: list) -> tuple[list, mp.matrix]:
    n = cell.hidden_size
    R, Z, N = (matrix(cell.W_hh[0][j * n : (j + 1) * n]) for j in range(3))
    r, z = ([sigma(each) for each in _reached(cell, h, x, slice(j * n, (j + 1) * n))] for j in range(2))
    b_hn, entered = cell.b_hn[0].tolist(), _reached(cell, h, x, slice(2 * n, 3 * n), recurrent=False)
    if cell.reset == "after":
        inner = [value + bias for value, bias in zip(N * mp.matrix(h), b_hn, strict=True)]
        y = [mp.tanh(entered[j] + r[j] * inner[j]) for j in range(n)]
        K = mp.diag(r) * N + mp.diag([inner[j] * r[j] * (1 - r[j]) for j in range(n)]) * R
    else:
        mixed = N * mp.matrix([r[j] * h[j] for j in range(n)])
        y = [mp.tanh(entered[j] + mixed[j] + b_hn[j]) for j in range(n)]
        K = N * (mp.diag(r) + mp.diag([h[j] * r[j] * (1 - r[j]) for j in range(n)]) * R)
    J = (
        mp.diag(z)
        + mp.diag([(h[j] - y[j]) * z[j] * (1 - z[j]) for j in range(n)]) * Z
        + mp.diag([(1 - z[j]) * (1 - y[j] ** 2) for j in range(n)]) * K
    )
    return [(1 - z[j]) * y[j] + z[j] * h[j] for j in range(n)], J


def _mgu(cell: Cell, h: list, x: list) -> tuple[list, mp.matrix]:
    """Zhou et al. (2016), whose gate writes and resets h, and Flax's two other ways."""
    n = cell.hidden_size
    W_f, W_n = (matrix(cell.W_hh[0][j * n : (j + 1) * n]) for j in range(2))
    f = [sigma(each) for each in _reached(cell, h, x, slice(0, n))]
    df, b_hn = mp.diag([each * (1 - each) for each in f]) * W_f, cell.b_hn[0].tolist()
    entered = _reached(cell, h, x, slice(n, 2 * n), recurrent=False)
    if cell.reset == "before":
        inner = list(W_n * mp.matrix([f[j] * h[j] for j in range(n)]) + mp.matrix(b_hn))
        K = W_n * (mp.diag(f) + mp.diag(h) * df)
    else:
        inner = list(W_n * mp.matrix(h) + mp.matrix(b_hn))
        K = W_n
        if cell.reset == "after":
            K = mp.diag(f) * W_n + mp.diag(inner) * df
            inner = [f[j] * inner[j] for j in range(n)]
    y = [mp.tanh(entered[j] + inner[j]) for j in range(n)]
    k = f if cell.keep == "old" else [1 - each for each in f]
    sign = 1 if cell.keep == "old" else -1
    J = (
        mp.diag(k)
        + sign * mp.diag([h[j] - y[j] for j in range(n)]) * df
        + mp.diag([(1 - k[j]) * (1 - y[j] ** 2) for j in range(n)]) * K
    )
    return [k[j] * h[j] + (1 - k[j]) * y[j] for j in range(n)], J
