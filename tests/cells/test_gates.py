"""The gates that a report names, the direct path, and what weights that do not fit are told."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.cells.cases import BATCH, BY_NAME, CASES, Case, N, T, random_run
from tests.reference import hard_sigmoid, sigmoid
from vanishgrad.cells import GRU, LSTM, RNN
from vanishgrad.errors import VanishgradError

GATED = ["lstm", "lstm-mixed", "gru-after", "gru-before", "peephole", "projected"]


@pytest.mark.parametrize(("name", "place", "gate"), [
    ("lstm", {"input": 0, "forget": 1, "output": 3}, sigmoid),
    ("lstm-mixed", {"input": 0, "forget": 1, "output": 3}, hard_sigmoid),
    ("gru-after", {"reset": 0, "keep": 1}, sigmoid),
    ("gru-before", {"reset": 0, "keep": 1}, sigmoid),
])  # fmt: skip
def test_gate_values_are_the_gates(name: str, place: dict[str, int], gate: object) -> None:
    run = random_run(BY_NAME[name])
    values = run.cell.gate_values(run.trajectory)
    assert values.keys() == place.keys()
    for b in range(BATCH):
        W = run.sequence(b).tensors
        for t in range(T):
            a = W["W_hh"] @ run.trajectory.states[t, b, :N] + W["W_hx"] @ run.xs[b, t] + W["b"]
            for name_, j in place.items():
                expected = gate(a[j * N : (j + 1) * N])
                np.testing.assert_allclose(values[name_][t, b], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", GATED)
def test_conveyor_is_the_keep_or_forget_gate(name: str) -> None:
    run = random_run(BY_NAME[name])
    values = run.cell.gate_values(run.trajectory)
    expected = values.get("forget", values.get("keep"))
    for t in range(1, T + 1):
        np.testing.assert_array_equal(run.linearisation.conveyor(t), expected[t - 1])


@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith("rnn")], ids=lambda case: case.name)
def test_a_vanilla_network_has_no_conveyor_and_no_gates(case: Case) -> None:
    run = random_run(case)
    assert run.linearisation.conveyor(1) is None
    assert run.cell.gate_values(run.trajectory) == {}


@pytest.mark.parametrize("cell", [
    partial(LSTM, np.zeros((9, 2)), np.zeros((9, 1)), np.zeros(9)),
    partial(LSTM, np.zeros((8, 2)), np.zeros((4, 1)), np.zeros(8)),
    partial(GRU, np.zeros((6, 2)), np.zeros((6, 1)), np.zeros(3)),
    partial(RNN, np.zeros((2, 2)), np.zeros((3, 1)), np.zeros(2)),
])  # fmt: skip
def test_weights_that_do_not_fit_are_named_with_their_shapes(cell: object) -> None:
    with pytest.raises(VanishgradError, match=r"expected (lstm|gru|rnn) weights with \d·n rows each, got W_hh .*; try"):
        cell()
