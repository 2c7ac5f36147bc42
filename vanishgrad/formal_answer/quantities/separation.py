"""T5's separation: one LSTM that keeps 1 - δ over T steps for every input in a box; no contractive RNN can."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import LSTM
from vanishgrad.formal_answer.claims import Claim
from vanishgrad.formal_answer.quantities.limits import vanishing
from vanishgrad.formal_answer.quantities.lstm import Blocks, blocks_of, coupling_norms
from vanishgrad.formal_answer.quantities.measured import MeasuredRun
from vanishgrad.formal_answer.quantities.retention import (
    Coupling,
    additive,
    cone,
    coupling,
    explicit_coupling,
    smallest,
    stepwise,
)
from vanishgrad.propagation.run import run

CLOSED, WEAK = "#closed", "#weak"
"""Labels of the networks that are built for a theorem to speak on; a language gives them their names."""


def required_bias(W_hh: Array, W_hx: Array, input_bound: float, c_bar: float, steps: int, loss: float) -> float:
    """Return b = ln(KT/δ) for b_f = -b_i, K = e^a (1 + (e - 1) S/(1 - ω)).

    a bounds what inputs and h add to a gate's pre-activation, S = c̄‖W^f‖ + ‖W^i‖ + ‖W^g‖, ω = ‖W^o‖/4 < 1.
    """
    n = W_hh.shape[-1]
    W = {gate: W_hh[j * n : (j + 1) * n] for j, gate in enumerate("ifgo")}
    reach = np.abs(W_hh[: 2 * n]).sum(axis=1) + input_bound * np.abs(W_hx[: 2 * n]).sum(axis=1)
    norms = {gate: float(np.linalg.norm(each, 2)) for gate, each in W.items()}
    S, omega = c_bar * norms["f"] + norms["i"] + norms["g"], norms["o"] / 4
    K = math.exp(float(reach.max())) * (1 + (math.e - 1) * S / (1 - omega))
    return math.log(K * steps / loss)


@cache
def closed_gates(steps: int = 500, loss: float = 0.1, n: int = 8, seed: int = 0) -> tuple[float, MeasuredRun]:
    """Return b, and a random LSTM of n units with b_f = -b_i = b, run on random inputs of the box |x| ≤ 1."""
    draw = np.random.default_rng(seed)
    W_hh, W_hx = draw.standard_normal((4 * n, n)) * 0.1, draw.standard_normal((4 * n, n)) * 0.1
    bias = required_bias(W_hh, W_hx, 1.0, 2.0, steps, loss)
    b = np.concatenate([np.full(n, -bias), np.full(n, bias), np.zeros(2 * n)])
    start = np.concatenate([np.zeros(n), draw.uniform(-1, 1, n)])
    return bias, _run(CLOSED, LSTM(W_hh, W_hx, b), draw.uniform(-1, 1, (1, steps, n)), start)


def weakly_coupled(steps: int, n: int = 8, gain: float = 0.05, seed: int = 0) -> MeasuredRun:
    """Return an LSTM of n units with recurrent weights N(0, gain²/n), no biases and white input: T7(a) speaks on it."""
    draw = np.random.default_rng(seed)
    W_hh = draw.standard_normal((4 * n, n)) * gain / math.sqrt(n)
    cell = LSTM(W_hh, draw.standard_normal((4 * n, n)) / n, np.zeros(4 * n))
    return _run(WEAK, cell, draw.standard_normal((1, steps, n)), np.zeros(2 * n))


def _run(label: str, cell: LSTM, xs: Array, start: Array) -> MeasuredRun:
    return MeasuredRun(
        label, "", cell, run(cell, xs, start[None]), np.ones(cell.hidden_size) / math.sqrt(cell.hidden_size)
    )


def separation(loss: float = 0.1) -> dict[str, float]:
    """Return the bias, the promise 1 - δ and the measured σ_min(∂c_T/∂c_0)."""
    bias, built = closed_gates(loss=loss)
    steps = built.steps
    return {
        "steps": float(steps),
        "loss": loss,
        "bias": bias,
        "promise": 1 - loss,
        "smallest": math.exp(smallest(built)),
    }


def example_claims(steps: int) -> list[Claim]:
    """Return T5(b), (b′), (c), (d) where the gates are closed to the recipe, and T7(a) where the coupling is weak."""
    _, built = closed_gates(loss=0.1)
    blocks, numbers = _coupling(built)
    claims = [
        cone(built, numbers),
        stepwise(built, numbers),
        additive(built, numbers),
        explicit_coupling(built, blocks, numbers),
    ]
    weak = weakly_coupled(steps)
    return [*claims, vanishing(weak, _coupling(weak)[1])]


def _coupling(built: MeasuredRun) -> tuple[Blocks, Coupling]:
    blocks = blocks_of(built)
    return blocks, coupling(blocks, *coupling_norms(blocks))
