"""Measures of a sweep against the reports of `compare` and `explain`, and against NumPy on the same weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vanishgrad
from vanishgrad.curves.measure import ERROR_LIMIT
from vanishgrad.questions.sweep.measures import MeasuredQuantity

MODELS = ["lstm@gaussian:gain=1,3", "rnn@gaussian:gain=3"]
SIZES = {"hidden": 6, "steps": 30, "trials": 3}


def points_of(models, measure: str, **options) -> list[dict[str, MeasuredQuantity]]:
    return [
        point.measures
        for point in vanishgrad.sweep(models, report=True, measure=measure, **{**SIZES, **options}).typed.points
    ]


@pytest.mark.parametrize("curve", ["hidden", "cell", "conveyor", "input", "output"])
def test_every_curve_has_rate_horizon_verdict_and_norm(curve):
    names = [f"{curve}_{name}" for name in ("rate", "horizon", "verdict", "norm@7")]
    (measured,) = points_of(["lstm@gaussian:gain=3"], ",".join(names), burn_in=2)
    report = vanishgrad.compare("lstm@gaussian:gain=3", burn_in=2, **SIZES)
    curve_of_compare = report.result.models[0].curves[curve]
    rate, horizon, verdict, norm = (measured[name] for name in names)
    assert rate.value == pytest.approx(curve_of_compare.rate.value, abs=ERROR_LIMIT)
    assert horizon.value == curve_of_compare.horizon.lag
    assert norm.value == pytest.approx(curve_of_compare.log_norm.median[7] / math.log(10), abs=ERROR_LIMIT)
    sides = {-1: "vanishing", 0: "preserved", 1: "exploding"}
    assert [sides[side] for side in verdict.trials] == [each.value for each in curve_of_compare.trial_verdicts]


def test_a_verdict_is_inconclusive_where_the_ends_of_its_interval_differ():
    for gain in (1, 2, 3, 4):
        model = f"rnn@gaussian:gain={gain}"
        (measured,) = points_of([model], "verdict")
        verdict = vanishgrad.compare(model, **SIZES).result.models[0].curves["state"].verdict.value
        quantity = measured["verdict"]
        is_split = quantity.low != quantity.high
        side = {-1: "vanishing", 0: "preserved", 1: "exploding"}[quantity.value]
        assert verdict == ("inconclusive" if is_split else side)


def test_the_lyapunov_exponent_is_that_of_explain():
    measured = points_of(MODELS, "lyapunov")
    for quantities, label in zip(measured, ["lstm@gaussian:gain=1", "lstm@gaussian:gain=3", MODELS[1]], strict=True):
        report = vanishgrad.explain(label, only=("lyapunov",), exponents=1, **SIZES)
        (exponent,) = report.result.models[0].sections["lyapunov"].lam
        quantity = quantities["lyapunov"]
        assert quantity.value == pytest.approx(exponent, abs=1e-9)
        assert quantity.low < quantity.value < quantity.high


def test_the_lyapunov_exponent_of_weights_of_every_step_is_along_the_run():
    (quantities,) = points_of(["rnn@gaussian:untied=true,activation=linear"], "lyapunov,rate", steps=200, trials=8)
    assert quantities["lyapunov"].value == pytest.approx(quantities["rate"].value, abs=0.05)


def test_the_spectral_radius_is_of_the_matrix_that_was_drawn():
    (quantities,) = points_of(["rnn@gaussian:gain=2"], "spectral_radius")
    cells = [vanishgrad.random_cell("rnn@gaussian:gain=2", hidden=6, steps=30, seed=0)]
    assert quantities["spectral_radius"].trials[0] == pytest.approx(
        np.abs(np.linalg.eigvals(cells[0].W_hh[0])).max(), rel=1e-12
    )
    (orthogonal,) = points_of(["gru@orthogonal"], "spectral_radius")
    assert orthogonal["spectral_radius"].value == pytest.approx(1, rel=1e-12)


def test_the_gate_that_keeps_is_sigma_of_its_bias_at_the_fixed_point_zero():
    for model in ("lstm@gaussian:forget_bias=2", "gru@gaussian:forget_bias=2", "mgu@gaussian:forget_bias=2"):
        (quantities,) = points_of([model], "keep_gate", input="zeros", burn_in=3)
        assert quantities["keep_gate"].value == pytest.approx(1 / (1 + math.exp(-2)), rel=1e-12)


def test_a_measure_that_a_cell_has_not_is_null_there():
    *_, vanilla = points_of([*MODELS], "rate,conveyor_rate,keep_gate,cell_horizon")
    assert vanilla["rate"].value is not None
    for name in ("conveyor_rate", "keep_gate", "cell_horizon"):
        assert vanilla[name].value is None and vanilla[name].trials == [None] * 3
