r"""Fixed points under a repeated input, and cycles under a repeated word: Newton's method in float64.

A fixed point solves an equation in h alone, in which slow gates divide out: h = φ(W h + a) (rnn), h = n̂(h) (GRU),
c = i g / (1 - f) and h = o tanh c (LSTM). It is solved by Levenberg and Marquardt's method. A cycle of a longer word is
sought by Newton's method on the state, from where the orbit is after some periods.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import ACTIVATIONS, Cell
from vanishgrad.certificates.subject import CertifiedCell
from vanishgrad.propagation.run import run

ITERATIONS = 25
"""Of Levenberg and Marquardt's method; where it converges at all it took 5 to 25 on trained networks."""
RESIDUAL = 1e-9
"""Entry of the equation's residual that counts as solved: it is refined with more digits."""
NEWTON_STEPS = 12
SETTLING_STEPS = 1000
"""Steps of the orbit before a search starts from it."""
LARGEST_STATE = 2.0**30
"""A cell state grows by less than 1 a step: none is beyond this within a billion steps."""


class Equation(NamedTuple):
    """At some h: the residual of h's equation (n,), its derivative (n, n), and the state that goes with h."""

    residual: Array
    derivative: Array
    state: Array


def fixed_point(target: CertifiedCell, x: Array, h: Array) -> Array | None:
    """Return a state s with s ≈ Φ(s, x), sought from a hidden state, or None if none was found."""
    at, damping = _equation(target, x), 1e-2
    here = at(h)
    for _ in range(ITERATIONS):
        if not np.isfinite(here.derivative).all() or np.abs(here.residual).max() < 1e-14:
            break
        A, F = here.derivative, here.residual
        trial = h - np.linalg.solve(A.T @ A + damping * np.eye(len(h)), A.T @ F)
        there = at(trial)
        if there.residual @ there.residual < F @ F:
            h, here, damping = trial, there, max(damping / 5, 1e-16)
        else:
            damping *= 4
    solved = np.abs(here.state).max() < LARGEST_STATE and np.abs(here.residual).max() < RESIDUAL
    return here.state if solved else None


def cycle(cell: Cell, word: Array) -> Array | None:
    """Return a state s with s ≈ Φ_p(… Φ_1(s)) along a word (p, d), or None if none was found."""
    s = settled(cell, word)
    for _ in range(NEWTON_STEPS):
        after, P = period(cell, word, s)
        step = np.linalg.solve(P - np.eye(len(s)), after - s)
        s = s - step
        if not np.isfinite(s).all():
            return None
        if np.abs(step).max() < 1e-12 * (1 + np.abs(s).max()):
            return s
    return None


def settled(cell: Cell, word: Array) -> Array:
    """Return the state from 0 after many periods of a word (p, d)."""
    xs = np.tile(word, (max(1, SETTLING_STEPS // len(word)), 1))
    state: Array = run(cell, xs[None], np.zeros((1, cell.state_size))).states[-1, 0]
    return state


def period(cell: Cell, word: Array, s: Array) -> tuple[Array, Array]:
    """Return the state after a word (p, d) from s, and the Jacobian of the period (m, m)."""
    trajectory = run(cell, word[None], s[None])
    steps, P = cell.linearise(trajectory, 0, len(word)), np.eye(len(s))[None]
    for t in range(1, len(word) + 1):
        before, P = P, np.empty_like(P)
        steps.tangent(t, before, P)
    return trajectory.states[-1, 0], P[0]


def _equation(target: CertifiedCell, x: Array) -> Callable[[Array], Equation]:
    a_x = target.tensors["W_hx"] @ x + target.tensors["b"]
    return target.of_cell(_rnn, _lstm, _gru)(target, a_x)


def _rnn(target: CertifiedCell, a_x: Array) -> Callable[[Array], Equation]:
    W, activation = target.tensors["W_hh"], ACTIVATIONS[target.activation]

    def at(h: Array) -> Equation:
        a = W @ h + a_x
        return Equation(activation.phi(a) - h, activation.dphi(a)[:, None] * W - np.eye(len(h)), h)

    return at


def _lstm(target: CertifiedCell, a_x: Array) -> Callable[[Array], Equation]:
    W = {gate: target.gate("W_hh", gate) for gate in "ifgo"}
    entered = dict(zip("ifgo", np.split(a_x, 4), strict=True))

    def at(h: Array) -> Equation:
        a = {gate: W[gate] @ h + entered[gate] for gate in "ifgo"}
        i, f, o, g, open_part = _sigma(a["i"]), _sigma(a["f"]), _sigma(a["o"]), np.tanh(a["g"]), _sigma(-a["f"])
        c = i * g / open_part
        y = np.tanh(c)
        slope = {"i": c * (1 - i), "f": c * f, "g": i * (1 - g * g) / open_part}
        into_c = sum(slope[gate][:, None] * W[gate] for gate in "ifg")
        derivative = (o * (1 - y * y))[:, None] * into_c + (y * o * (1 - o))[:, None] * W["o"]
        return Equation(o * y - h, derivative - np.eye(len(h)), np.concatenate([h, c]))

    return at


def _gru(target: CertifiedCell, a_x: Array) -> Callable[[Array], Equation]:
    W = {gate: target.gate("W_hh", gate) for gate in "rn"}
    entered, b_hn, after = (
        dict(zip("rzn", np.split(a_x, 3), strict=True)),
        target.tensors["b_hn"],
        target.reset == "after",
    )

    def at(h: Array) -> Equation:
        r = _sigma(W["r"] @ h + entered["r"])
        multiplied = W["n"] @ h + b_hn if after else h
        through = (multiplied * r * (1 - r))[:, None] * W["r"]
        inner = r * multiplied if after else W["n"] @ (r * h) + b_hn
        K = r[:, None] * W["n"] + through if after else W["n"] @ (np.diag(r) + through)
        n = np.tanh(entered["n"] + inner)
        return Equation(n - h, (1 - n * n)[:, None] * K - np.eye(len(h)), h)

    return at


def _sigma(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))
