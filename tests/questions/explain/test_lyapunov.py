"""The Lyapunov spectrum of a run: its input continued, its exponents summed up over trials."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.errors import UsageError
from vanishgrad.inputs.sequences import stretches
from vanishgrad.questions.explain.lyapunov.measure import Lyapunov, lyapunov
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.run import Run, runs
from vanishgrad.questions.explain.section import Absent

N = 6


def a_run(source: str | dict = "rnn", **options) -> Run:
    size = {"hidden": N} if isinstance(source, str) else {}
    defaults = {**size, "steps": 30, "trials": 3, "lyapunov_steps": 200, "exponents": 64}
    (run,) = runs(ExplainRequest(source, **{**defaults, **options}))
    return run


def found(*arguments, **options) -> Lyapunov:
    return lyapunov(a_run(*arguments, **options))


def test_a_diagonal_linear_network():
    """λ_i = ln|w_i|, without an error; over the run the same."""
    W = np.diag([0.5, 0.9, 0.7])
    layer = {"weight_hh_l0": W, "weight_ih_l0": np.ones((3, 1)), "bias_ih_l0": np.ones(3), "bias_hh_l0": np.zeros(3)}
    result = found(layer, input="zeros", activation="relu", lyapunov_steps=400)
    assert result.lam == pytest.approx(np.log([0.9, 0.7, 0.5]), abs=1e-6)
    assert result.finite == pytest.approx(np.log([0.9, 0.7, 0.5]))
    assert result.dimension == 0
    assert result.sum_rule.difference < 1e-12


@pytest.mark.parametrize("source", ["rnn", "lstm", "gru"])
def test_the_sum_rule_holds_in_every_trial(source):
    result = found(source)
    assert result.complete
    assert result.sum_rule.difference < 1e-9
    assert result.sum_rule.sum == pytest.approx(result.lam.sum())


def test_generated_input_goes_on_where_the_run_began():
    first = next(stretches("white:0.3", 5, (3, 30, N), "float64"))
    assert np.array_equal(a_run(input="white:0.3", seed=5).sequences.xs, first)
    pieces = stretches("white:0.3", 5, (3, 10, N), "float64")
    assert np.array_equal(np.concatenate([next(pieces) for _ in range(3)], axis=1), first)
    result = found()
    assert (result.generated, result.steps, result.burn_in) == (True, 200, 20)


def test_an_input_from_a_file_is_not_made_longer(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((2, 25, 4)))
    options = {"input": str(tmp_path / "x.npy"), "steps": None, "trials": 2}
    result = found(lyapunov_steps=None, **options)
    assert (result.generated, result.steps, result.burn_in) == (False, 25, 0)
    with pytest.raises(UsageError, match=r"expected --lyapunov-steps up to 25, .* got 200; try"):
        found(**options)


def test_fresh_matrices_last_as_long_as_the_run():
    result = found("rnn@gaussian:untied=true,activation=linear", lyapunov_steps=None, burn_in=5)
    assert (result.steps, result.burn_in) == (30, 5)


def test_the_error_is_that_of_the_mean_over_trials():
    """Quartering: sixteen times the steps, a quarter of the error."""
    short, long = (found(lyapunov_steps=steps, exponents=1) for steps in (250, 4000))
    assert long.error[0] / short.error[0] == pytest.approx(1 / 4, rel=0.6)
    assert abs(long.lam[0] - short.lam[0]) < 4 * short.error[0]


def test_what_more_exponents_would_decide_is_left_open():
    chaotic = {"source": "rnn@gaussian:gain=3", "hidden": 40, "input": "zeros", "initial": "normal"}
    few, all_ = found(exponents=2, **chaotic), found(exponents=40, **chaotic)
    assert (few.dimension, few.entropy, few.sum_rule, few.complete) == (None, None, None, False)
    assert 2 < all_.dimension < 40
    assert all_.entropy == pytest.approx(
        np.mean([lam[lam > 0].sum() for lam in [all_.lam]]), rel=0.2
    )  # the mean over trials of sums, and the sum of means


def test_sequences_of_different_lengths_have_none():
    assert isinstance(lyapunov(a_run(lengths="5,9,30", steps=None)), Absent)


def test_the_convergence_ends_in_the_result():
    result = found()
    steps, last = result.history[-1]
    assert steps == 200
    assert last == pytest.approx(result.lam[:3])


def test_a_network_that_overflows_beyond_its_run_has_none():
    run = a_run("rnn@gaussian:activation=linear,gain=4", lyapunov_steps=1000)
    result = lyapunov(run)
    assert isinstance(result, Absent)
    assert result.reason == "the state overflows within 1100 steps; try --lyapunov-steps 30"
    assert lyapunov(a_run("rnn@gaussian:activation=linear,gain=4", lyapunov_steps=30)).lam[0] > 1


def test_single_precision_is_kept_to_its_own_rounding():
    single, double = (found("gru", dtype=dtype) for dtype in ("float32", "float64"))
    assert single.lam == pytest.approx(double.lam, abs=1e-3)
    assert single.sum_rule.difference < 1e-3
