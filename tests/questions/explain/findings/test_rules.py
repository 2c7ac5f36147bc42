"""A net that has what each rule looks for, and one that has not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.questions.explain.findings.nets import N, cell, facts, facts_of, white
from tests.reference import sigmoid
from vanishgrad.cells import Cell
from vanishgrad.questions.explain.findings.context import MAX_NATS, nats
from vanishgrad.questions.explain.findings.rules import (
    Finding,
    contractive_weights,
    dead_relus,
    expanding_detours,
    keeping_gates_below_one,
    open_input_gates,
    saturated_units,
    shut_reset_gates,
)

Rule = Callable[..., Finding | None]

HAS = {
    keeping_gates_below_one: ["lstm", "gru", "lstm@keras"],
    contractive_weights: ["rnn", "rnn@gaussian:gain=0.3", "rnn:activation=sigmoid"],
    saturated_units: ["rnn@identity:gain=10", "rnn@gaussian:activation=relu", "lstm:forget_bias=9"],
    expanding_detours: ["rnn@gaussian:gain=4", "lstm@gaussian:gain=12", "gru@gaussian:gain=12"],
    open_input_gates: ["lstm:forget_bias=9"],
}
HAS_NOT = {
    keeping_gates_below_one: ["lstm:forget_bias=5", "gru@chrono", "rnn", "lstm@gaussian:gain=12"],
    contractive_weights: ["rnn@orthogonal", "rnn@gaussian:gain=4", "lstm", "rnn:untied=true"],
    saturated_units: ["rnn@orthogonal:activation=linear", "lstm", "gru", "rnn@gaussian:gain=4"],
    expanding_detours: ["rnn", "lstm", "lstm@chrono", "gru"],
    open_input_gates: ["lstm@chrono", "lstm", "gru", "rnn"],
    shut_reset_gates: ["gru", "lstm", "rnn"],
    dead_relus: ["rnn@gaussian:activation=relu", "rnn", "gru"],
}


def pairs(table: dict[Rule, list[str]]) -> list[tuple[Rule, str]]:
    return [(rule, label) for rule, labels in table.items() for label in labels]


@pytest.mark.parametrize(("rule", "label"), pairs(HAS), ids=lambda each: getattr(each, "__name__", each))
def test_a_net_that_has_it(rule: Rule, label: str) -> None:
    finding = rule(facts(label))
    assert finding is not None
    assert finding.severity > 0
    assert finding.evidence
    assert finding.remedies
    assert all(np.isfinite(value) for value in finding.evidence.values())


@pytest.mark.parametrize(("rule", "label"), pairs(HAS_NOT), ids=lambda each: getattr(each, "__name__", each))
def test_a_net_that_has_it_not(rule: Rule, label: str) -> None:
    assert rule(facts(label)) is None


def shifted(net: Cell, gate: int, shift: float) -> Cell:
    b = net.b.copy()
    b[:, gate * N : (gate + 1) * N] += shift
    return net.with_weights(b=b)


def test_shut_reset_gates_are_found_with_their_mean() -> None:
    found = facts_of(shifted(cell("gru", 60, 3), 0, -5), white(60, 3))
    finding = shut_reset_gates(found)
    assert finding is not None
    assert finding.evidence["mean"] == pytest.approx(found.gates["reset"].mean())
    assert finding.evidence["shut_share"] > 0.9


def test_dead_relus_are_those_that_are_off_at_every_step() -> None:
    net = cell("rnn@gaussian:activation=relu", 60, 3)
    b = net.b.copy()
    b[:, :3] -= 50
    finding = dead_relus(facts_of(net.with_weights(b=b), white(60, 3)))
    assert finding is not None
    assert finding.evidence["dead_share"] == pytest.approx(3 / N, abs=1 / N)


def test_with_shared_weights_a_unit_is_dead_only_if_it_is_off_in_every_sequence() -> None:
    net = cell("rnn@identity:activation=relu,gain=0", 4, 1)
    net = net.with_weights(W_hx=np.ones((1, N, 1)), b=np.zeros((1, N)))
    sequences = white(4, 2, width=1)
    sequences.xs[0], sequences.xs[1] = -1, 1
    assert dead_relus(facts_of(net, sequences)) is None
    sequences.xs[1] = -1
    finding = dead_relus(facts_of(net, sequences))
    assert finding is not None
    assert finding.evidence["dead_share"] == 1
    assert finding.severity == MAX_NATS


def test_a_forget_bias_alone_gives_the_evidence_of_its_sigmoid() -> None:
    """All weights 0: every forget gate is σ(1), which is what the ratio 0.731 a step of keras#16151 comes from."""
    finding = keeping_gates_below_one(facts("lstm@gaussian:gain=0,forget_bias=1", std=0.0))
    assert finding is not None
    assert finding.evidence["mean"] == pytest.approx(sigmoid(1.0), rel=1e-12)
    assert finding.evidence["best_factor_per_step"] == pytest.approx(sigmoid(1.0), rel=1e-9)
    assert finding.severity == pytest.approx(-np.log(sigmoid(1.0)), rel=1e-9)
    assert finding.evidence["longest_time_constant"] == pytest.approx(-1 / np.log(sigmoid(1.0)), rel=1e-9)


def test_the_evidence_of_a_contractive_matrix_is_its_radius_and_norm() -> None:
    finding = contractive_weights(facts("rnn@identity:gain=0.7"))
    assert finding is not None
    assert finding.evidence == {"gamma_radius": pytest.approx(0.7), "gamma_norm": pytest.approx(0.7)}
    assert "proves it for every input" in finding.title


def test_half_of_the_relus_off_cost_half_a_bit_a_step() -> None:
    """-½ ln ½ nats: what He's gain of √2 makes good."""
    finding = saturated_units(facts("rnn@gaussian:activation=relu", trials=8))
    assert finding is not None
    assert finding.severity == pytest.approx(np.log(2) / 2, rel=0.1)


def test_nats_of_factors() -> None:
    assert nats(np.full(5, 0.5)) == pytest.approx(np.log(2))
    assert nats(np.zeros(5)) == MAX_NATS
    assert nats(np.ones(5)) == 0
