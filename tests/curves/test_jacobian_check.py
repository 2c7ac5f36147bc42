"""The check that every report carries: it passes for right cells and catches wrong ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cells.cases import CASES, Case, T, random_run
from tests.engine import trajectory
from vanishgrad.cells import LSTM, RNN, Linearisation
from vanishgrad.cells.activations import RELU, SIGMOID
from vanishgrad.cells.lstm import LSTMLinearisation
from vanishgrad.curves.jacobian_check import check, tolerance
from vanishgrad.curves.model_result import model_result
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.sequences import InputRequest, input_sequences
from vanishgrad.inputs.sources import Held
from vanishgrad.models.subject import Subject
from vanishgrad.questions.compare import CompareRequest, compare


class _ForgetsThePathThroughTheOutputGate(LSTMLinearisation):
    """The four-term product of many textbooks: O is dropped."""

    def tangent(self, t: int, V: np.ndarray, out: np.ndarray) -> None:
        kept = V.copy()
        super().tangent(t, V, out)
        n = V.shape[1] // 2
        O_part = np.zeros((*V.shape[:1], 2 * n, V.shape[2]))
        self._OC.tangent(t - self._first, kept[:, :n], O_part)
        out[:, :n] -= O_part[:, :n]


class FourTermLSTM(LSTM):
    def along(self, states: np.ndarray, records: np.ndarray, start: int) -> Linearisation:
        return _ForgetsThePathThroughTheOutputGate(self, states, records, start)


class SlightlyWrongRNN(RNN):
    """Off by 1e-12, relative: a hundred times the tolerance."""

    def along(self, states: np.ndarray, records: np.ndarray, start: int) -> Linearisation:
        wrong = RNN(self.W_hh * (1 + 1e-12), self.W_hx, self.b, self.activation)
        return RNN.along(wrong, states, records, start)


def weights(gates: int, n: int = 4, d: int = 3) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((gates * n, n)) / 2, rng.standard_normal((gates * n, d)), rng.standard_normal(gates * n)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_cells_pass(case: Case, dtype: str) -> None:
    run = random_run(case, dtype=dtype)
    found = check(run.cell, run.trajectory, Held(run.xs, str(run.xs.dtype), ""))
    assert found.passed, found
    assert found.steps == 3
    assert tolerance(run.cell, np.dtype(dtype)) <= found.tolerance < 8 * tolerance(run.cell, np.dtype(dtype))


@pytest.mark.parametrize("cell", [FourTermLSTM(*weights(4)), SlightlyWrongRNN(*weights(1))], ids=["lstm", "rnn"])
def test_wrong_cells_are_caught_before_a_number_is_reported(cell: LSTM | RNN) -> None:
    sequences = input_sequences(InputRequest(steps=T, trials=1, input_size=3), 3)
    subject = Subject("wrong", "wrong", cell, {})
    sentence = r"expected the Jacobian of wrong to equal its complex step within .*, got .*; try"
    with pytest.raises(VanishgradError, match=sentence):
        model_result(subject, sequences, np.zeros((1, cell.state_size)), 1e-3, 0)


def test_error_is_the_deliberate_one() -> None:
    cell = SlightlyWrongRNN(*weights(1))
    xs = np.random.default_rng(1).standard_normal((1, T, 3))
    assert check(cell, trajectory(cell, xs), Held(xs, "float64", "")).jacobian_error == pytest.approx(1e-12, rel=0.5)


@pytest.mark.parametrize("model", ["rnn", "lstm", "gru", "gru:reset=before"])
@pytest.mark.parametrize("size", [500, 3000, 1e5])
def test_inputs_of_any_size_pass_for_rounding_of_the_pre_activation_grows_with_them(
    model: str, size: float, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.csv"
    np.savetxt(prices, size + np.random.default_rng(0).standard_normal((60, 4)).cumsum(axis=0), delimiter=",")
    for dtype in ("float64", "float32"):
        result = compare(CompareRequest((model,), input=str(prices), hidden=8, dtype=dtype, trials=2)).models[0]
        assert result.check.passed
        assert any("inputs saturate the units" in note and "try inputs scaled" in note for note in result.notes)


@pytest.mark.parametrize("gain", ["1e13", "1e50", "1e300"])
def test_norms_below_what_an_exponent_holds_are_refused(gain: str) -> None:
    with pytest.raises(
        VanishgradError, match=r"norms of at least e\^-9e\+11, got less .*: gates and units saturate; try"
    ):
        compare(CompareRequest((f"rnn@gaussian:gain={gain}",), hidden=2, steps=5, trials=1))


def test_weights_behind_which_no_step_is_short_are_refused() -> None:
    with pytest.raises(VanishgradError, match=r"expected weights up to 1e\+301, got .*e\+305; try weights scaled to 1"):
        compare(CompareRequest(("rnn@gaussian:gain=1e305",), hidden=2, steps=5, trials=1))


@pytest.mark.parametrize("gain", ["1e11", "1e13"])
def test_gates_that_saturate_beyond_every_exponent_beside_a_conveyor_are_measured(gain: str) -> None:
    """From step 2 on, h is not zero: all gates are 0 or 1. The first step's U counts in full."""
    state = (
        compare(CompareRequest((f"lstm@gaussian:gain={gain}",), hidden=2, steps=5, trials=1)).models[0].curves["state"]
    )
    assert state.log_norm.median[-1] == pytest.approx(np.log(float(gain)) - 0.0958, abs=1e-3)


def test_a_unit_without_saturation_has_inputs_of_any_size() -> None:
    request = CompareRequest(("rnn:activation=relu",), input="white:1e300", hidden=3, steps=4, trials=2)
    result = compare(request).models[0]
    assert 1e299 < result.input_gain < 1e301


def test_a_wrong_cell_is_still_caught_beside_large_inputs() -> None:
    cell = SlightlyWrongRNN(*weights(1))
    xs = 0.02 * np.random.default_rng(1).standard_normal((1, T, 3))
    cell.W_hx = 50 * cell.W_hx
    assert not check(cell, trajectory(cell, xs), Held(xs, "float64", "")).passed


def test_kinks_are_decided_as_in_the_real_forward_pass_however_small_the_state() -> None:
    cell = RNN(0.3 * np.eye(4), np.zeros((4, 1)), np.zeros(4), RELU)
    xs, start = np.zeros((1, 300, 1)), np.array([[1.0, -1, 2, 0.5]])
    found = check(cell, trajectory(cell, xs, start), Held(xs, "float64", ""))
    assert found.passed
    assert found.jacobian_error < 1e-15


def test_the_complex_step_stands_at_the_end_of_the_range() -> None:
    a = np.array([-1e4, -800.0, -710.0, -40.0, 0.0, 40.0, 710.0, 1e4])
    stepped = SIGMOID.phi(a + 1e-170j)
    np.testing.assert_allclose(stepped.real, SIGMOID.phi(a), rtol=4e-16, atol=1e-307)
    np.testing.assert_allclose(stepped.imag / 1e-170, SIGMOID.dphi(a), rtol=1e-14, atol=1e-137)


def test_the_complex_step_is_short_behind_the_largest_weights() -> None:
    cell = RNN(np.diag([1e200, 1e-200]), np.eye(2), np.zeros(2))
    xs = np.random.default_rng(0).standard_normal((1, 5, 2))
    assert check(cell, trajectory(cell, xs, np.zeros((1, 2))), Held(xs, "float64", "")).passed


def test_every_report_carries_the_check_of_its_own_run() -> None:
    for model in compare(CompareRequest(("rnn", "lstm", "gru:reset=before"), hidden=5, steps=9, trials=2)).models:
        assert 0 <= model.check.jacobian_error <= model.check.tolerance < 1e-12
        assert (model.check.steps, model.check.directions) == (3, 2)
