"""Passes that Numba compiles, where it is installed (the extra ``fast``): seed after seed, steps within a core's cache.

One pass over the memory takes the place of a dozen, and tanh is a formula that the compiler vectorises: of float64 by
exp(x) = 2^k exp(r) with |r| ≤ ln 2 / 2, of float32 a ratio of polynomials. Arrays are those of `fused` for one set of
weights; blocks of gates, c and their like are (B·n,), since a long loop over few arrays is what compilers do best. Of a
row of δ several passes are made, for the same reason.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import numpy as np

Tanh: TypeAlias = Callable[[Any], Any]
Loop: TypeAlias = Callable[..., None]
StepLoop: TypeAlias = Callable[[Tanh, Any], Loop]
"""A function of arrays that it writes into. Those of a step are made for tanh and ½ in the arrays' type."""

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts (fdlibm): the product of the high one with a whole number below 2^20 is exact."""
WHOLE = 1.5 * 2.0**52
"""Added to a number it rounds it to a whole one, which then stands in the last bits."""
SATURATED, SATURATED_32 = 20.0, np.float32(9)
"""Beyond it tanh is ±1 to the last digit."""
P_0, P_1, P_2, P_3, P_4 = (
    np.float32(each) for each in (0.999999979, 0.13380413, 0.00349485895, 2.05970092e-05, 1.33377573e-08)
)
ONE_32, Q_1, Q_2, Q_3, Q_4 = (
    np.float32(each) for each in (1, 0.467137285, 0.0258742123, 0.000328443933, 7.76967891e-07)
)
"""tanh x ≈ x P(x²) / Q(x²) within 2.1e-8, relative, for |x| ≤ 9: least squares weighted until the errors were level."""


def tanh_64(a: Any) -> Any:
    """Return tanh of a float64, (1 - e) / (1 + e) with e = exp(-2 a), to two units in the last place of 1."""
    x = -2 * min(max(a, -SATURATED), SATURATED)
    shifted = x * LOG2_E + WHOLE
    k = shifted - WHOLE
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = 1 / 6227020800
    p = p * r + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 0.5
    p = np.float64(p * r * r + r + 1)
    bits = p.view(np.int64) + (np.float64(shifted).view(np.int64) << np.int64(52))
    return 2 / (1 + np.int64(bits).view(np.float64)) - 1


def tanh_32(a: Any) -> Any:
    """Return tanh of a float32, to three units in the last place of 1."""
    x = min(max(a, -SATURATED_32), SATURATED_32)
    u = x * x
    ratio = x * ((((P_4 * u + P_3) * u + P_2) * u + P_1) * u + P_0)
    ratio /= (((Q_4 * u + Q_3) * u + Q_2) * u + Q_1) * u + ONE_32
    return min(max(ratio, -ONE_32), ONE_32)


def rnn_forward(tanh: Tanh, half: Any) -> Loop:
    """Write h_t = tanh a_t into the gates and into z_t."""

    def loop(gates: Any, before: Any, c_before: Any, c: Any, tanh_c: Any, z: Any) -> None:
        h = gates[0]
        for j in range(h.size):
            h[j] = tanh(h[j])
        n = h.size // len(z)
        for row in range(len(z)):
            for j in range(n):
                z[row, j] = h[row * n + j]

    return loop


def rnn_backward(tanh: Tanh, half: Any) -> Loop:
    """Write δ_t = ∂L/∂h_t (1 - h_t²)."""
    one = half + half

    def loop(gates: Any, before: Any, c_before: Any, tanh_c: Any, dh: Any, dc: Any, delta: Any) -> None:
        h, of_a = gates[0], delta.reshape(-1)
        for k in range(h.size):
            of_a[k] = dh[k] * (one - h[k] * h[k])

    return loop


def lstm_forward(tanh: Tanh, half: Any) -> Loop:
    """Turn the scaled pre-activations of i, f, o, g into gates, and write c_t, tanh c_t and h_t."""

    def loop(gates: Any, before: Any, c_before: Any, c: Any, tanh_c: Any, z: Any) -> None:
        a_i, a_f, a_o, a_g = gates[0], gates[1], gates[2], gates[3]
        for j in range(c.size):
            i, f, o, g = (
                half + half * tanh(a_i[j]),
                half + half * tanh(a_f[j]),
                half + half * tanh(a_o[j]),
                tanh(a_g[j]),
            )
            cell = f * c_before[j] + i * g
            a_i[j], a_f[j], a_o[j], a_g[j], c[j], tanh_c[j] = i, f, o, g, cell, tanh(cell)
        n = c.size // len(z)
        for row in range(len(z)):
            for j in range(n):
                z[row, j] = a_o[row * n + j] * tanh_c[row * n + j]

    return loop


def lstm_backward(tanh: Tanh, half: Any) -> Loop:
    """Write δ_t, and turn what reaches c_t later on into what reaches c_{t-1}."""
    one = half + half

    def loop(gates: Any, before: Any, c_before: Any, tanh_c: Any, dh: Any, dc: Any, delta: Any) -> None:
        n = delta.shape[1] // 4
        for row in range(len(delta)):
            for j in range(n):
                k = row * n + j
                o, squashed, up = gates[2, k], tanh_c[k], dh[k]
                dc[k] += up * o * (one - squashed * squashed)
                delta[row, 2 * n + j] = up * squashed * o * (one - o)
            for j in range(n):
                k = row * n + j
                i, g = gates[0, k], gates[3, k]
                w = dc[k] * i
                delta[row, j] = w * g * (one - i)
                delta[row, 3 * n + j] = w * (one - g * g)
            for j in range(n):
                k = row * n + j
                f = gates[1, k]
                w = dc[k] * f
                delta[row, n + j] = w * c_before[k] * (one - f)
                dc[k] = w

    return loop


def gru_forward(tanh: Tanh, half: Any) -> Loop:
    """Turn the scaled rows of r, z, inner, outer into r, z, inner, n̂, and write h_t."""

    def loop(gates: Any, before: Any, c_before: Any, c: Any, tanh_c: Any, z: Any) -> None:
        a_r, a_z, inner, outer = gates[0], gates[1], gates[2], gates[3]
        for j in range(outer.size):
            r = half + half * tanh(a_r[j])
            a_r[j], a_z[j], outer[j] = r, half + half * tanh(a_z[j]), tanh(outer[j] + r * inner[j])
        n = outer.size // len(z)
        for row in range(len(z)):
            for j in range(n):
                candidate = outer[row * n + j]
                z[row, j] = candidate + a_z[row * n + j] * (before[row, j] - candidate)

    return loop


def gru_backward(tanh: Tanh, half: Any) -> Loop:
    """Write δ_t of r, z, inner, outer, and z ∂L/∂h_t in the place of ∂L/∂h_t."""
    one = half + half

    def loop(gates: Any, before: Any, c_before: Any, tanh_c: Any, dh: Any, dc: Any, delta: Any) -> None:
        n = delta.shape[1] // 4
        for row in range(len(delta)):
            for j in range(n):
                k = row * n + j
                z, candidate, up = gates[1, k], gates[3, k], dh[k]
                kept = up * z
                delta[row, n + j] = kept * (before[row, j] - candidate) * (one - z)
                delta[row, 3 * n + j] = (up - kept) * (one - candidate * candidate)
                dh[k] = kept
            for j in range(n):
                k = row * n + j
                r, outer = gates[0, k], delta[row, 3 * n + j]
                delta[row, j] = outer * gates[2, k] * r * (one - r)
                delta[row, 2 * n + j] = outer * r

    return loop


def forward_pass(step: Loop) -> Loop:
    """Return the forward pass whose element-wise work `step` does; arrays that a cell does not have are of length 1."""

    def run(weights: Any, z: Any, gates: Any, c: Any, tanh_c: Any) -> None:
        blocks, last = gates.shape[2], len(c) - 1
        for s in range(z.shape[1]):
            for t in range(len(gates)):
                for block in range(blocks):
                    np.dot(z[t, s], weights[s, block], gates[t, s, block])
                step(
                    gates[t, s].reshape(blocks, -1), z[t, s], c[min(t, last), s].reshape(-1),
                    c[min(t + 1, last), s].reshape(-1), tanh_c[min(t, last), s].reshape(-1), z[t + 1, s],
                )  # fmt: skip

    return run


def backward_pass(step: Loop, carries_h: bool) -> Loop:
    """Return the backward pass; `carries_h` says that a step leaves in ∂L/∂h_t what reaches h_{t-1} past the gates."""

    def run(
        W_hh: Any, z: Any, gates: Any, c: Any, tanh_c: Any, cotangents: Any, truncation: int,
        dh: Any, dc: Any, delta: Any, sums: Any,
    ) -> None:  # fmt: skip
        steps, outputs, blocks, last = len(gates), len(cotangents), gates.shape[2], len(c) - 1
        term, product = np.empty_like(sums[0]), np.empty_like(dh[0])
        for s in range(z.shape[1]):
            dh[s], dc[s] = 0, 0
            for t in range(steps - 1, -1, -1):
                age = steps - t
                if age <= outputs:
                    dh[s] += cotangents[outputs - age, s]
                step(
                    gates[t, s].reshape(blocks, -1), z[t, s], c[min(t, last), s].reshape(-1),
                    tanh_c[min(t, last), s].reshape(-1), dh[s].reshape(-1), dc[s].reshape(-1), delta[s],
                )  # fmt: skip
                np.dot(z[t, s].T, delta[s], term)
                sums[s] += term
                if truncation and age % truncation == 0:
                    if age >= outputs:
                        break
                    dh[s], dc[s] = 0, 0
                elif carries_h:
                    np.dot(delta[s], W_hh[s], product)
                    dh[s] += product
                else:
                    np.dot(delta[s], W_hh[s], dh[s])

    return run


@dataclass(frozen=True)
class Compiler:
    """Compiles the passes for one type of number, each when it is first asked for.

    Attributes
    ----------
    tanh, half :
        tanh, compiled, and ½ in this type.
    jit : callable
        Numba's compiler.
    """

    tanh: Tanh
    half: Any
    jit: Callable[[Any], Any]
    _compiled: dict[StepLoop, Loop] = field(default_factory=dict)

    def forward(self, step: StepLoop) -> Loop:
        """Return the forward pass of a cell."""
        if step not in self._compiled:
            self._compiled[step] = self.jit(forward_pass(self.jit(step(self.tanh, self.half))))
        return self._compiled[step]

    def backward(self, step: StepLoop, carries_h: bool) -> Loop:
        """Return the backward pass of a cell."""
        if step not in self._compiled:
            self._compiled[step] = self.jit(backward_pass(self.jit(step(self.tanh, self.half)), carries_h))
        return self._compiled[step]


@cache
def compiler(dtype: np.dtype[Any]) -> Compiler | None:
    """Return the compiler for a type of number; None without Numba, or for another type than the two."""
    if dtype.name not in ("float32", "float64") or importlib.util.find_spec("numba") is None:
        return None
    njit = importlib.import_module("numba").njit(fastmath={"contract", "nsz"}, error_model="numpy")
    return Compiler(njit(tanh_32 if dtype.name == "float32" else tanh_64), dtype.type(0.5), njit)
