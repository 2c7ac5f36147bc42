r"""uᵀ J_{T:k} v along one input sequence, enclosed in fixed point of as many digits as it takes.

The state is run from s_0 = 0 with its radius; then the row w = uᵀ is carried back, w ← w J_t, and ends as uᵀ J_{T:k}.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.ball_arithmetic import Ball, Coarse, Matrix, ball, joined, rectified, sigma, tanh
from vanishgrad.certificates.subject import CertifiedCell

Pull = Callable[[Ball], Ball]
"""w ↦ w J_t."""
FIRST_BITS, MOST_BITS = 160, 1 << 15
ACCURATE = Fraction(1, 10**10)
MIN_CLAIM = Fraction(1, 1 << 1080)
"""Less than any number that a certificate can claim."""


def bilinear(subject: CertifiedCell, xs: Array, start: int, u: Array, v: Array) -> tuple[Fraction, Fraction]:
    """Return a number and how far uᵀ J_{T:k} v may be from it: 1e-10 of it, unless 2¹⁵ bits do not suffice.

    xs (T, d); k = start; u, v (m,).
    """
    bits, value, error = FIRST_BITS, Fraction(0), Fraction(1)
    while error > max(ACCURATE * abs(value), MIN_CLAIM) and bits <= MOST_BITS:
        with contextlib.suppress(Coarse):
            value, error = _enclosed(subject, xs, start, u, v, bits)
        bits *= 2
    return value, error


def _enclosed(subject: CertifiedCell, xs: Array, start: int, u: Array, v: Array, p: int) -> tuple[Fraction, Fraction]:
    step = subject.of_cell(_rnn, _lstm, _gru)(subject, p)
    s, pulls = ball(np.zeros(subject.state_size), p), []
    for x in xs:
        s, pull = step(s, ball(x, p))
        pulls.append(pull)
    w = ball(u, p)
    for pull in reversed(pulls[start:]):
        w = pull(w)
    exact = [Fraction(float(each)) for each in v]
    value = sum((Fraction(int(a), 1 << p) * b for a, b in zip(w.middle, exact, strict=True)), Fraction(0))
    return value, Fraction(w.radius, 1 << p) * sum(map(abs, exact))


Step = Callable[[Ball, Ball], tuple[Ball, Pull]]


def _rnn(subject: CertifiedCell, p: int) -> Step:
    W, W_T, V = Matrix(subject.tensors["W_hh"]), Matrix(subject.tensors["W_hh"].T), Matrix(subject.tensors["W_hx"])
    b, phi = ball(subject.tensors["b"], p), ACTIVATIONS[subject.activation]

    def step(h: Ball, x: Ball) -> tuple[Ball, Pull]:
        y, slope = phi(W @ h + V @ x + b)
        return y, lambda w: W_T @ (w * slope)

    return step


def _sigma(a: Ball) -> tuple[Ball, Ball]:
    y = a.mapped(sigma, Fraction(1, 4))
    return y, y * (1 - y)


def _tanh(a: Ball) -> tuple[Ball, Ball]:
    y = a.mapped(tanh, Fraction(1))
    return y, 1 - y * y


def _linear(a: Ball) -> tuple[Ball, Ball]:
    return a, ball(np.ones(len(a.middle)), a.p)


ACTIVATIONS = {"tanh": _tanh, "sigmoid": _sigma, "linear": _linear, "relu": rectified}
"""Name → (value, derivative)."""


def _lstm(subject: CertifiedCell, p: int) -> Step:
    n = subject.hidden_size
    W, W_T, V = Matrix(subject.tensors["W_hh"]), Matrix(subject.tensors["W_hh"].T), Matrix(subject.tensors["W_hx"])
    b = ball(subject.tensors["b"], p)

    def step(s: Ball, x: Ball) -> tuple[Ball, Pull]:
        h, c = s.part(0, n), s.part(n, 2 * n)
        a = W @ h + V @ x + b
        (i, di), (f, df), (g, dg), (o, do) = (
            phi(a.part(j * n, (j + 1) * n)) for j, phi in enumerate((_sigma, _sigma, _tanh, _sigma))
        )
        new_c = f * c + i * g
        y, dy = _tanh(new_c)

        def pull(w: Ball) -> Ball:
            w_h = w.part(0, n)
            w_c = w.part(n, 2 * n) + w_h * o * dy
            return joined(W_T @ joined(w_c * g * di, w_c * c * df, w_c * i * dg, w_h * y * do), w_c * f)

        return joined(o * y, new_c), pull

    return step


def _gru(subject: CertifiedCell, p: int) -> Step:
    after = subject.reset == "after"
    parts = {g: (subject.gate("W_hh", g), subject.gate("W_hx", g), ball(subject.gate("b", g), p)) for g in "rzn"}
    W = {g: Matrix(each[0]) for g, each in parts.items()}
    W_T = {g: Matrix(each[0].T) for g, each in parts.items()}
    V, b = {g: Matrix(each[1]) for g, each in parts.items()}, {g: each[2] for g, each in parts.items()}
    b_n = ball(subject.tensors["b_hn"], p)

    def step(h: Ball, x: Ball) -> tuple[Ball, Pull]:
        (r, dr), (z, dz) = (_sigma(W[g] @ h + V[g] @ x + b[g]) for g in "rz")
        inner = W["n"] @ h + b_n if after else h
        reset = r * inner if after else W["n"] @ (r * h) + b_n
        y, dy = _tanh(V["n"] @ x + b["n"] + reset)

        def pull(w: Ball) -> Ball:
            a_n = w * (1 - z) * dy
            a_z = w * (h + (0 - y)) * dz
            through = a_n if after else W_T["n"] @ a_n
            plain = W_T["n"] @ (a_n * r) if after else through * r
            return w * z + W_T["z"] @ a_z + W_T["r"] @ (through * inner * dr) + plain

        return (1 - z) * y + z * h, pull

    return step
