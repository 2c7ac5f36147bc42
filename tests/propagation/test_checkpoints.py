"""A run that is not held gives the same bits as one that is, and so does a report that is made from it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import BY_NAME, CASES, Case, random_run
from vanishgrad.cells import ACTIVATIONS, RNN, Cell, StoredTrajectory
from vanishgrad.cells.masked_steps import step_marks
from vanishgrad.curves import gates
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.sequences import InputRequest, input_sequences
from vanishgrad.inputs.sources import Held
from vanishgrad.propagation import checkpoints
from vanishgrad.propagation import run as run_module
from vanishgrad.propagation.checkpoints import CheckpointedTrajectory, path
from vanishgrad.propagation.run import run
from vanishgrad.questions.compare import CompareRequest, compare, comparison

STEPS, WIDTH = 41, 3
BLOCK = 8


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch):
    monkeypatch.setattr(run_module, "SHORTEST_BLOCK", BLOCK)


def both(cell: Cell, masked: bool = False):
    """The run held and with checkpoints, along noise that is drawn again."""
    rng, batch = np.random.default_rng(0), 3
    sequences = input_sequences(InputRequest(steps=STEPS, trials=batch), WIDTH)
    s0 = rng.standard_normal((batch, cell.state_size))
    marks = None
    if masked:
        begun = np.arange(STEPS) >= np.array([0, 11, 5])[:, None]
        marks = step_marks(begun & (rng.random((batch, STEPS)) < 0.6))
    return run(cell, sequences.xs, s0, marks), CheckpointedTrajectory(cell, sequences.inputs, s0, STEPS, marks)


@pytest.mark.parametrize("case", [case for case in CASES if case.name != "rnn-untied"], ids=lambda case: case.name)
@pytest.mark.parametrize("masked", [False, True], ids=["together", "masked"])
def test_every_stretch_is_the_same_bit_for_bit(case: Case, masked: bool) -> None:
    held, found = both(random_run(case).cell, masked)
    assert found.steps == held.steps == STEPS
    np.testing.assert_array_equal(found.start, held.start)
    for start, stop in [*reversed(list(found.stretches(5))), (0, STEPS), (3, 30), (7, 9)]:
        for mine, other in zip(found.between(start, stop), held.between(start, stop), strict=True):
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("masked", [False, True], ids=["together", "masked"])
def test_some_sequences_alone_are_the_same_bit_for_bit(masked: bool) -> None:
    for case in CASES[:4]:
        for run_ in both(random_run(case).cell, masked):
            some, states, records = run_.among(slice(1, 3)), *run_.between(0, STEPS)
            np.testing.assert_array_equal(some.start, states[0, 1:3])
            for start, stop in ((0, STEPS), (9, 30)):
                mine = some.between(start, stop)
                np.testing.assert_array_equal(mine[0], states[start : stop + 1, 1:3])
                np.testing.assert_array_equal(mine[1], records[start:stop, 1:3])


def test_stretches_fill_the_run_within_blocks() -> None:
    _, found = both(random_run(BY_NAME["rnn-tanh"]).cell)
    stretches = list(found.stretches(5))
    assert [stop for _, stop in stretches[:-1]] == [start for start, _ in stretches[1:]]
    assert (stretches[0][0], stretches[-1][1]) == (0, STEPS)
    assert all(start // BLOCK == (stop - 1) // BLOCK for start, stop in stretches)


def test_memory_is_of_the_order_of_the_root_of_the_length() -> None:
    """Checkpoints and one block: of a run of T = 40 000 steps, 200 and 200."""
    steps = 40_000
    cell = RNN(np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1))
    found = CheckpointedTrajectory(cell, Held(np.zeros((1, steps, 1)), "float64", ""), np.zeros((1, 1)), steps)
    assert len(found._checkpoints) == 201
    assert len(found.between(steps - 1, steps)[0].base) == 201


def test_an_overflow_is_named_with_its_step() -> None:
    cell = RNN(np.array([[10.0]]), np.zeros((1, 1)), np.zeros(1), ACTIVATIONS["relu"])
    inputs = Held(np.zeros((1, 400, 1)), "float64", "")
    with pytest.raises(VanishgradError, match="got an overflow at step 309; try fewer --steps"):
        CheckpointedTrajectory(cell, inputs, np.ones((1, 1)), 400)


def test_short_runs_are_held_and_long_ones_are_not(monkeypatch) -> None:
    cell, inputs = random_run(BY_NAME["rnn-tanh"]).cell, Held(np.zeros((3, STEPS, WIDTH)), "float64", "")
    s0 = np.zeros((3, cell.state_size))
    assert isinstance(path(cell, inputs, s0, STEPS), StoredTrajectory)
    monkeypatch.setattr(checkpoints, "LARGEST_HELD", 1000)
    assert isinstance(path(cell, inputs, s0, STEPS), CheckpointedTrajectory)


@pytest.mark.parametrize("options", [{}, {"burn_in": 13}, {"lengths": "41,20,33"}, {"engine": "dense"}], ids=str)
def test_a_report_is_the_same_byte_for_byte(monkeypatch, options: dict) -> None:
    request = CompareRequest(("rnn", "lstm", "gru"), hidden=26, steps=STEPS, trials=3, initial="normal", **options)
    expected = comparison(compare(request)).to_json()
    monkeypatch.setattr(checkpoints, "LARGEST_HELD", 0)
    assert comparison(compare(request)).to_json() == expected


def test_quantiles_of_a_long_run_are_over_some_steps_and_the_report_says_so(monkeypatch) -> None:
    request = CompareRequest(("lstm",), hidden=6, steps=400, trials=2, burn_in=3)
    (whole,) = compare(request).models
    monkeypatch.setattr(gates, "MAX_SORTED_VALUES", 1000)
    (found,) = compare(request).models
    assert "quantiles of the gates are over every 5th step" in found.notes
    for name, gate in found.gates.items():
        assert (gate.mean, gate.near_zero) == (whole.gates[name].mean, whole.gates[name].near_zero)
        # 960 values of a distribution that lies between 0.3 and 0.7
        np.testing.assert_allclose([*gate.quantiles.values()], [*whole.gates[name].quantiles.values()], atol=0.02)


@pytest.mark.parametrize("source", ["white", "white:0.3", "zeros"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_noise_is_drawn_again_as_it_was(source: str, dtype: str) -> None:
    inputs = input_sequences(InputRequest(source, steps=3000, trials=2, burn_in=5, dtype=dtype), WIDTH).inputs
    whole = inputs.between(0, 3005)
    for start, stop in [(2900, 3005), (0, 1), (1020, 1030), (1024, 2048), (7, 7), (500, 2900)]:
        np.testing.assert_array_equal(inputs.between(start, stop), whole[:, start:stop])
