"""One step of a cell in decimals of any precision, with its error bound, and the step's cotangent w ↦ w J_t."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.decimals import (
    Approximate,
    DecimalWeights,
    TooCoarse,
    concatenate,
    exactly,
    hyperbolic,
    logistic,
)
from vanishgrad.certificates.subject import CertifiedCell

Pull = Callable[[Approximate], Approximate]
"""w ↦ w J_t."""
Step = Callable[[Approximate, Approximate], tuple[Approximate, Pull]]
"""(s_{t-1}, x_t) ↦ s_t and its pull."""


def decimal_step(target: CertifiedCell) -> Step:
    """Return the step of a cell, in the decimal context that is in force when it is called."""
    return target.of_cell(_rnn, _lstm, _gru)(target)


def known(array: Array) -> Approximate:
    """Return float64 numbers, exactly."""
    return Approximate(exactly(array), Decimal(0))


def _tanh(a: Approximate) -> tuple[Approximate, Approximate]:
    y = a.through(hyperbolic, Decimal(1))
    return y, 1 - y * y


def _sigma(a: Approximate) -> tuple[Approximate, Approximate]:
    y = a.through(logistic, Decimal("0.25"))
    return y, y * (1 - y)


def _linear(a: Approximate) -> tuple[Approximate, Approximate]:
    return a, known(np.ones(len(a.values)))


def _relu(a: Approximate) -> tuple[Approximate, Approximate]:
    if any(abs(each) <= a.error for each in a.values):
        raise TooCoarse
    on = np.array([Decimal(int(each > 0)) for each in a.values], dtype=object)
    return Approximate(a.values * on, a.error), Approximate(on, Decimal(0))


ACTIVATIONS = {"tanh": _tanh, "sigmoid": _sigma, "linear": _linear, "relu": _relu}


def _rnn(target: CertifiedCell) -> Step:
    W, W_T, V = (
        DecimalWeights(each) for each in (target.tensors["W_hh"], target.tensors["W_hh"].T, target.tensors["W_hx"])
    )
    b, phi = known(target.tensors["b"]), ACTIVATIONS[target.activation]

    def step(h: Approximate, x: Approximate) -> tuple[Approximate, Pull]:
        y, slope = phi(W @ h + V @ x + b)
        return y, lambda w: W_T @ (w * slope)

    return step


def _lstm(target: CertifiedCell) -> Step:
    n = target.hidden_size
    W, W_T, V = (
        DecimalWeights(each) for each in (target.tensors["W_hh"], target.tensors["W_hh"].T, target.tensors["W_hx"])
    )
    b = known(target.tensors["b"])

    def step(s: Approximate, x: Approximate) -> tuple[Approximate, Pull]:
        c, a = s[n:], W @ s[:n] + V @ x + b
        i, i_slope = _sigma(a[:n])
        f, f_slope = _sigma(a[n : 2 * n])
        g, g_slope = _tanh(a[2 * n : 3 * n])
        o, o_slope = _sigma(a[3 * n :])
        new_c = f * c + i * g
        y, y_slope = _tanh(new_c)

        def pull(w: Approximate) -> Approximate:
            to_c = w[n:] + w[:n] * o * y_slope
            gates = concatenate(to_c * g * i_slope, to_c * c * f_slope, to_c * i * g_slope, w[:n] * y * o_slope)
            return concatenate(W_T @ gates, to_c * f)

        return concatenate(o * y, new_c), pull

    return step


def _gru(target: CertifiedCell) -> Step:
    recurrent = {g: DecimalWeights(target.gate("W_hh", g)) for g in "rzn"}
    back = {g: DecimalWeights(target.gate("W_hh", g).T) for g in "rzn"}
    entry = {g: DecimalWeights(target.gate("W_hx", g)) for g in "rzn"}
    b, b_hn = {g: known(target.gate("b", g)) for g in "rzn"}, known(target.tensors["b_hn"])
    after = target.reset == "after"

    def step(h: Approximate, x: Approximate) -> tuple[Approximate, Pull]:
        r, r_slope = _sigma(recurrent["r"] @ h + entry["r"] @ x + b["r"])
        z, z_slope = _sigma(recurrent["z"] @ h + entry["z"] @ x + b["z"])
        gated = recurrent["n"] @ h + b_hn if after else h
        inner = r * gated if after else recurrent["n"] @ (r * h) + b_hn
        y, y_slope = _tanh(entry["n"] @ x + b["n"] + inner)

        def pull(w: Approximate) -> Approximate:
            to_n = w * (1 - z) * y_slope
            to_z = w * (h + (0 - y)) * z_slope
            to_inner = to_n if after else back["n"] @ to_n
            direct = back["n"] @ (to_n * r) if after else to_inner * r
            return w * z + back["z"] @ to_z + back["r"] @ (to_inner * gated * r_slope) + direct

        return (1 - z) * y + z * h, pull

    return step
