"""Activation functions, each with its derivative on the next line.

Derivatives take the pre-activation a, not the output: 1 - tanh(a)**2 is 0 from a = 19 on, where the truth is 1e-16.
Every phi also takes complex numbers, analytic beside the real axis, so that a complex step can judge dphi.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from vanishgrad.arrays import Array, namespace


@dataclass(frozen=True)
class Activation:
    """An elementwise function phi with its derivative dphi, both of the pre-activation.

    Attributes
    ----------
    name : str
        How it is written in a MODEL and in a report.
    phi, dphi : callable
        Array to array of the same shape.
    gamma : float
        sup |dphi| over the real line.
    is_symmetric : bool
        Whether φ(-a) = 1 - φ(a).
    decay : float
        -ln|φ| and -ln|φ'| grow by at most so much per unit of |a|, where they are not zero.
    tail : callable, optional
        1 - |φ(a)| where that is below 1/2, to the last digit.
    """

    name: str
    phi: Callable[[Array], Array]
    dphi: Callable[[Array], Array]
    gamma: float
    is_symmetric: bool = False
    decay: float = 0.0
    tail: Callable[[Array], Array] | None = None

    def complement(self, a: Array) -> Array:
        """Return 1 - φ(a), to the last digit of however small a number where φ(-a) says it."""
        return self.phi(-a) if self.is_symmetric else 1 - self.phi(a)

    def distance(self, y: Array, a: Array) -> Array:
        """Return y - φ(a); beside ±1, where φ(a) itself has rounded to it, from how far both are from there."""
        value, xp = self.phi(a), namespace(a)
        if self.tail is None:
            return y - value
        side = xp.astype(value > 0, a.dtype) * 2 - 1
        beside: Array = xp.where(xp.abs(value) > 1 / 2, (y - side) + side * self.tail(a), y - value)
        return beside

    def ends(self, a: Array) -> tuple[Array, Array]:
        """Return 1 + φ(a) and 1 - φ(a), where there is a tail to their last digit however small they are."""
        value, xp = self.phi(a), namespace(a)
        if self.tail is None:
            return 1 + value, 1 - value
        tail = self.tail(a)
        return xp.where(value < -1 / 2, tail, 1 + value), xp.where(value > 1 / 2, tail, 1 - value)

    def difference(self, a: Array, b: Array) -> Array:
        """Return φ(a) - φ(b), to the digits of both tails where they saturate on one side."""
        of_a, of_b, xp = self.phi(a), self.phi(b), namespace(a)
        if self.tail is None:
            return of_a - of_b
        side = xp.astype(of_a > 0, a.dtype) * 2 - 1
        both = (side * of_a > 1 / 2) & (side * of_b > 1 / 2)
        difference: Array = xp.where(both, side * (self.tail(b) - self.tail(a)), of_a - of_b)
        return difference


def _logistic(a: Array) -> Array:
    xp = namespace(a)
    if xp.isdtype(a.dtype, "complex floating"):  # inf/inf of a large negative one is NaN
        e = xp.exp(xp.where(xp.real(a) < 0, a, -a))
        return xp.where(xp.real(a) < 0, e, 1) / (1 + e)
    with np.errstate(over="ignore"):
        return 1 / (1 + xp.exp(-a))


def _logistic_tail(a: Array) -> Array:
    return _logistic(-a)


def _dlogistic(a: Array) -> Array:
    xp = namespace(a)
    e = xp.exp(-xp.abs(a))
    return e / (1 + e) ** 2


def _tanh(a: Array) -> Array:
    y: Array = namespace(a).tanh(a)
    return y


def _dtanh(a: Array) -> Array:
    return 4 * _dlogistic(2 * a)


def _tanh_tail(a: Array) -> Array:
    return 2 * _logistic(-2 * namespace(a).abs(a))


def _relu(a: Array) -> Array:
    return namespace(a).where(a.real > 0, a, 0 * a)


def _drelu(a: Array) -> Array:
    return namespace(a).astype(a > 0, a.dtype)


def _linear(a: Array) -> Array:
    return a


def _dlinear(a: Array) -> Array:
    return namespace(a).ones_like(a)


def _clipped_line(a: Array, slope: float) -> Array:
    xp = namespace(a)
    y = slope * a + 0.5
    return xp.where(y.real <= 0, 0 * y, xp.where(y.real >= 1, 0 * y + 1, y))


def _dclipped_line(a: Array, slope: float) -> Array:
    y = slope * a + 0.5
    return slope * namespace(a).astype((y > 0) & (y < 1), a.dtype)


def hard_sigmoid(slope: float, name: str = "hard_sigmoid") -> Activation:
    """Return clip(slope * a + 1/2, 0, 1): slope 1/6 in PyTorch and Keras 3, 1/5 in Keras 2 and ONNX."""
    return Activation(name, partial(_clipped_line, slope=slope), partial(_dclipped_line, slope=slope), slope, True)


TANH = Activation("tanh", _tanh, _dtanh, 1.0, decay=2.0, tail=_tanh_tail)
RELU = Activation("relu", _relu, _drelu, 1.0)
LINEAR = Activation("linear", _linear, _dlinear, 1.0)
SIGMOID = Activation("sigmoid", _logistic, _dlogistic, 0.25, is_symmetric=True, decay=1.0, tail=_logistic_tail)
HARD_SIGMOID = hard_sigmoid(1 / 6)

ACTIVATIONS = {each.name: each for each in (TANH, RELU, LINEAR, SIGMOID)}
