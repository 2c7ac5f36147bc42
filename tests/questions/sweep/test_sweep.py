"""Sweeps: the numbers of `compare`, whatever goes together in a batch; resumed, recorded where they fail, drawn."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from vanishgrad.curves.measure import ERROR_LIMIT
from vanishgrad.errors import UsageError
from vanishgrad.questions.sweep.document import SweepDocument, settings_of
from vanishgrad.questions.sweep.plan import SweepPlan
from vanishgrad.questions.sweep.report import to_markdown, to_table
from vanishgrad.questions.sweep.tables import to_csv

MODELS = ["lstm@gaussian:gain=0.5..3/3,forget_bias=-2,4", "rnn@orthogonal"]
OPTIONS = {"hidden": "5,7", "steps": "20", "burn_in": "2", "trials": 3, "measure": "rate,horizon,input_horizon,norm@10"}


def found(models=MODELS, jobs=1, **changed) -> SweepDocument:
    return vanishgrad.sweep(models, jobs=jobs, report=True, **{**OPTIONS, **changed}).typed


@pytest.fixture(scope="module")
def document() -> SweepDocument:
    return found()


def test_every_point_has_the_numbers_of_compare(document):
    assert len(document.points) == 14 and document.complete
    for point in document.points:
        report = vanishgrad.compare(point.label, hidden=point.hidden, steps=20, burn_in=2, trials=3)
        state, taken_in = (report.result.models[0].curves[name] for name in ("state", "input"))
        rate, norm = point.measures["rate"], point.measures["norm@10"]
        assert [rate.value, rate.low, rate.high] == pytest.approx([state.rate.value, state.rate.low, state.rate.high])
        assert rate.trials == pytest.approx(state.trial_rates.tolist(), abs=ERROR_LIMIT)
        assert norm.value == pytest.approx(state.log_norm.median[10] / math.log(10), abs=ERROR_LIMIT)
        for name, horizon in (("horizon", state.horizon), ("input_horizon", taken_in.horizon)):
            measured = point.measures[name]
            assert (measured.value, measured.censored) == (horizon.lag, horizon.censored)
            assert (measured.low, measured.high) == (horizon.low, horizon.high)


def test_options_of_a_run_are_those_of_compare():
    axes = {
        "hidden": 4,
        "input": "zeros,white:2",
        "initial": "normal,normal:2",
        "dtype": "float32,float64",
        "seed": "1,2",
    }
    document = found("gru@gaussian:gain=3", threshold="1e-2,1e-1", measure="rate,horizon", **axes)
    assert len(document.points) == 32
    for point in document.points[::5]:
        at = point.coordinates
        report = vanishgrad.compare(
            point.label, hidden=4, steps=20, burn_in=2, trials=3, input=f"white:{at['noise']}", dtype=at["dtype"],
            initial=f"normal:{at['initial']}", seed=int(at["seed"]), threshold=at["threshold"],
        )  # fmt: skip
        state, eps = report.result.models[0].curves["state"], float(np.finfo(at["dtype"]).eps)
        assert point.measures["rate"].value == pytest.approx(state.rate.value, abs=100 * eps)
        assert point.measures["horizon"].value == state.horizon.lag


def test_files_of_weights_are_measured_as_analyze_has_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in (1, 2):
        cell = vanishgrad.random_cell("lstm@gaussian:gain=3", hidden=4, seed=seed)
        weights = {"weight_hh_l0": cell.W_hh[0], "weight_ih_l0": cell.W_hx[0], "bias_ih_l0": cell.b[0]}
        np.savez(f"ck{seed}.npz", **weights, bias_hh_l0=np.zeros(16))
    Path("ck3.npz").write_bytes(b"no weights")
    document = found("ck*.npz", hidden=64, measure="rate,lyapunov,keep_gate", input="white:0.5")
    *good, bad = document.points
    assert "ck3.npz" in bad.failed and bad.coordinates == {"file": "ck3.npz"}
    for point in good:
        report = vanishgrad.analyze(point.coordinates["file"], steps=20, burn_in=2, trials=3, input="white:0.5")
        model = report.result.models[0]
        assert point.measures["rate"].value == pytest.approx(model.curves["state"].rate.value, abs=ERROR_LIMIT)
        assert point.measures["keep_gate"].value == pytest.approx(model.gates["forget"].mean, rel=1e-9)
        assert (point.hidden, point.input_size) == (4, 4)
    assert SweepDocument.read(document.to_dict()).to_json() == document.to_json()


def test_points_of_one_shape_are_one_batch():
    plan = SweepPlan(settings_of(MODELS, OPTIONS))
    assert sorted(map(len, plan.batches)) == [1, 1, 6, 6]
    assert sorted(place for batch in plan.batches for place in batch) == list(range(14))


def test_a_large_model_is_a_batch_of_its_own():
    plan = SweepPlan(settings_of("rnn@gaussian:gain=1,2,3", {"hidden": 300, "trials": 2}))
    assert list(map(len, plan.batches)) == [1, 1, 1]


def test_the_report_is_the_same_for_any_number_of_processes(document):
    assert found(jobs=2).to_json() == document.to_json()


def test_csv_has_a_row_for_each_point_and_trial(document):
    rows = list(csv.DictReader(io.StringIO(to_csv(document))))
    assert len(rows) == 14 * 3
    measures = OPTIONS["measure"].split(",")
    assert list(rows[0])[: 6 + len(measures)] == [
        "model", "label", "gain", "forget_bias", "hidden", "trial", *measures,
    ]  # fmt: skip
    assert rows[0]["rate_over_trials"] == str(document.points[0].measures["rate"].value)
    assert rows[-1]["gain"] == "" and float(rows[0]["rate"]) == document.points[0].measures["rate"].trials[0]


def test_frames_hold_the_same_numbers(document):
    pytest.importorskip("pandas")
    pytest.importorskip("xarray")
    report = vanishgrad.sweep(MODELS, report=True, **OPTIONS)
    frame = report.to_pandas()
    assert frame.shape == (42, 6 + 4 * 4 + 2) and report.to_csv() == to_csv(document)
    data = report.to_xarray(MODELS[0])
    assert dict(data.sizes) == {"gain": 3, "forget_bias": 2, "hidden": 2, "trial": 3}
    point = document.points[-3]
    place = {"gain": 3.0, "forget_bias": 4.0, "hidden": 7.0}
    assert point.coordinates == place
    assert data["rate"].sel(place).item() == point.measures["rate"].value
    assert data["rate_by_trial"].sel(place).values.tolist() == point.measures["rate"].trials
    assert np.isnan(vanishgrad.sweep("rnn@identity:gain=0", hidden=3, steps=9, measure="rate")["rate"]).all()
    with pytest.raises(UsageError, match="expected one MODEL out of"):
        report.to_xarray("gru")


def test_models_without_a_common_grid_lie_along_points(document):
    pytest.importorskip("xarray")
    data = vanishgrad.sweep(MODELS, **OPTIONS)
    assert dict(data.sizes) == {"point": 14, "trial": 3}
    rates = {str(label): value for label, value in zip(data["label"].values, data["rate"].values, strict=True)}
    last = [point for point in document.points if point.label == "rnn@orthogonal"][-1]
    assert rates["rnn@orthogonal"] == last.measures["rate"].value
    assert np.isnan(data["gain"].values[data["model"].values == "rnn@orthogonal"]).all()


def test_a_table_and_markdown_say_ranges_and_critical_gains(document):
    for text in (to_table(document), to_markdown(document)):
        assert "14 points of 2 MODELs, 3 trials each" in text
        assert "no theory speaks of it" in text


def test_an_exact_zero_has_no_rate_and_no_norm():
    (point,) = found(["rnn@identity:gain=0"], hidden=3, measure="rate,norm@10").points
    assert point.failed is None
    assert all(each.value is None and each.trials == [None] * 3 for each in point.measures.values())
