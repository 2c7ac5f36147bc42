"""A summary measures what a table says: the same numbers, and no others."""

from __future__ import annotations

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import UsageError
from vanishgrad.questions.compare import CompareRequest, compare
from vanishgrad.questions.rendering import report_text

MODELS = ("rnn", "rnn:activation=relu", "lstm", "lstm@chrono", "gru", "gru:reset=before")
RUNS = {
    "plain": {},
    "one step": {"steps": 1},
    "own lengths": {"lengths": "12,5,9"},
    "float32": {"dtype": "float32"},
    "dense": {"engine": "dense"},
    "adaptive": {"engine": "adaptive", "hidden": 24, "steps": 40},
    "matrix-free": {"engine": "matrix-free"},
    "start and burn-in": {"initial": "normal", "burn_in": 7},
    "zeros": {"input": "zeros"},
}
every_run = pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)


def reports(options: dict[str, object]) -> tuple[vanishgrad.Report, vanishgrad.Report]:
    shared = {"hidden": 6, "input_size": 4, "steps": 12, "trials": 3, **options}
    return vanishgrad.compare(MODELS, **shared), vanishgrad.compare(MODELS, summary=True, **shared)


@every_run
@pytest.mark.parametrize("kind", ["table", "markdown"])
def test_a_summary_has_the_same_table(options: dict[str, object], kind: str) -> None:
    whole, summary = reports(options)
    assert report_text(summary.typed, kind) == report_text(whole.typed, kind)


@pytest.mark.parametrize("options", [RUNS["plain"], RUNS["own lengths"], RUNS["adaptive"]])
def test_a_summary_has_every_lag_of_the_state_and_the_last_of_the_input(options: dict[str, object]) -> None:
    whole, summary = (report.result for report in reports(options))
    for full, short in zip(whole.models, summary.models, strict=True):
        assert list(short.curves) == ["state", "input"]
        np.testing.assert_allclose(
            short.curves["state"].log_norm.median, full.curves["state"].log_norm.median, rtol=1e-9
        )
        np.testing.assert_allclose(short.curves["state"].log_rms.median, full.curves["state"].log_rms.median, rtol=1e-9)
        lags = {summary.sequences.steps - 1, int(summary.sequences.lengths.min()) - 1}
        found, expected = (each.curves["input"].log_norm.median for each in (short, full))
        assert set(np.flatnonzero(~np.isnan(found))) == lags
        np.testing.assert_allclose(found[list(lags)], expected[list(lags)], rtol=1e-9)


def test_a_summary_has_no_shares_and_counts_nothing() -> None:
    for model in reports({})[1].result.models:
        assert not model.share_by_lag.size
        assert not any(curve.alive for curve in model.curves.values())


def test_a_report_says_that_it_is_a_summary() -> None:
    whole, summary = reports({})
    assert summary.document["request"]["summary"] is True
    assert "summary" not in whole.document["request"]


def test_layers_of_a_file_are_summed_up_as_well(tmp_path) -> None:
    cell = vanishgrad.random_cell("lstm", hidden=5)
    weights = {
        "rnn.weight_hh_l0": cell.W_hh[0],
        "rnn.weight_ih_l0": cell.W_hx[0],
        "rnn.bias_ih_l0": cell.b[0],
        "rnn.bias_hh_l0": 0 * cell.b[0],
    }
    np.savez(path := tmp_path / "weights.npz", **weights)
    whole, summary = (vanishgrad.analyze(path, steps=9, summary=flag) for flag in (False, True))
    assert report_text(summary.typed, "table") == report_text(whole.typed, "table")
    beside = compare(CompareRequest(models=("lstm:hidden=5", str(path)), steps=9, summary=True))
    assert [list(model.curves) for model in beside.models] == [["state", "input"]] * 2


def test_chosen_curves_are_those_of_a_file_too(tmp_path) -> None:
    cell = vanishgrad.random_cell("gru", hidden=5)
    np.savez(path := tmp_path / "weights.npz", weight_hh_l0=cell.W_hh[0], weight_ih_l0=cell.W_hx[0])
    found = vanishgrad.compare(["gru:hidden=5", str(path)], steps=9, curves=("input",)).result
    assert [list(model.curves) for model in found.models] == [["input"]] * 2


@pytest.mark.parametrize("engine", ["auto", "matrix-free"])
def test_curves_that_are_the_state_s_of_a_net_of_one_part_are_measured_by_their_names(engine: str) -> None:
    report = vanishgrad.compare(["gru", "lstm"], hidden=4, steps=6, curves=("hidden", "output"), engine=engine)
    assert [list(model.curves) for model in report.result.models] == [["hidden", "output"]] * 2


@pytest.mark.parametrize(("curves", "got"), [(("state", "sate"), "state, sate"), ((), "none")])
def test_curves_have_names(curves: tuple[str, ...], got: str) -> None:
    with pytest.raises(UsageError, match=f"expected curves among state, hidden.*, got {got}"):
        CompareRequest(curves=curves)


def test_a_summary_has_its_own_curves() -> None:
    with pytest.raises(UsageError, match="expected curves or a summary, got both"):
        CompareRequest(curves=("state",), summary=True)
