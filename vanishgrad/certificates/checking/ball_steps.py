"""One step of a cell in ball arithmetic, and its cotangents for every state of the ball: w ↦ w J_t, w ↦ w ∂s_t/∂x_t."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.ball_arithmetic import Ball, Matrix, ball, joined, rectified, sigma, tanh
from vanishgrad.certificates.subject import CertifiedCell


@dataclass(frozen=True, eq=False)
class Pull:
    """w ↦ w J_t, called; and w ↦ w ∂s_t/∂x_t."""

    state: Callable[[Ball], Ball]
    entry: Callable[[Ball], Ball]

    def __call__(self, w: Ball) -> Ball:
        """Return w J_t."""
        return self.state(w)


Step = Callable[[Ball, Ball], tuple[Ball, Pull]]
"""(s_{t-1}, x_t) ↦ s_t and its pull."""


def ball_step(subject: CertifiedCell, p: int, tight: bool = True) -> Step:
    """Return the step of a cell in units of 2⁻ᵖ; norms that are not tight are there at once, and serve small balls."""
    return subject.of_cell(_rnn, _lstm, _gru)(subject, p, tight)


def _rnn(subject: CertifiedCell, p: int, tight: bool) -> Step:
    W, W_T, V = (
        Matrix(subject.tensors["W_hh"], tight),
        Matrix(subject.tensors["W_hh"].T, tight),
        Matrix(subject.tensors["W_hx"], tight),
    )
    b, phi, V_T = ball(subject.tensors["b"], p), ACTIVATIONS[subject.activation], _entry(subject.tensors["W_hx"], tight)

    def step(h: Ball, x: Ball) -> tuple[Ball, Pull]:
        y, slope = phi(W @ h + V @ x + b)
        return y, Pull(lambda w: W_T @ (w * slope), lambda w: V_T() @ (w * slope))

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


def _lstm(subject: CertifiedCell, p: int, tight: bool) -> Step:
    n = subject.hidden_size
    W, W_T, V = (
        Matrix(subject.tensors["W_hh"], tight),
        Matrix(subject.tensors["W_hh"].T, tight),
        Matrix(subject.tensors["W_hx"], tight),
    )
    b, V_T = ball(subject.tensors["b"], p), _entry(subject.tensors["W_hx"], tight)

    def step(s: Ball, x: Ball) -> tuple[Ball, Pull]:
        h, c = s.part(0, n), s.part(n, 2 * n)
        a = W @ h + V @ x + b
        (i, di), (f, df), (g, dg), (o, do) = (
            phi(a.part(j * n, (j + 1) * n)) for j, phi in enumerate((_sigma, _sigma, _tanh, _sigma))
        )
        new_c = f * c + i * g
        y, dy = _tanh(new_c)

        def gates(w: Ball) -> tuple[Ball, Ball]:
            w_h = w.part(0, n)
            w_c = w.part(n, 2 * n) + w_h * o * dy
            return joined(w_c * g * di, w_c * c * df, w_c * i * dg, w_h * y * do), w_c

        def pull(w: Ball) -> Ball:
            to_gates, w_c = gates(w)
            return joined(W_T @ to_gates, w_c * f)

        return joined(o * y, new_c), Pull(pull, lambda w: V_T() @ gates(w)[0])

    return step


def _gru(subject: CertifiedCell, p: int, tight: bool) -> Step:
    after = subject.reset == "after"
    parts = {g: (subject.gate("W_hh", g), subject.gate("W_hx", g), ball(subject.gate("b", g), p)) for g in "rzn"}
    W = {g: Matrix(each[0], tight) for g, each in parts.items()}
    W_T = {g: Matrix(each[0].T, tight) for g, each in parts.items()}
    V, b = {g: Matrix(each[1], tight) for g, each in parts.items()}, {g: each[2] for g, each in parts.items()}
    b_n, V_T = ball(subject.tensors["b_hn"], p), {g: _entry(each[1], tight) for g, each in parts.items()}

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

        def entry(w: Ball) -> Ball:
            a_n = w * (1 - z) * dy
            through = a_n if after else W_T["n"] @ a_n
            to_z, to_r = V_T["z"]() @ (w * (h + (0 - y)) * dz), V_T["r"]() @ (through * inner * dr)
            return to_z + to_r + V_T["n"]() @ a_n

        return (1 - z) * y + z * h, Pull(pull, entry)

    return step


def _entry(weights: Array, tight: bool) -> Callable[[], Matrix]:
    """Return a maker of W_hxᵀ, which few need."""
    return cache(lambda: Matrix(weights.T, tight))
