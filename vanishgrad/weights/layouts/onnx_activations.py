"""The activation functions of an ONNX recurrent node, with their parameters and the node's clipping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells.activations import LINEAR, RELU, SIGMOID, TANH, Activation, hard_sigmoid
from vanishgrad.weights.hints import Stated, Unreadable
from vanishgrad.weights.tensors import shown

NAMED = {"tanh": TANH, "sigmoid": SIGMOID, "relu": RELU, "hardsigmoid": hard_sigmoid(0.2), "affine": LINEAR}
USUAL = {"rnn": ("Tanh",), "gru": ("Sigmoid", "Tanh"), "lstm": ("Sigmoid", "Tanh", "Tanh")}
ALPHA = {"hardsigmoid": 0.2, "affine": 1.0}
BETA = {"hardsigmoid": 0.5, "affine": 0.0}
PARAMETERS = {
    "alpha": ("hardsigmoid", "affine", "leakyrelu", "thresholdedrelu", "elu", "scaledtanh"),
    "beta": ("hardsigmoid", "affine", "scaledtanh"),
}
"""Functions that take a parameter; the lists of a node hold one for each of them, in order."""


def stated(cell: str, attributes: Mapping[str, Any], direction: int, layout: str) -> Stated:
    """Return what a node says of one direction: its activations, and whether the reset gate comes after the product.

    Raises
    ------
    Unreadable
        For what `activations` does not know.
    """
    phis = activations(cell, attributes, direction)
    is_plain = cell == "rnn"
    reset = "after" if attributes.get("linear_before_reset") else "before"
    read_out = phis[2] if cell == "lstm" and phis[2].name != phis[1].name else None
    phi, gate = (phis[0], None) if is_plain else (phis[1], phis[0])
    return Stated(phi, gate, reset, layout=layout, cell_activation=read_out)


def activations(cell: str, attributes: Mapping[str, Any], direction: int) -> list[Activation]:
    """Return the functions of one direction: (φ), (gate, candidate) or (gate, candidate, output), clipped if so told.

    What reads the cell state is not clipped: onnxruntime and OpenVINO both let it take all of c.

    Raises
    ------
    Unreadable
        If one of them is not known, or has parameters that its derivative here does not cover.
    """
    usual = USUAL[cell]
    names = [str(each) for each in attributes.get("activations", [])] or [*usual, *usual]
    alphas, betas = (_parameters(names, attributes.get(f"activation_{each}", []), each) for each in ("alpha", "beta"))
    mine = range(direction * len(usual), (direction + 1) * len(usual))
    if len(names) < mine.stop:
        raise Unreadable(f"expected {mine.stop} activations, got {len(names)}; try exporting the model again")
    clip = attributes.get("clip")
    functions = [_activation(names[place], alphas[place], betas[place]) for place in mine]
    return [clipped(each, float(clip)) for each in functions[:2]] + functions[2:] if clip else functions


def _parameters(names: Sequence[str], values: Sequence[float], attribute: str) -> list[float | None]:
    waiting = list(values)
    takes = PARAMETERS[attribute]
    return [waiting.pop(0) if name.lower() in takes and waiting else None for name in names]


def _activation(name: str, alpha: float | None, beta: float | None) -> Activation:
    key = name.lower()
    if key not in NAMED:
        raise Unreadable(
            f"expected an activation among {', '.join(NAMED)}, got {shown(name)}; try a model with one of them"
        )
    slope, shift = (usual.get(key) if given is None else given for given, usual in ((alpha, ALPHA), (beta, BETA)))
    if key == "hardsigmoid" and slope is not None and shift == 0.5:
        return hard_sigmoid(slope, "hard_sigmoid" if abs(slope - 1 / 6) < 1e-7 else f"hard_sigmoid_{slope:.3g}")
    if (slope, shift) != (ALPHA.get(key), BETA.get(key)):
        raise Unreadable(
            f"expected {name} with its usual parameters, got {slope} and {shift}; try a model without them"
        )
    return NAMED[key]


def clipped(activation: Activation, bound: float) -> Activation:
    """Return φ(clip(a, -bound, bound)): ONNX applies clipping to what goes into each activation."""
    return Activation(
        f"{activation.name} clipped at {bound:.6g}",
        partial(_clipped_phi, activation=activation, bound=bound),
        partial(_clipped_dphi, activation=activation, bound=bound),
        activation.gamma,
        activation.is_symmetric,
        activation.decay,
    )


def _clipped_phi(a: Array, activation: Activation, bound: float) -> Array:
    xp = namespace(a)
    return activation.phi(xp.where(a.real > bound, bound + 0 * a, xp.where(a.real < -bound, -bound + 0 * a, a)))


def _clipped_dphi(a: Array, activation: Activation, bound: float) -> Array:
    inside: Array = (namespace(a).abs(a) < bound) * activation.dphi(a)
    return inside
