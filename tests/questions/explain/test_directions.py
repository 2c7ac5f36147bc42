"""The directions of a run: their number, their likeness, and the units that carry the best."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.errors import UsageError
from vanishgrad.questions.explain.directions.measure import directions, effective_rank, spread
from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.run import Run, runs, spectral_trials

N = 6


def a_run(source: str | dict = "lstm", **options) -> Run:
    size = {"hidden": N} if isinstance(source, str) else {}
    (run,) = runs(ExplainRequest(source, **{**size, "steps": 30, "trials": 3, **options}))
    return run


def recurrent(W: np.ndarray, **options) -> Run:
    """Return the relu network of a recurrent matrix, all units alive."""
    n = len(W)
    layer = {"weight_hh_l0": W, "weight_ih_l0": np.zeros((n, 1)), "bias_ih_l0": np.ones(n), "bias_hh_l0": np.zeros(n)}
    return a_run(layer, input="zeros", activation="relu", **options)


def test_the_largest_singular_value_is_the_norm_of_the_curve():
    (model,) = explain(ExplainRequest("lstm", hidden=N, steps=40, trials=3, only=("directions",))).models
    blocks = model.sections["directions"].blocks
    assert list(blocks) == ["state", "cell"]
    for name, lags in blocks.items():
        norms = model.result.curves[name].log_norm
        for found in lags:
            assert found.log_sigma[0] == pytest.approx(norms.median[found.lag], abs=1e-9)
            assert found.high[0] == pytest.approx(norms.high[found.lag], abs=1e-9)


def test_the_squares_of_the_singular_values_are_those_of_the_entries():
    (model,) = explain(ExplainRequest("gru", hidden=N, steps=30, trials=1, only=("directions",))).models
    for found in model.sections["directions"].blocks["state"]:
        rms = model.result.curves["state"].log_rms.median[found.lag]
        assert np.log(np.sum(np.exp(2 * found.log_sigma)) / N) / 2 == pytest.approx(rms, abs=1e-9)


@pytest.mark.parametrize(
    ("sigma", "rank"),
    [([1, 1, 1, 1], 4), ([5, 0, 0, 0], 1), ([0, 0, 0], 0), ([2, 2, 0], 2), ([1, 1 / 3], np.exp(0.75 * np.log(4 / 3) + 0.25 * np.log(4)))],
)  # fmt: skip
def test_the_effective_rank_of_roy_and_vetterli(sigma, rank):
    with np.errstate(divide="ignore"):
        log_sigma = np.log(np.array([sigma], dtype=float)) - 2000  # far out of the range of a float64
    assert effective_rank(log_sigma) == pytest.approx([rank])


def test_the_spread_leaves_out_what_is_exactly_zero():
    log_sigma = np.array([[3.0, 1.0, -np.inf], [2.0, 2.0, 2.0], [-np.inf] * 3])
    assert spread(log_sigma) == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)


def test_an_orthogonal_linear_network_is_an_isometry():
    run = a_run("rnn@orthogonal:activation=linear", steps=50)
    for found in directions(run).blocks["state"]:
        assert np.abs(found.log_sigma).max() < 1e-12
        assert found.spread < 1e-12
        assert found.effective_rank == pytest.approx(N)


def test_the_units_that_carry_the_best_direction():
    """A diagonal network keeps its largest entry's unit, and loses the unit that is dead."""
    run = recurrent(np.diag([0.5, 0.9, 0.0, 0.7]))
    *_, last = directions(run).blocks["state"]
    assert last.zeros == 1
    assert last.log_sigma[:3] == pytest.approx(30 * np.log([0.9, 0.7, 0.5]))
    for carriers in (last.source, last.target):
        first, *_ = carriers.units
        assert (first.part, first.index, first.share) == ("h", 1, pytest.approx(1))
        assert carriers.number == pytest.approx(1)


def test_where_a_direction_starts_and_where_it_ends_differ():
    """One step of a shift: unit 2 is what is read, unit 0 is where it goes."""
    W = np.zeros((3, 3))
    W[0, 2] = 0.5
    first, last = directions(recurrent(W, lags=(1,))).blocks["state"]
    assert first.source.units[0].index == 2
    assert first.target.units[0].index == 0
    assert np.isneginf(last.log_sigma).all()
    assert (last.source, last.spread, last.effective_rank) == (None, None, 0)


def test_a_kept_unit_has_the_time_constant_of_its_gate():
    run = a_run("lstm@chrono", trials=1)
    f = run.cell.gate_values(run.trajectory)["forget"][:, 0].mean(axis=0)
    *_, last = directions(run).blocks["cell"]
    for unit in last.source.units:
        assert unit.part == "c"
        assert unit.time_constant == pytest.approx(-1 / np.log(f[unit.index]))


def test_trials_that_share_their_weights_are_pooled():
    assert directions(recurrent(np.eye(3))).pooled
    assert not directions(a_run("rnn")).pooled


def test_the_lags_that_are_asked_for_and_the_last():
    assert [each.lag for each in directions(a_run("rnn", lags=(7, 3))).blocks["state"]] == [3, 7, 30]
    assert [each.lag for each in directions(a_run("rnn")).blocks["state"]] == [1, 10, 30]
    assert [each.lag for each in directions(a_run("rnn", lengths="5,9,30", steps=None)).blocks["state"]] == [1, 5]


def test_a_lag_beyond_the_last_is_wrong_usage():
    with pytest.raises(UsageError, match="expected --lags up to 30, got 31; try --steps 31"):
        directions(a_run("rnn", lags=(31,)))


def test_of_a_large_network_only_the_first_trials_are_looked_at():
    assert spectral_trials(a_run("lstm").cell, 8) == 8
    assert spectral_trials(a_run("lstm", hidden=128, trials=1, steps=1).cell, 8) == 1
    run = a_run("rnn", hidden=150, steps=3)
    assert directions(run).trials == 3
    assert spectral_trials(run.cell, 8) == 4
