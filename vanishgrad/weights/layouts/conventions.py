"""What frameworks do to weights at run time, or store the other way round, put right before a layer is built."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.tensors import Tensor, derived, shown


def turned(tensor: Tensor) -> Tensor:
    """Return the transpose of a matrix."""
    return derived(tensor.name, tensor.shape[::-1], lambda: tensor.read().T, (tensor,))


def repeated(tensor: Tensor, copy: Tensor) -> Tensor:
    """Return a tensor that a file holds twice; reading it refuses a copy that differs."""

    def read() -> Array:
        values = tensor.read()
        if not np.array_equal(values, copy.read(), equal_nan=True):
            raise VanishgradError(
                f"expected {shown(copy.name)} to be {shown(tensor.name)} again, got other numbers; "
                "try saving the model again"
            )
        return values

    return derived(tensor.name, tensor.shape, read, (tensor,))


def negated(tensor: Tensor) -> Tensor:
    """Return weights or a bias with the other sign: 1 - σ(a) = σ(-a)."""
    return derived(tensor.name, tensor.shape, lambda: -tensor.read(), (tensor,))


def joined(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors one after the other along the first axis."""
    shape = (sum(each.shape[0] for each in tensors), *tensors[0].shape[1:])
    return derived(tensors[0].name, shape, lambda: np.concatenate([each.read() for each in tensors]), tensors)


def plus_one(bias: Tensor, gate: int, gates: int) -> Tensor:
    """Return a bias with 1 added to one gate: what the framework does at run time and its file does not hold."""

    def read() -> Array:
        values = bias.read().astype(np.float64)
        n = len(values) // gates
        values[gate * n : (gate + 1) * n] += 1
        return values

    return derived(bias.name, bias.shape, read, (bias,))


def keeping(tensor: Tensor, gate: int, gates: int) -> Tensor:
    """Return weights or a bias with one gate negated along the last axis.

    A gate u that writes, h' = (1 - u) h + u n, is the project's z = 1 - u, and 1 - σ(a) = σ(-a).
    """

    def read() -> Array:
        values = np.array(tensor.read())
        n = values.shape[-1] // gates
        values[..., gate * n : (gate + 1) * n] *= -1
        return values

    return derived(tensor.name, tensor.shape, read, (tensor,))


def inside_reset(bias: Tensor) -> Tensor:
    """Return the bias of a GRU's candidate inside the reset product as a recurrent bias, zero for the gates."""
    n = bias.shape[0] if bias.shape else 0

    def read() -> Array:
        values = bias.read()
        return np.concatenate([np.zeros(2 * n, values.dtype), values])

    return derived(bias.name, (3 * n,), read, (bias,))


def gates_apart(tensor: Tensor, gates: int, axis: int = 0) -> Tensor:
    """Return interleaved gates, unit k of gate j at place g·k + j along an axis, as one block for each gate."""

    def read() -> Array:
        values = np.moveaxis(tensor.read(), axis, 0)
        apart = values.reshape(-1, gates, *values.shape[1:]).swapaxes(0, 1).reshape(values.shape)
        return np.moveaxis(apart, 0, axis)

    return derived(tensor.name, tensor.shape, read, (tensor,))
