"""One model studied: every claim on it, with the numbers and curves that the texts show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.activations import LINEAR, TANH
from vanishgrad.cells.registry import GRU, LSTM, MGU, RNN
from vanishgrad.formal_answer.claims import Claim, Log
from vanishgrad.formal_answer.quantities import gru, limits, lstm, retention, separation, vanilla
from vanishgrad.formal_answer.quantities.blocks import StepBlock, block_contraction, blocks
from vanishgrad.formal_answer.quantities.definition import definition, samples
from vanishgrad.formal_answer.quantities.gate_sensitivity import gate_sensitivity
from vanishgrad.formal_answer.quantities.learned import updates
from vanishgrad.formal_answer.quantities.measured import MeasuredRun

Facts: TypeAlias = Mapping[str, float | Log]
"""A row of a table."""


@dataclass(frozen=True, eq=False)
class Studied:
    """What was found for one model.

    Attributes
    ----------
    label, spec, kind : str
    sizes : mapping
        ``n``, ``d``, ``T``.
    claims : tuple of Claim
    facts : mapping
        Table → its rows of numbers for this model, where they are no claim.
    curves : mapping
        ``memory``, ``lower``, ``upper``, ``conveyor``: natural logarithms by lag.
    """

    label: str
    spec: str
    kind: str
    sizes: Mapping[str, int]
    claims: tuple[Claim, ...]
    facts: Mapping[str, Sequence[Facts]]
    curves: Mapping[str, Array]


def study(run: MeasuredRun) -> Studied:
    """Return every claim and number of one model."""
    worst = blocks(run)
    claims = [block_contraction(run, worst), vanilla.explosion(run)]
    facts: dict[str, Sequence[Facts]] = {"T0": [definition(run)], "T12": [{**samples(run), **updates(run.label)}]}
    if run.kind == RNN.name:
        claims.append(vanilla.contraction(run))
        if run.cell.activation in (TANH, LINEAR):
            facts["T11rnn"] = [separation.window(run)]
    if run.kind in (GRU.name, MGU.name):
        claims.extend(gru.gate_closure(run))
    if run.kind == LSTM.name:
        claims_of_lstm, more = _lstm(run)
        claims.extend(claims_of_lstm)
        facts |= more
    if run.kind in (LSTM.name, GRU.name):
        facts["T13"] = gate_sensitivity(run)
    if run.kind != RNN.name:
        claims.append(retention.effective_gate(run))
    sizes = {"n": run.cell.hidden_size, "d": run.cell.input_size, "T": run.steps}
    return Studied(run.label, run.spec, run.kind, sizes, tuple(claims), facts, _curves(run, worst))


def _lstm(run: MeasuredRun) -> tuple[list[Claim], dict[str, Sequence[Facts]]]:
    blocks_ = lstm.blocks_of(run)
    numbers = retention.coupling(blocks_, *lstm.coupling_norms(blocks_))
    claims = [
        retention.cone(run, numbers),
        retention.stepwise(run, numbers),
        retention.additive(run, numbers),
        retention.explicit_coupling(run, blocks_, numbers),
        limits.vanishing(run, numbers),
        limits.volume(run, blocks_),
    ]
    gradients = lstm.four_gradients(run, blocks_)
    logs = {name: Log(getattr(gradients, name)) for name in ("conveyor", "partial", "total", "four_term")}
    return claims, {
        "four_gradients": [logs],
        "T4": [_identities(run, blocks_)],
        "T5loss": retention.distance_to_loss(numbers),
        "T11lstm": [separation.half_line(run)],
    }


def _identities(run: MeasuredRun, blocks_: lstm.Blocks) -> dict[str, float | Log]:
    """T4 checked against the engine: the factorisation, and the determinant of every step."""
    dense = list(run.jacobians())
    factorisation = max(float(np.abs(J - blocks_.jacobian(step)).max()) for step, J in enumerate(dense))
    logs, other = run.log_determinants, blocks_.log_determinants()
    both = np.isfinite(logs) & np.isfinite(other)
    relative = float(np.max(np.abs(logs[both] - other[both]) / np.maximum(1.0, np.abs(logs[both])), initial=0.0))
    return {"factorisation": factorisation, "determinant": relative, "exponent_sum": float(logs.sum()) / run.steps}


def _curves(run: MeasuredRun, worst: list[StepBlock]) -> dict[str, Array]:
    """Return the memory's curve between its proved bounds, and the conveyor alone."""
    lags = np.arange(run.steps + 1)
    upper = np.min([block.log_bound(lags) for block in worst], axis=0)
    entry = run.products.log_diagonal.max(axis=1)
    lower = entry if run.kind != RNN.name else vanilla.determinant_floor(run)
    curves = {"memory": run.products.curves["memory"], "lower": lower, "upper": upper}
    return curves | {name: run.products.curves[name] for name in ("conveyor", "detours") if name in run.products.curves}
