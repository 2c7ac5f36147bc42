"""What remedies do to the weights, what they bring, and that it is what a fresh analysis measures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.questions.explain.findings.nets import N, cell, facts, facts_of, white
from tests.reference import sigmoid
from vanishgrad.cells import LSTM, RNN
from vanishgrad.cells.activations import HARD_SIGMOID, RELU
from vanishgrad.questions.analyze import AnalyzeRequest, analyze
from vanishgrad.questions.explain.findings.measure import Diagnosis, Reach, Remedy, diagnosis, reach
from vanishgrad.questions.explain.findings.remedies import REMEDIES
from vanishgrad.weights.save_npz import cell_npz

STEPS, TRIALS = 60, 3
ROUNDOFF = 1e-9
"""Of a norm, relative: what the engine promises; the same weights along the same inputs differ by no more."""


@pytest.mark.parametrize(
    "label", ["rnn", "lstm", "lstm@keras", "gru", "gru:reset=before", "rnn@gaussian:activation=relu"]
)
def test_predictions_are_what_a_fresh_analysis_of_the_applied_weights_measures(label: str, tmp_path: Path) -> None:
    sequences = white(STEPS, TRIALS)
    found = diagnosis(facts_of(cell(label, STEPS, 1), sequences))
    np.save(tmp_path / "xs.npy", sequences.xs)
    assert found.remedies
    for remedy in found.remedies.values():
        path = tmp_path / f"{remedy.name}.npz"
        path.write_bytes(cell_npz(remedy.cell, label))
        (model,) = analyze(AnalyzeRequest(weights=(str(path),), input=str(tmp_path / "xs.npy"))).models
        fresh, predicted = reach(model.curves), remedy.after
        assert predicted is not None
        assert (fresh.horizon, fresh.censored, fresh.verdict) == (
            predicted.horizon, predicted.censored, predicted.verdict,
        )  # fmt: skip
        assert fresh.log_norm == pytest.approx(predicted.log_norm, abs=ROUNDOFF)
        assert fresh.log_input == pytest.approx(predicted.log_input, abs=ROUNDOFF)
        assert fresh.factor == pytest.approx(predicted.factor, rel=ROUNDOFF)


def test_findings_come_dearest_first_and_remedies_best_first() -> None:
    found = diagnosis(facts("rnn"))
    severities = [finding.severity for finding in found.findings]
    distances = [remedy.after.distance for remedy in found.remedies.values() if remedy.after]
    assert [finding.rule for finding in found.findings] == ["contractive_weights", "saturated_units"]
    assert severities == sorted(severities, reverse=True)
    assert distances == sorted(distances)
    assert found.best is next(iter(found.remedies.values()))
    assert {name for finding in found.findings for name in finding.remedies} == set(found.remedies)


def test_a_net_in_good_order_has_no_finding_and_no_remedy() -> None:
    found = diagnosis(facts("lstm@chrono"))
    assert found.findings == ()
    assert found.best is None


def test_the_forget_bias_centres_the_gates_at_one_minus_one_over_the_length() -> None:
    """theory T8: b_f = ln(T - 1), on top of what else moves the gate."""
    before = facts("lstm")
    change = REMEDIES["forget_bias"](before)
    shift = change.cell.b - before.cell.b
    others = np.delete(shift.reshape(TRIALS, 4, N), 1, axis=1)
    a_f = before.pre_activations("f").mean() + shift[0, N]
    assert not others.any()
    assert a_f == pytest.approx(math.log(STEPS - 1), rel=1e-12)
    assert change.words == f"b_f + {shift[0, N]:.1f}"
    assert sigmoid(a_f) == pytest.approx(1 - 1 / STEPS, rel=1e-12)


@pytest.mark.parametrize("keep", ["new", "old"])
@pytest.mark.parametrize("remedy", ["forget_bias", "chrono"])
def test_a_minimal_unit_keeps_for_longer_whichever_state_its_gate_multiplies(remedy: str, keep: str) -> None:
    before = facts(f"mgu:keep={keep}")
    found = diagnosis(before).remedies[remedy]
    after = facts_of(found.cell, before.sequences)
    assert found.after is not None
    assert found.after.horizon > found.before.horizon
    assert after.gates["keep"].mean() > 0.9
    moved = (found.cell.b - before.cell.b)[0]
    assert not moved[before.cell.rows("n")].any()
    assert found.change.startswith("b_f −" if remedy == "forget_bias" and keep == "new" else "b_f")


def test_a_hard_gate_is_centred_where_its_own_activation_has_the_value() -> None:
    net = cell("lstm", STEPS, 1)
    hard = LSTM(net.W_hh, net.W_hx, net.b, gate_activation=HARD_SIGMOID)
    before = facts_of(hard, white(STEPS, TRIALS))
    shift = (REMEDIES["forget_bias"](before).cell.b - net.b)[0, N]
    assert before.pre_activations("f").mean() + shift == pytest.approx((0.5 - 1 / STEPS) * 6, abs=1e-9)


def test_chrono_sets_the_gates_against_one_another() -> None:
    change = REMEDIES["chrono"](facts("lstm"))
    b = change.cell.b.reshape(TRIALS, 4, N)
    np.testing.assert_array_equal(b[:, 0], -b[:, 1])
    assert 0 <= b[:, 1].min() < b[:, 1].max() <= math.log(STEPS - 1)


@pytest.mark.parametrize(("label", "gain"), [("rnn", 1.0), ("rnn:activation=sigmoid", 4.0)])
def test_the_nearest_orthogonal_matrix_is_orthogonal_and_keeps_the_directions(label: str, gain: float) -> None:
    before = facts(label)
    W = REMEDIES["orthogonal"](before).cell.W_hh / gain
    np.testing.assert_allclose(W @ np.swapaxes(W, 1, 2), np.broadcast_to(np.eye(N), W.shape), atol=1e-12)
    polar = np.swapaxes(W, 1, 2) @ before.cell.W_hh
    np.testing.assert_allclose(polar, np.swapaxes(polar, 1, 2), atol=1e-12)


@pytest.mark.parametrize("label", ["rnn", "rnn@orthogonal", "rnn@gaussian:gain=4", "lstm@gaussian:gain=12"])
def test_the_neutral_gain_neither_grows_nor_shrinks(label: str) -> None:
    """Within what twelve units in three trials let a rate of one loss say about the norm's."""
    scaled = diagnosis(facts(label)).remedies["scaled"]
    assert scaled.after is not None
    assert scaled.after.factor is not None
    assert abs(math.log(scaled.after.factor)) < 0.1
    assert scaled.after.distance < scaled.before.distance


def test_of_a_relu_net_it_is_he_s_square_root_of_two() -> None:
    change = REMEDIES["scaled"](facts("rnn@gaussian:activation=relu,hidden=64", trials=8, steps=100))
    assert float(change.words.removeprefix("W_hh × ")) == pytest.approx(math.sqrt(2), rel=0.1)


def test_raised_biases_wake_the_dead_and_no_other() -> None:
    net = cell("rnn@gaussian:activation=relu", STEPS, 1)
    b = net.b.copy()
    b[:, :3] -= 50
    before = facts_of(net.with_weights(b=b), white(STEPS, TRIALS))
    after = facts_of(REMEDIES["raised_biases"](before).cell, before.sequences)
    moved = (after.cell.b != before.cell.b)[0]
    assert moved[:3].all()
    assert not moved[3:].any()
    assert (after.slopes()[:, :, :3] > 0).mean() > 0.3


@pytest.mark.parametrize(
    ("remedy", "label", "gate"), [("closed_input_gates", "lstm", "i"), ("opened_reset_gates", "gru", "r")]
)
def test_gates_are_moved_to_where_the_remedy_says(remedy: str, label: str, gate: str) -> None:
    before = facts(label)
    shift = (REMEDIES[remedy](before).cell.b - before.cell.b)[0, before.cell.rows(gate)]
    aim = -math.log(STEPS - 1) if remedy == "closed_input_gates" else 0.0
    moved = before.pre_activations(gate).mean() + shift[0]
    assert moved == pytest.approx(aim, abs=1e-12)


def test_smaller_inputs_bring_the_drive_to_half() -> None:
    before = facts("rnn", std=3.0)
    after = REMEDIES["smaller_inputs"](before).cell.input_preactivation(before.sequences.xs)
    assert np.sqrt(np.mean(after**2)) == pytest.approx(0.5, rel=1e-12)


def test_a_remedy_whose_states_overflow_promises_nothing() -> None:
    """relu; the second unit is dead, and would grow a hundredfold at every step if it were awake."""
    net = RNN(np.diag([0.5, 1e2]), np.array([[1.0], [-1e-3]]), np.zeros(2), RELU)
    sequences = white(400, 2, width=1)
    sequences.xs[...] = 1 + np.arange(400)[:, None] % 2
    found = diagnosis(facts_of(net, sequences))
    assert found.remedies["raised_biases"].after is None
    assert list(found.remedies)[-1] == "raised_biases"


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("label", ["rnn", "lstm", "gru"])
def test_the_shortest_runs_are_diagnosed_too(steps: int, label: str) -> None:
    assert diagnosis(facts(label, steps=steps)).findings == ()


@pytest.mark.parametrize(("log_norm", "helps"), [(-9.0, True), (-10.0, False), (-11.0, False), (-math.inf, False)])
def test_the_best_remedy_has_to_be_better_than_none(log_norm: float, helps: bool) -> None:
    before, after = (Reach(1, False, 0.5, each, -1.0, "vanishing") for each in (-10.0, log_norm))
    remedy = Remedy("scaled", "W_hh × 2", before, after, cell("rnn", STEPS, 1))
    assert (Diagnosis((), {"scaled": remedy}).best is remedy) is helps
    assert Diagnosis((), {"scaled": replace(remedy, after=None)}).best is None
