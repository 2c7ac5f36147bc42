"""What a gated cell can do over a box of inputs: reference rates, sampled steps, splitting, T5's numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.certificates.nets import KINDS, net
from vanishgrad.cells import LSTM, Cell, StoredTrajectory
from vanishgrad.certificates import upper
from vanishgrad.certificates.boxes import InputSet, box, input_boxes
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.gated import norms, rows
from vanishgrad.certificates.methods import cone_rate, gated_attempts
from vanishgrad.certificates.subject import subject
from vanishgrad.propagation.run import run

GATED = KINDS[1:]


def zero_bias(cell: Cell, forget: float = 0.0) -> Cell:
    n = cell.hidden_size
    cell.b[:] = 0
    cell.b[:, n : 2 * n] = forget
    if cell.name == "gru":
        cell.b_hn[:] = 0
    return cell


def sampled(cell: Cell, bound: float, steps: int = 400) -> StoredTrajectory:
    """Return a run whose inputs jump between corners and the inside of the box."""
    random = np.random.default_rng(0)
    xs = bound * np.where(random.random((4, steps, 1)) < 0.5, random.choice([-1.0, 1.0], (4, steps, cell.input_size)),
                          random.uniform(-1, 1, (4, steps, cell.input_size)))  # fmt: skip
    return run(cell, xs, np.zeros((4, cell.state_size)))


CASES = [(kind, scale, keep) for kind in GATED for scale in (0.05, 0.3, 1.0) for keep in (0.0, 4.0)]


@pytest.mark.parametrize(("kind", "scale", "keep"), CASES)
@pytest.mark.parametrize("pieces", [{}, {0: 4, 2: 2}])
def test_no_sampled_step_leaves_what_is_claimed(kind, scale, keep, pieces):
    cell, bound = net(kind, 5, 3, scale, 0, keep), 1.0
    target, random = equivalent_gru(subject(cell)), np.random.default_rng(1)
    found = box(target, input_boxes(bound, 3, pieces))
    trajectory = sampled(cell, bound)
    n = cell.hidden_size
    assert (np.abs(trajectory.states[..., :n]) <= found.h).all()
    if kind == "lstm":
        assert (np.abs(trajectory.states[..., n:]) <= found.c).all()
    steps = cell.linearise(trajectory, 0, trajectory.steps)
    for x in random.uniform(0.1, 1, (3, cell.state_size)):
        ceiling = rows(target, found, x)
        for t in range(1, trajectory.steps + 1, 7):
            assert (np.abs(steps.dense(t)) @ x <= ceiling).all()


@pytest.mark.parametrize(("kind", "scale", "keep"), CASES)
def test_no_sampled_block_has_a_larger_norm_than_claimed(kind, scale, keep):
    cell = net(kind, 5, 3, scale, 0, keep)
    target, n = equivalent_gru(subject(cell)), 5
    found = norms(target, box(target, input_boxes(1.0, 3, {})))
    trajectory = sampled(cell, 1.0)
    steps = cell.linearise(trajectory, 0, trajectory.steps)
    for t in range(1, trajectory.steps + 1, 7):
        keep_gate, J = steps.conveyor(t), steps.dense(t)
        assert (found.low <= keep_gate).all()
        assert (keep_gate <= found.high).all()
        if kind == "lstm":
            C = np.linalg.norm(J[:, n:, :n], 2, axis=(1, 2))
            assert (found.joints["c"].norm >= C).all()
            assert (found.joints["h"].norm >= np.linalg.norm(J[:, :n, :n], 2, axis=(1, 2))).all()
            assert (found.through >= np.linalg.norm(J[:, :n, n:], 2, axis=(1, 2))).all()
            assert (found.of("i") + found.of("f") + found.of("g") >= C).all()
        else:
            rest = np.linalg.norm(J - keep_gate[..., None] * np.eye(n), 2, axis=(1, 2))
            after = target.reset == "after"
            reset = 1 if after else found.eta + found.of("r")
            total = found.of("z") + found.of("n") * reset + (found.of("r") if after else 0)
            assert (total >= rest).all()
            if after:
                assert (found.joints["h"].norm >= np.linalg.norm(J, 2, axis=(1, 2))).all()


@pytest.mark.parametrize(("kind", "size", "blocks"), [("lstm", 8, 0.978), ("gru-after", 8, 0.936), ("lstm", 64, 1.66)])
def test_one_gram_matrix_for_a_sum_is_sharper_than_a_sum_of_norms(kind, size, blocks):
    cell = zero_bias(net(kind, size, 8, 0.2, 0), 0.0)
    rates = {each.method: each.rho for each in gated_attempts(subject(cell), InputSet(1.0))}
    assert rates["gram_norms"] < 0.97 * rates["block_norms"] and rates["block_norms"] == pytest.approx(blocks, rel=0.1)


@pytest.mark.parametrize("kind", GATED)
@pytest.mark.parametrize("keep", [20.0, 30.0, 40.0])
def test_what_an_open_keep_gate_leaves_falls_like_its_exponential(kind, keep):
    """1 - σ(a) = e^-a to e^-a of itself: at 40 it has its digits, where σ(a) is 1."""
    at_15, found = (
        norms(target, box(target, input_boxes(1.0, 3, {})))
        for target in (equivalent_gru(subject(net(kind, 5, 3, 0.3, 0, each))) for each in (15.0, keep))
    )
    for gate in ("f", "i") if kind == "lstm" else ("z", "n"):
        assert found.of(gate) == pytest.approx(at_15.of(gate) * np.exp(15 - keep), rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "scale", "forget", "reference"),
    [
        ("lstm", 0.05, 0.0, 0.591),
        ("lstm", 0.2, 0.0, 0.880),
        ("lstm", 0.2, 1.0, 1.205),
        ("gru-after", 0.05, 0.0, 0.620),
        ("gru-after", 0.2, 0.0, 1.013),
        ("gru-before", 0.2, 0.0, 0.964),
    ],
)
def test_the_rate_is_no_worse_than_the_reference(kind, scale, forget, reference):
    """n = 8, d = 3, B = 1, a net of the law whose interval majorants gave these rates; sampled steps reach 0.54."""
    best = min(
        each.rho for each in gated_attempts(subject(zero_bias(net(kind, 8, 3, scale, 0), forget)), InputSet(1.0))
    )
    assert 0.5 < best <= reference


def test_splitting_the_input_box_proves_what_the_whole_box_does_not():
    """The input that opens the forget gate shuts the input gate: only within a part of the box are both known."""
    W_hh = np.array([[0.05], [1.0], [1.0], [0.05]])
    W_hx, b = np.array([[-3.0], [3.0], [0.0], [0.0]]), np.array([0.0, -1.5, 3.0, 0.0])
    outcome = upper(LSTM(W_hh, W_hx, b), 1.0)
    whole = [each for each in outcome.attempts if not each.witness.get("input_pieces")]
    assert all(each.rho >= 1 for each in whole)
    assert outcome.certificate is not None
    assert outcome.certificate.witness["input_pieces"]


def test_the_cone_is_the_one_of_the_reference():
    """R15; the rate lies 2^-20 κ q inside ϱ₋ on purpose."""
    q, rho = cone_rate(0.98, 0.3, 0.1, 0.4)
    assert 0 <= 0.9206659275674582 - rho <= 1e-6
    assert q == pytest.approx((0.98 - 0.9206659275674582) / 0.1, rel=1e-5)


@pytest.mark.parametrize(
    ("phi", "omega", "kappa", "eta"), [(0.5, 0.6, 0.1, 0.1), (0.9, 0.4, 0.3, 0.9), (0.5, 0.0, 2.0, 1.0)]
)
def test_there_is_no_cone_where_the_condition_fails(phi, omega, kappa, eta):
    assert phi**0.5 < omega**0.5 + (kappa * eta) ** 0.5
    assert cone_rate(phi, omega, kappa, eta) is None
