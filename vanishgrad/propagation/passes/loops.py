"""Numba loops: the element-wise work of a step, compiled where Numba is installed (the extra ``fast``).

One pass over the memory takes the place of a dozen, and a polynomial, which the compiler vectorises, that of the
library's exponential: exp(x) = 2^k exp(r) with |r| ≤ ln 2 / 2. Errors are two units in the last place of 1. Arrays
are (S, rows, B) as in `fused`, whole and contiguous.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from vanishgrad.arrays import Array

Sigma: TypeAlias = Callable[[Any], Any]
Loop: TypeAlias = Callable[..., None]
"""A function of arrays that it writes into. Those below are made for σ and 2 in the arrays' type."""

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts (fdlibm): the product of the high one with a whole number below 2^20 is exact."""
LN2_HIGH_32, LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
"""The same in float32 (Cephes)."""
WHOLE, WHOLE_32 = 1.5 * 2.0**52, np.float32(1.5 * 2.0**23)
"""Added to a number they round it to a whole one, which then stands in the last bits."""
FURTHEST, FURTHEST_32 = 708.0, np.float32(87)
"""Beyond it exp leaves the normal numbers, and σ is 0 or 1 to the last digit."""
ONE_32, TWO_32 = np.float32(1), np.float32(2)


def logistic_64(a: Any) -> Any:
    """Return σ(a) of a float64."""
    x = min(max(-a, -FURTHEST), FURTHEST)
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
    return 1 / (1 + np.int64(bits).view(np.float64))


def logistic_32(a: Any) -> Any:
    """Return σ(a) of a float32; the polynomial is that of Cephes' expf."""
    x = min(max(-a, -FURTHEST_32), FURTHEST_32)
    shifted = x * np.float32(LOG2_E) + WHOLE_32
    k = shifted - WHOLE_32
    r = (x - k * LN2_HIGH_32) - k * LN2_LOW_32
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = np.float32(p * r * r + r + ONE_32)
    bits = p.view(np.int32) + (np.float32(shifted).view(np.int32) << np.int32(23))
    return ONE_32 / (ONE_32 + np.int32(bits).view(np.float32))


def rnn_forward(sigma: Sigma, two: Any) -> Loop:
    """Write h_t = tanh a_t into the gates and into z_t."""
    one = two / two

    def loop(gates: Any, z: Any) -> None:
        for s in range(gates.shape[0]):
            for j in range(gates.shape[1]):
                for b in range(gates.shape[2]):
                    h = two * sigma(two * gates[s, j, b]) - one
                    gates[s, j, b] = h
                    z[s, j, b] = h

    return loop


def rnn_backward(sigma: Sigma, two: Any) -> Loop:
    """Write δ_t = ∂L/∂h_t (1 - h_t²)."""
    one = two / two

    def loop(gates: Any, dh: Any, delta: Any) -> None:
        for s in range(gates.shape[0]):
            for j in range(gates.shape[1]):
                for b in range(gates.shape[2]):
                    delta[s, j, b] = dh[s, j, b] * (one - gates[s, j, b] * gates[s, j, b])

    return loop


def lstm_forward(sigma: Sigma, two: Any) -> Loop:
    """Turn the pre-activations of i, f, o, g into gates, and write c_t, tanh c_t and h_t."""
    one = two / two

    def loop(gates: Any, before: Any, c: Any, tanh_c: Any, z: Any) -> None:
        n = gates.shape[1] // 4
        for s in range(gates.shape[0]):
            for j in range(n):
                for b in range(gates.shape[2]):
                    i, f, o = sigma(gates[s, j, b]), sigma(gates[s, n + j, b]), sigma(gates[s, 2 * n + j, b])
                    g = two * sigma(two * gates[s, 3 * n + j, b]) - one
                    cell = f * before[s, j, b] + i * g
                    squashed = two * sigma(two * cell) - one
                    gates[s, j, b], gates[s, n + j, b], gates[s, 2 * n + j, b], gates[s, 3 * n + j, b] = i, f, o, g
                    c[s, j, b], tanh_c[s, j, b], z[s, j, b] = cell, squashed, o * squashed

    return loop


def lstm_backward(sigma: Sigma, two: Any) -> Loop:
    """Write δ_t, and turn what reaches c_t later on into what reaches c_{t-1}."""
    one = two / two

    def loop(gates: Any, before: Any, tanh_c: Any, dh: Any, dc: Any, delta: Any) -> None:
        n = gates.shape[1] // 4
        for s in range(gates.shape[0]):
            for j in range(n):
                for b in range(gates.shape[2]):
                    i, f, o, g = gates[s, j, b], gates[s, n + j, b], gates[s, 2 * n + j, b], gates[s, 3 * n + j, b]
                    tanh, up = tanh_c[s, j, b], dh[s, j, b]
                    w = dc[s, j, b] + up * o * (one - tanh * tanh)
                    delta[s, j, b] = w * g * i * (one - i)
                    delta[s, n + j, b] = w * before[s, j, b] * f * (one - f)
                    delta[s, 2 * n + j, b] = up * tanh * o * (one - o)
                    delta[s, 3 * n + j, b] = w * i * (one - g * g)
                    dc[s, j, b] = w * f

    return loop


def gru_forward(sigma: Sigma, two: Any) -> Loop:
    """Turn the rows of r, z, inner, outer into r, z, inner, n̂, and write h_t."""
    one = two / two

    def loop(gates: Any, before: Any, z: Any) -> None:
        n = gates.shape[1] // 4
        for s in range(gates.shape[0]):
            for j in range(n):
                for b in range(gates.shape[2]):
                    reset, update = sigma(gates[s, j, b]), sigma(gates[s, n + j, b])
                    a = gates[s, 3 * n + j, b] + reset * gates[s, 2 * n + j, b]
                    candidate = two * sigma(two * a) - one
                    gates[s, j, b], gates[s, n + j, b], gates[s, 3 * n + j, b] = reset, update, candidate
                    z[s, j, b] = candidate + update * (before[s, j, b] - candidate)

    return loop


def gru_backward(sigma: Sigma, two: Any) -> Loop:
    """Write δ_t of r, z, inner, outer, and z ∂L/∂h_t in the place of ∂L/∂h_t."""
    one = two / two

    def loop(gates: Any, before: Any, dh: Any, delta: Any) -> None:
        n = gates.shape[1] // 4
        for s in range(gates.shape[0]):
            for j in range(n):
                for b in range(gates.shape[2]):
                    reset, update, inner = gates[s, j, b], gates[s, n + j, b], gates[s, 2 * n + j, b]
                    candidate, up = gates[s, 3 * n + j, b], dh[s, j, b]
                    outer = up * (one - update) * (one - candidate * candidate)
                    delta[s, j, b] = outer * inner * reset * (one - reset)
                    delta[s, n + j, b] = up * (before[s, j, b] - candidate) * update * (one - update)
                    delta[s, 2 * n + j, b] = outer * reset
                    delta[s, 3 * n + j, b] = outer
                    dh[s, j, b] = up * update

    return loop


@dataclass(frozen=True)
class Loops:
    """Compiled loops for one type of number; each is compiled when it is first called.

    Attributes
    ----------
    sigma, two :
        σ, compiled, and 2 in this type.
    jit : callable
        Numba's compiler.
    """

    sigma: Sigma
    two: Any
    jit: Callable[[Loop], Loop]
    _compiled: dict[Callable[[Sigma, Any], Loop], Loop] = field(default_factory=dict)

    def run(self, loop: Callable[[Sigma, Any], Loop], *arrays: Array) -> None:
        """Run one of the loops above."""
        if loop not in self._compiled:
            self._compiled[loop] = self.jit(loop(self.sigma, self.two))
        self._compiled[loop](*arrays)


@cache
def loops(dtype: np.dtype[Any]) -> Loops | None:
    """Return the compiled loops for a type of number; None without Numba, or for another type than the two."""
    if dtype.name not in ("float32", "float64") or importlib.util.find_spec("numba") is None:
        return None
    njit = importlib.import_module("numba").njit(fastmath={"contract", "nsz"}, error_model="numpy")
    return Loops(njit(logistic_32 if dtype.name == "float32" else logistic_64), dtype.type(2), njit)
