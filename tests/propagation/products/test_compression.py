"""Rows that are left out: the norms stay within the stated bound of the dense ones, and where they cannot, dense it is."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.propagation.products import compression
from vanishgrad.propagation.products.compression import error_bound, missing
from vanishgrad.questions.compare import CompareRequest, compare, comparison

MODELS = ("rnn", "rnn@orthogonal", "lstm", "lstm:forget_bias=1", "lstm@gaussian:gain=6", "gru", "gru:reset=before")


def results(engine: str, models=MODELS, steps=120, **options):
    request = CompareRequest(models=models, hidden=24, steps=steps, trials=3, engine=engine, **options)
    return {model.label: model for model in compare(request).models}


@pytest.fixture(scope="module")
def dense():
    return results("dense")


def test_every_curve_stays_within_the_bound_of_the_dense_one(dense):
    roundoff = 1e-10  # what the norms of both are converged to
    for label, model in results("adaptive").items():
        for name, curve in model.curves.items():
            exact = dense[label].curves[name]
            error = np.abs(curve.log_norm.median - exact.log_norm.median).max()
            assert error <= model.engine.error_bound + roundoff, (label, name)
            assert curve.alive == exact.alive, (label, name)


def test_the_whole_state_alone_needs_fewer_rows_than_its_parts():
    """h and c grow from the same directions: turned into one another, the rows of both are no more than those of one."""
    run = {"models": ("lstm",), "steps": 150}
    (whole,), (parts,), (dense,) = (
        results(engine, curves=curves, **run).values()
        for engine, curves in (("adaptive", ("state",)), ("adaptive", None), ("dense", None))
    )
    exact, error = dense.curves["state"], whole.engine.error_bound + 1e-10
    assert whole.engine.final_rows <= parts.engine.final_rows / 2
    np.testing.assert_allclose(whole.curves["state"].log_norm.median, exact.log_norm.median, rtol=0, atol=error)
    np.testing.assert_allclose(whole.curves["state"].log_rms.median, exact.log_rms.median, rtol=0, atol=error)


def test_contracting_products_lose_rows_and_the_report_says_so(dense):
    found = results("adaptive")
    for label in ("rnn", "lstm", "gru"):
        assert found[label].engine.name == "adaptive"
        assert found[label].engine.final_rows < dense[label].engine.final_rows / 2
        assert 0 < found[label].engine.error_bound < 1e-8


def test_the_share_by_lag_is_carried_exactly(dense):
    """No row of it is left out; BLAS may round a row of a smaller product otherwise, a unit a step."""
    for label, model in results("adaptive").items():
        tolerance = 120 * np.finfo(float).eps
        np.testing.assert_allclose(model.share_by_lag, dense[label].share_by_lag, rtol=tolerance)


@pytest.mark.parametrize(("small", "engine"), [(5e-6, "adaptive"), (1e-4, "adaptive"), (0.3, "dense")])
def test_a_sweep_whose_bound_is_passed_is_repeated_with_more_rows_first(dense, monkeypatch, small, engine):
    """Rows left out below 5e-6 keep the bound, and below an eighth of 1e-4; below 0.3 they do not."""
    monkeypatch.setattr(compression, "SMALL", small)
    (found,) = results("adaptive", models=("lstm",)).values()
    assert (found.engine.name, found.engine.error_bound <= 1e-8) == (engine, True)


def test_a_sweep_whose_bound_is_passed_is_repeated_with_every_row(dense, monkeypatch):
    monkeypatch.setattr(compression, "SMALL", 0.3)
    for label, model in results("adaptive").items():
        assert model.engine.error_bound <= 1e-8
        np.testing.assert_allclose(
            model.curves["state"].log_norm.median, dense[label].curves["state"].log_norm.median, atol=1e-8
        )


def test_probes_see_what_outgrows_the_kept_part():
    """σ = 1 kept; 1e-7 left out is harmless, 1 left out is not."""
    rng = np.random.default_rng(0)
    for size, harmless in ((1e-7, True), (1.0, False)):
        probes = size * rng.standard_normal((1, 8, 1)) * np.eye(5)[:1]
        assert (error_bound(np.ones(1), missing(probes[:, None])) < 1e-8) == harmless


def test_diagonal_products_are_left_as_they_are():
    request = CompareRequest(models=("rnn@identity:activation=relu",), hidden=40, steps=60, trials=2, engine="adaptive")
    (model,) = compare(request).models
    assert model.engine.name == "dense"
    assert set(np.exp(model.curves["state"].log_norm.high)) <= {0.0, 1.0}


def test_jobs_do_not_change_a_byte():
    request = CompareRequest(models=("rnn", "lstm", "gru"), hidden=16, steps=30, trials=2)
    assert comparison(compare(request, jobs=3)).to_json() == comparison(compare(request)).to_json()
