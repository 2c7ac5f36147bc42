"""Advice for truncated backpropagation: shares by lag, what a length keeps and loses, and the bound beside it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.engine import driven
from vanishgrad.cells import RNN, Cell
from vanishgrad.cells.activations import LINEAR, RELU
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.propagation.run import run
from vanishgrad.questions.explain.section import Absent
from vanishgrad.questions.explain.truncation.loss import LossRequest, cotangents, in_words
from vanishgrad.questions.explain.truncation.measure import MAX_LOST_SHARE, Truncation, truncated
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

STEPS, TRIALS, N = 40, 3, 6


def subject(label: str, steps: int = STEPS, **options: object) -> tuple[Cell, InputSequences]:
    spec = parse(label).resolved(N, steps)
    cell = draw(spec, N, steps, TRIALS, seed=0).cell(spec)
    xs = np.random.default_rng(1).standard_normal((TRIALS, steps, N))
    return cell, driven(xs)


def found(cell: Cell, sequences: InputSequences, **options: object) -> Truncation | Absent:
    trajectory = run(cell, sequences.xs, np.zeros((sequences.trials, cell.state_size)), sequences.marks)
    return truncated(cell, trajectory, sequences, LossRequest(**options), seed=0)


def some(result: Truncation | Absent) -> Truncation:
    assert isinstance(result, Truncation)
    return result


@pytest.mark.parametrize("label", ["rnn", "lstm:forget_bias=2", "gru:reset=before"])
@pytest.mark.parametrize("loss", ["all", "last"])
def test_the_shortest_length_is_the_first_from_which_on_a_hundredth_is_lost(label: str, loss: str) -> None:
    cell, sequences = subject(label)
    result = some(found(cell, sequences, loss=loss))
    lost = np.exp(result.lost.high)
    assert (lost[result.shortest_high - 1 :] <= MAX_LOST_SHARE).all()
    assert lost[result.shortest_high - 2] > MAX_LOST_SHARE
    assert result.shortest_low <= result.shortest <= result.shortest_high
    assert np.isneginf(result.lost.median[-1])
    assert result.kept.median[-1] == pytest.approx(0, abs=1e-12)
    assert result.advised.length == result.shortest_high
    assert result.advised.lost <= MAX_LOST_SHARE < result.advised.segments_lost or loss == "last"


def test_a_whole_length_loses_nothing_in_either_way() -> None:
    cell, sequences = subject("lstm")
    asked = some(found(cell, sequences, truncation=1000)).asked
    assert asked is not None
    assert asked.lost == 0
    assert asked.kept == pytest.approx(1, rel=1e-12)
    assert asked.segments_lost == 0


def test_a_loss_on_the_last_output_is_cut_by_segments_where_they_end() -> None:
    """T = 40: segments of 7 leave the last output 5 steps, those of 8 leave it 8."""
    cell, sequences = subject("gru")
    seven, five, eight = (
        some(found(cell, sequences, loss="last", truncation=length)).asked for length in (7, 5, 8)
    )  # fmt: skip
    assert seven and five and eight
    assert seven.segments_lost == pytest.approx(five.lost, rel=1e-9)
    assert eight.segments_lost == pytest.approx(eight.lost, rel=1e-9)


def test_shares_of_a_linear_unit_are_powers_of_its_weight() -> None:
    """h_t = w h_{t-1}, h_0 = 1, L = h_T: dL/dw = Σ_l w^l w^(T-1-l) has equal terms; dL/db = Σ w^l."""
    w, steps = 0.5, 30
    cell = RNN(np.array([[w]]), np.zeros((1, 1)), np.zeros(1), LINEAR)
    sequences = driven(np.zeros((1, steps, 1)), source="zeros")
    trajectory = run(cell, sequences.xs, np.ones((1, 1)))
    result = some(truncated(cell, trajectory, sequences, LossRequest(loss="last"), 0))
    lags = np.arange(steps)
    own = np.hypot(w ** (steps - 1), w**lags)
    whole = np.hypot(steps * w ** (steps - 1), (1 - w**steps) / (1 - w))
    np.testing.assert_allclose(result.share.median, np.log(own / whole), rtol=0, atol=1e-12)
    later = np.hypot((steps - 1 - lags) * w ** (steps - 1), (w ** (lags + 1) - w**steps) / (1 - w))
    np.testing.assert_allclose(np.exp(result.lost.median), later / whole, rtol=1e-12, atol=0)


@pytest.mark.parametrize("label", ["rnn@gaussian:gain=0.3", "rnn@orthogonal:gain=0.9"])
@pytest.mark.parametrize("loss", ["all", "last"])
def test_the_bound_is_above_what_is_lost_at_every_length(label: str, loss: str) -> None:
    """theory T1 iii."""
    cell, sequences = subject(label)
    result = some(found(cell, sequences, loss=loss))
    assert result.contraction is not None
    assert result.contraction < 1
    assert result.log_bound is not None
    assert (result.log_bound >= result.lost.high).all()
    slope = np.diff(result.log_bound)
    np.testing.assert_allclose(slope, math.log(result.contraction), atol=0.05)


@pytest.mark.parametrize(("label", "contraction"), [("rnn@gaussian:gain=2", True), ("lstm", False), ("gru", False)])
def test_without_a_contraction_there_is_no_bound(label: str, contraction: bool) -> None:
    cell, sequences = subject(label)
    result = some(found(cell, sequences))
    assert result.log_bound is None
    assert (result.contraction is not None) is contraction


def test_a_shared_weight_is_needed_and_a_gradient() -> None:
    assert isinstance(found(*subject("rnn:untied=true")), Absent)
    _, sequences = subject("rnn", steps=3)
    dead = RNN(np.eye(N), np.zeros((N, N)), -np.ones(N), RELU)
    assert isinstance(found(dead, sequences), Absent)


def test_trials_of_different_length_are_truncated_within_their_own(tmp_path: Path) -> None:
    cell, whole = subject("gru")
    lengths, rows = (STEPS, 10), np.random.default_rng(2).standard_normal((2, STEPS, N))
    ragged = found(cell.with_weights(**shared(cell)), driven(whole.xs[:2], lengths), cotangent=saved(tmp_path, rows))
    lost = np.full((2, STEPS), np.nan)
    for b, length in enumerate(lengths):
        alone = driven(whole.xs[b : b + 1, -length:])
        given = saved(tmp_path, rows[b : b + 1, -length:])
        lost[b, :length] = some(found(cell.with_weights(**shared(cell)), alone, cotangent=given)).lost.median
    np.testing.assert_allclose(some(ragged).lost.low, np.fmin(*lost), rtol=1e-12)
    np.testing.assert_allclose(some(ragged).lost.high, np.fmax(*lost), rtol=1e-12)


def shared(cell: Cell) -> dict[str, np.ndarray]:
    return {name: getattr(cell, name)[:1] for name in cell.tensors}


def saved(folder: Path, array: np.ndarray) -> str:
    path = folder / "g.npy"
    np.save(path, array)
    return str(path)


def test_random_cotangents_are_unit_vectors_that_more_trials_do_not_change() -> None:
    cell, sequences = subject("rnn")
    rows = cotangents(cell, sequences, LossRequest(), 0)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=-1), 1, rtol=1e-14)
    one = driven(sequences.xs[:1], sequences.lengths[:1])
    np.testing.assert_array_equal(cotangents(cell, one, LossRequest(), 0), rows[:1])
    last = cotangents(cell, sequences, LossRequest(loss="last"), 0)
    assert not last[:, :-1].any()


def test_a_random_loss_on_a_long_sequence_sees_evenly_spaced_outputs_and_the_last() -> None:
    cell, sequences = subject("rnn", steps=600)
    rows = cotangents(cell, sequences, LossRequest(), 0)
    seen = np.flatnonzero(rows[0].any(axis=1))
    np.testing.assert_array_equal(seen, np.arange(2, 600, 3))
    assert in_words(LossRequest(), 600) == "random unit vectors at one output in 3"


@pytest.mark.parametrize("shape", [(N,), (STEPS, N), (TRIALS, STEPS, N)])
def test_a_file_of_cotangents_decides(tmp_path: Path, shape: tuple[int, ...]) -> None:
    cell, sequences = subject("rnn")
    given = np.random.default_rng(3).standard_normal(shape)
    path = saved(tmp_path, given)
    rows = cotangents(cell, sequences, LossRequest(cotangent=path, loss="last"), 0)
    expected = np.broadcast_to(given, (TRIALS, STEPS, N)).copy()
    if len(shape) == 1:
        expected[:, :-1] = 0
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize(("shape", "entry"), [((N + 1,), 1.0), ((STEPS - 1, N), 1.0), ((N,), np.nan)])
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, shape: tuple[int, ...], entry: float) -> None:
    cell, sequences = subject("rnn")
    path = saved(tmp_path, np.full(shape, entry))
    with pytest.raises(VanishgradError, match=r"expected .* got"):
        cotangents(cell, sequences, LossRequest(cotangent=path), 0)


@pytest.mark.parametrize("options", [{"loss": "first"}, {"truncation": 0}])
def test_what_cannot_be_is_wrong_usage(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="expected --"):
        LossRequest(**options)
