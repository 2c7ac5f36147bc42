"""Runs measured at some lags: the same numbers there, the same horizon and verdict, and nothing invented between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.curves.curves import ABSENT, LEVEL, line, read
from vanishgrad.curves import measure
from vanishgrad.curves.curve import Trend
from vanishgrad.curves.matrix_free_curves import measured_lags
from vanishgrad.curves.measure import products_fit
from vanishgrad.questions.compare import CompareRequest, compare, comparison
from vanishgrad.questions.plot.render import available_kinds, render
from vanishgrad.reports.csv_rows import to_csv
from vanishgrad.reports.table import to_table
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

MODELS = ("rnn", "lstm", "lstm:forget_bias=1", "lstm@chrono", "gru", "gru:reset=before")


def result(engine: str, **options):
    return compare(
        CompareRequest(**{"models": MODELS, "hidden": 20, "trials": 3, "steps": 70, "engine": engine, **options})
    )


@pytest.fixture(scope="module")
def both():
    return list(zip(result("matrix-free").models, result("dense").models, strict=True))


def test_measured_lags_have_the_dense_norms_and_others_have_none(both) -> None:
    for found, dense in both:
        assert (found.engine.name, dense.engine.name) == ("matrix-free", "dense")
        assert found.engine.error_bound <= 1e-8
        assert list(found.curves) == list(dense.curves)
        for name, curve in found.curves.items():
            some = curve.count > 0
            assert name == "conveyor" or 8 < some.sum() < 40
            np.testing.assert_allclose(
                curve.log_norm.median[some], dense.curves[name].log_norm.median[some], rtol=0, atol=1e-9
            )
            assert np.isnan(curve.log_norm.median[~some]).all()
            np.testing.assert_allclose(curve.trial_final, dense.curves[name].trial_final, rtol=0, atol=1e-9)


def test_horizon_verdict_and_shares_are_the_dense_ones(both) -> None:
    for found, dense in both:
        np.testing.assert_allclose(found.share_by_lag, dense.share_by_lag, rtol=1e-9)
        for name, curve in found.curves.items():
            exact = dense.curves[name]
            assert (curve.horizon, curve.verdict) == (exact.horizon, exact.verdict), (found.label, name)
            assert curve.trend in (exact.trend, Trend.NEUTRAL)  # an interval of fewer lags is wider
            assert {lag: exact.alive[lag] for lag in curve.alive} == curve.alive
            # five lags of 36, of a curve that wavers by a tenth of a nat
            assert curve.rate.value == pytest.approx(exact.rate.value, abs=0.02)


def test_typical_sizes_are_not_invented(both) -> None:
    for found, dense in both:
        state = found.curves["state"].log_rms.median
        assert state[0] == dense.curves["state"].log_rms.median[0]
        assert np.isnan(state[1:]).all()
        np.testing.assert_allclose(
            found.curves["output"].log_rms.median[0], dense.curves["output"].log_rms.median[0], atol=1e-15
        )


def test_the_report_says_what_was_measured() -> None:
    document = comparison(result("matrix-free"))
    assert any(note.startswith("matrix-free: some lags are measured") for note in document.models[0].notes)
    assert "block_contraction" not in [bound.name for bound in document.models[0].bounds]
    rows = to_csv(document).splitlines()
    assert len(rows) == 1 + sum(
        sum(count > 0 for count in curve.count) for model in document.models for curve in model.curves.values()
    )
    assert " – " in to_table(document)
    assert "zero" not in to_table(document).partition("γ")[0]
    for kind in available_kinds(document):
        assert render(document, kind, "svg").startswith(b"<?xml")


def test_sequences_of_their_own_length() -> None:
    options = {"lengths": "70,33,50", "steps": None}
    for found, dense in zip(result("matrix-free", **options).models, result("dense", **options).models, strict=True):
        for name, curve in found.curves.items():
            exact = dense.curves[name]
            assert (curve.final_lag, curve.horizon, curve.verdict) == (exact.final_lag, exact.horizon, exact.verdict)
            some = curve.count > 0
            np.testing.assert_array_equal(curve.count[some], exact.count[some])
            np.testing.assert_allclose(curve.log_norm.low[some], exact.log_norm.low[some], rtol=0, atol=1e-9)


def test_the_same_request_gives_the_same_bytes() -> None:
    request = CompareRequest(("lstm",), hidden=12, steps=30, trials=2, engine="matrix-free")
    assert comparison(compare(request)).to_json() == comparison(compare(request)).to_json()


def test_it_is_chosen_where_the_products_do_not_fit(monkeypatch) -> None:
    (model,) = compare(CompareRequest(("lstm",), hidden=12, steps=9, trials=2)).models
    assert model.engine.name == "dense"
    monkeypatch.setattr(measure, "LARGEST_PRODUCT", 3 * 2 * 24**2 * 8 - 1)
    (model,) = compare(CompareRequest(("lstm",), hidden=12, steps=9, trials=2)).models
    assert model.engine.name == "matrix-free"


@pytest.mark.parametrize(("hidden", "trials", "fits"), [(64, 8, True), (1024, 8, True), (2048, 8, False)])
def test_what_fits(hidden: int, trials: int, fits: bool) -> None:
    spec = parse("lstm").resolved(2, 1)
    cell = draw(spec, 1, 1, 1, 0).cell(spec)
    cell.W_hh = np.broadcast_to(cell.W_hh[:, :1, :1], (1, 4 * hidden, hidden))
    cell.W_hx = np.broadcast_to(cell.W_hx[:, :1], (1, 4 * hidden, 1))
    assert products_fit(cell, trials) == fits


@pytest.mark.parametrize("last", [1, 2, 3, 10, 1000, 123_456])
def test_lags_that_are_measured(last: int) -> None:
    lags = measured_lags(last)
    assert lags[-1] == last
    assert lags == sorted(set(lags))
    assert len([lag for lag in lags if lag >= last / 2]) >= min(5, last // 2 + 1)
    assert len(lags) < 12 + 2 * last.bit_length()


def gaps(values: list[float], *measured: int) -> list[float]:
    return [value if lag in measured else ABSENT for lag, value in enumerate(values)]


def test_a_horizon_between_two_measured_lags_is_not_known() -> None:
    whole = line(LEVEL / 10.5, 20)
    assert read(gaps(whole, 0, 5, 10, 11, 20)).horizon.lag == read(whole).horizon.lag == 10
    unresolved = read(gaps(whole, 0, 5, 12, 20)).horizon
    assert (unresolved.lag, unresolved.censored, unresolved.low, unresolved.high) == (None, False, None, None)


def test_the_rate_of_a_line_is_that_of_its_measured_lags() -> None:
    found = read(gaps(line(-0.3, 40), 0, 1, 20, 30, 40))
    assert found.rate.value == pytest.approx(-0.3)
    assert (found.final_lag, found.count.tolist()[:3], found.peak) == (40, [1, 1, 0], None)


@pytest.mark.parametrize("gain", ["0", "1e-45", "1e-200"])
@pytest.mark.parametrize("model", ["rnn@gaussian:gain=", "rnn@gaussian:activation=relu,gain=", "gru@gaussian:gain="])
@pytest.mark.parametrize("hidden", [1, 2, 8])
def test_tiny_weights_have_the_dense_norms_or_none(model: str, gain: str, hidden: int) -> None:
    request = CompareRequest((model + gain,), hidden=hidden, trials=2, steps=12, engine="matrix-free")
    found, dense = (compare(replace(request, engine=engine)).models[0] for engine in ("matrix-free", "dense"))
    for name, curve in found.curves.items():
        measured, exact = curve.log_norm.median, dense.curves[name].log_norm.median
        both = curve.count == 2  # of an image that is zero for the start alone nothing is known
        assert both.sum() > 5
        np.testing.assert_array_equal(np.isneginf(measured[both]), np.isneginf(exact[both]))
        finite = both & np.isfinite(measured)
        np.testing.assert_allclose(measured[finite], exact[finite], rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("model", ["rnn@gaussian:gain=", "rnn@gaussian:activation=relu,gain=", "gru@gaussian:gain="])
def test_subnormal_weights_end_in_curves_without_a_number_that_is_none(model: str) -> None:
    # Ten bits are left of such a weight, and fewer of its products: Ritz values need not settle.
    for curve in result("matrix-free", hidden=8, steps=12, models=(model + "1e-320",)).models[0].curves.values():
        assert not np.isposinf(curve.log_norm.median).any()
        assert np.isnan(curve.log_norm.median[curve.count == 0]).all()
