"""Random models whose Jacobians leave the range of floating point: saturated, graded, masked, open gates."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from tests import reference
from tests.cells.cases import BY_NAME
from vanishgrad.cells import ACTIVATIONS, GRU, LSTM, RNN, Cell
from vanishgrad.cells.mgu import MGU

Array = np.ndarray
CELLS = ("tanh", "relu", "lstm", "gru-after", "gru-before", "mgu-new", "mgu-old")
KINDS = ("plain", "saturated", "graded", "masked", "open", "switching")
GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru-after": 3, "gru-before": 3, "mgu-new": 2, "mgu-old": 2}
KEEPS = {"lstm": 1, "gru-after": 1, "gru-before": 1, "mgu-new": 0, "mgu-old": 0}
"""The gate that keeps."""


class Model(NamedTuple):
    """A cell, its plain formula, and inputs (1, T, d)."""

    name: str
    cell: Cell
    step: Callable[..., Array]
    xs: Array


def draw(seed: int) -> Model:
    """Return the model of a seed."""
    rng = np.random.default_rng(seed)
    name, kind = CELLS[seed % len(CELLS)], KINDS[seed // len(CELLS) % len(KINDS)]
    n, d, steps = int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.choice([20, 60, 150]))
    if rng.random() < 0.04:
        n, steps = min(n, 2), 400
    gates = GATES[name]
    W = rng.normal(0, rng.choice([0.2, 0.7, 1.2]) / np.sqrt(n), (gates * n, n))
    U, b = rng.normal(0, 1, (gates * n, d)), rng.normal(0, 1, gates * n)
    xs = rng.normal(0, 1, (1, steps, d))
    if kind == "saturated":
        b = b * rng.choice([20, 100, 350, 800])
    if kind == "graded":
        W = W * 10.0 ** rng.uniform(-rng.choice([3, 30, 120]), 0, W.shape)
    if kind == "masked":
        W, U = W * (rng.random(W.shape) < 0.5), U * (rng.random(U.shape) < 0.5)
        b = np.where(rng.random(b.shape) < 0.3, -3.0, b)
    if kind == "open" and name in KEEPS:
        keep = slice(KEEPS[name] * n, (KEEPS[name] + 1) * n)
        b[keep] = rng.choice([5, 20, 40, 300]) * (-1 if name == "mgu-new" else 1)
        W[keep], U[keep] = W[keep] / 10, U[keep] / 10
    if kind == "switching":
        W = W * rng.choice([0.0, 1e-4, 1.0], W.shape)
        U = U * rng.choice([5.0, 30.0])
        xs[:, : steps // 2] = np.abs(xs[:, : steps // 2])
        xs[:, steps // 2 :] = -np.abs(xs[:, steps // 2 :])
    b_hn = rng.normal(0, 0.5, n)
    return Model(f"{seed}: {name}, {kind}, n = {n}, T = {steps}", *_built(name, W, U, b, b_hn), xs)


OTHERS = (
    "rnn-sigmoid", "lstm-relu", "lstm-mixed", "gru-after-mixed", "gru-before-mixed", "mgu-none-new-tanh",
    "mgu-after-old-sigmoid", "mgu-before-new-relu", "peephole", "coupled", "janet", "ligru", "indrnn", "mingru",
    "antisymmetric", "projected", "stack",
)  # fmt: skip
"""The cells of `tests.cells.cases` that are not in `CELLS`, and whose step takes any numbers."""


def draw_other(seed: int) -> Model:
    """Return the model of a seed, of a cell in `OTHERS`: five units, random tensors made extreme."""
    rng = np.random.default_rng(seed)
    case, kind = BY_NAME[OTHERS[seed % len(OTHERS)]], KINDS[seed // len(OTHERS) % len(KINDS)]
    steps = int(rng.choice([6, 12, 24]))
    tensors = {name: rng.normal(0, 0.6, shape) for name, shape in case.shapes.items()}
    xs = rng.normal(0, 1, (1, steps, tensors["W_hx"].shape[-1]))
    recurrent = [name for name, each in tensors.items() if each.ndim > 1 and name != "W_hx"]
    if kind == "saturated":
        tensors["b"] = tensors["b"] * rng.choice([20, 100, 350, 800])
    if kind == "open":
        tensors["b"] = tensors["b"] + rng.choice([-1, 1], tensors["b"].shape) * rng.choice([5, 20, 40])
    if kind == "switching":
        tensors["W_hx"] = tensors["W_hx"] * rng.choice([5.0, 30.0])
        xs[:, : steps // 2], xs[:, steps // 2 :] = np.abs(xs[:, : steps // 2]), -np.abs(xs[:, steps // 2 :])
    for name in recurrent:
        if kind == "graded":
            tensors[name] = tensors[name] * 10.0 ** rng.uniform(-rng.choice([3, 30, 120]), 0, tensors[name].shape)
        if kind in ("masked", "switching"):
            tensors[name] = tensors[name] * (rng.random(tensors[name].shape) < 0.5)
    cell = case.cell(**{name: each[None] for name, each in tensors.items()})
    return Model(f"{seed}: {case.name}, {kind}, T = {steps}", cell, partial(case.step, **tensors), xs)


def _built(name: str, W: Array, U: Array, b: Array, b_hn: Array) -> tuple[Cell, Callable[..., Array]]:
    given = {"W_hh": W, "W_hx": U, "b": b}
    if name in ("tanh", "relu"):
        phi = {"tanh": np.tanh, "relu": reference.relu}[name]
        return RNN(W, U, b, ACTIVATIONS[name]), partial(reference.rnn, **given, phi=phi)
    if name == "lstm":
        return LSTM(W, U, b), partial(reference.lstm, **given)
    kind, how = name.split("-")
    if kind == "gru":
        step = {"after": reference.gru_after, "before": reference.gru_before}[how]
        return GRU(W, U, b, b_hn, reset=how), partial(step, **given, b_hn=b_hn)
    reset = "before" if len(b_hn) % 2 else "after"
    formula = partial(reference.mgu, **given, b_hn=b_hn, reset=reset, keep=how)
    return MGU(W, U, b, b_hn, reset=reset, keep=how), formula
