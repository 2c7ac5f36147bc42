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

LOSS = 0.1
"""δ of the half-line and of the window."""
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


def half_line(run: MeasuredRun, loss: float = LOSS) -> dict[str, float]:
    """T11(a): b = min(b_f, -b_i) of an LSTM beside A + ln(4KT/δ), from which on every bias keeps 1 ± δ over T.

    In maximum norms: A is what the run's largest inputs and |h| ≤ max(1, |h_0|) add to a gate, and
    K = 1 + ((c̄ + 1)‖W^f‖ + ‖W^i‖ + ‖W^g‖)/(1 - ‖W^o‖/4) with c̄ = max |c_0|; no such line where ‖W^o‖ ≥ 4.
    """
    cell, n = run.cell, run.cell.hidden_size
    W = [float(np.abs(gate).sum(axis=1).max()) for gate in np.split(cell.W_hh[0], 4)]
    driven = np.abs(run.trajectory.records[:, 0, : 2 * n] - run.trajectory.states[:-1, 0, :n] @ cell.W_hh[0, : 2 * n].T
                    - cell.b[0, : 2 * n])  # fmt: skip
    c_bar = float(np.abs(run.trajectory.states[0, 0, n:]).max())
    bias = float(min(cell.b[0, n : 2 * n].min(), -cell.b[0, :n].max()))
    if W[3] >= 4:
        return {"least_bias": bias, "output_norm": W[3], "needed_bias": math.inf, "bias_room": -math.inf}
    A = float(driven.max()) + max(W[0], W[1]) * max(1.0, float(np.abs(run.trajectory.states[0, 0, :n]).max()))
    K = 1 + ((c_bar + 1) * W[1] + W[0] + W[2]) / (1 - W[3] / 4)
    needed = A + math.log(4 * K * run.steps / loss)
    return {"least_bias": bias, "output_norm": W[3], "needed_bias": needed, "bias_room": bias - needed}


def window(run: MeasuredRun, loss: float = LOSS) -> dict[str, float]:
    """T11(b): the moduli |μ_i| of an RNN's W_hh, and T max ||μ_i| - 1|, of which T (1 - (1-δ)^(1/T)) is allowed."""
    moduli = np.abs(np.linalg.eigvals(run.cell.W_hh[0]))
    return {
        "least_modulus": float(moduli.min()), "largest_modulus": float(moduli.max()),
        "from_circle": run.steps * float(np.abs(moduli - 1).max()),
        "allowed": -run.steps * math.expm1(math.log1p(-loss) / run.steps),
        "largest_bias": float(np.abs(run.cell.b).max()),
    }  # fmt: skip


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
