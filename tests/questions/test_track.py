"""A training tracked: the horizons of its checkpoints in the order of their numbers, and where one fell."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from vanishgrad.cli import main
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.documents import document_of
from vanishgrad.questions.track.figure import draw
from vanishgrad.questions.track.track import to_csv

N, WIDTH = 4, 3
RUN = {"steps": 40, "trials": 2}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints of epochs 1, 2 and 10, whose forget gates close at the last."""
    rng = np.random.default_rng(0)
    weights = {
        f"encoder.weight_{side}_l0": 0.1 * rng.normal(size=(4 * N, width)) for side, width in (("ih", WIDTH), ("hh", N))
    }
    for epoch, bias in ((1, 5.0), (2, 4.0), (10, -1.0)):
        b = np.zeros(4 * N)
        b[N : 2 * N] = bias
        np.savez(tmp_path / f"ck{epoch}.npz", **weights, **{"encoder.bias_ih_l0": b})
    return tmp_path


def test_each_checkpoint_is_what_analyze_finds_in_the_order_of_its_number(folder: Path) -> None:
    found = vanishgrad.track(str(folder / "ck*.npz"), **RUN)
    (layer,) = found.layers
    assert [point.place for point in layer.points] == ["ck1.npz", "ck2.npz", "ck10.npz"]
    for point in layer.points:
        state = vanishgrad.analyze(folder / point.place, **RUN)["encoder"].state
        assert (point.horizon, point.horizon_censored, point.rate) == (
            state.horizon,
            state.horizon_censored,
            state.rate.value,
        )


def test_the_text_says_where_it_fell(folder: Path) -> None:
    found = vanishgrad.track(str(folder / "ck*.npz"), **RUN)
    assert found.layers[0].fell == "ck10.npz"
    lines = str(found).splitlines()
    assert lines[0].startswith("Driven by white noise")
    last = found.layers[0].points[-1].horizon
    assert lines[-1].startswith("encoder.0") and lines[-1].endswith(f"> 40 → {last}  fell at ck10.npz")
    assert not vanishgrad.track([folder / "ck1.npz", folder / "ck2.npz"], **RUN).layers[0].fell


def test_csv_and_json_have_every_point(folder: Path) -> None:
    found = vanishgrad.track(str(folder / "ck*.npz"), **RUN)
    rows = list(csv.DictReader(io.StringIO(to_csv(found.typed))))
    assert [row["horizon"] for row in rows] == [str(point.horizon) for point in found.layers[0].points]
    assert document_of("track").read(json.loads(found.to_json())).to_json() == found.to_json()


def test_a_log_of_a_watch_is_read(tmp_path: Path) -> None:
    layer = {"factor": 0.9, "rate": -0.1, "horizon_state": 60, "censored": False, "horizon_input": 50}
    lines = [
        {"step": 100, "layers": {"rnn.0": layer}},
        {"step": 200, "layers": {"rnn.0": {**layer, "horizon_state": 20}}},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (found,) = vanishgrad.track(tmp_path / "log.jsonl").layers
    assert [point.horizon for point in found.points] == [60, 20] and found.fell == "step 200"


def test_reports_are_tracked_at_their_own_threshold(folder: Path) -> None:
    for name, threshold in (("ck1", 1e-2), ("ck2", 1e-2), ("ck10", 1e-4)):
        report = vanishgrad.analyze(folder / f"{name}.npz", threshold=threshold, **RUN)
        (folder / f"{name}.json").write_text(report.to_json())
    (layer,) = (found := vanishgrad.track([folder / "ck1.json", folder / "ck2.json"])).layers
    assert [point.place for point in layer.points] == ["ck1.json", "ck2.json"]
    assert found.typed.request.threshold == 1e-2
    with pytest.raises(VanishgradError, match=r"one threshold, got 0.0001, 0.01"):
        vanishgrad.track(str(folder / "*.json"))
    with pytest.raises(UsageError, match=r"expected --steps with weights or a MODEL, got a report"):
        vanishgrad.track(folder / "ck1.json", steps=9)


def test_a_report_without_the_state_is_refused(folder: Path) -> None:
    (folder / "r.json").write_text(vanishgrad.analyze(folder / "ck1.npz", curves=("hidden",), **RUN).to_json())
    with pytest.raises(VanishgradError, match=r"expected the curve 'state' of encoder.*got hidden"):
        vanishgrad.track(folder / "r.json")


def test_options_of_a_run_beside_a_log_are_refused(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("")
    with pytest.raises(UsageError, match="expected --input with weights or a MODEL, got the log of a watch"):
        vanishgrad.track(tmp_path / "log.jsonl", input="zeros")


@pytest.mark.parametrize("line", ["{", "[]", '{"step": 1}', '{"step": 1, "layers": {"a": {"rate": "x"}}}', "3"])
def test_another_log_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "log.jsonl").write_text(line + "\n")
    with pytest.raises(VanishgradError, match="expected a record of a watch in line 1"):
        vanishgrad.track(tmp_path / "log.jsonl")


def test_nothing_to_track_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(VanishgradError, match=r"expected files at .*ck\*\.pt, got none"):
        vanishgrad.track(str(tmp_path / "ck*.pt"))
    with pytest.raises(UsageError, match="expected one log of a watch"):
        vanishgrad.track(["a.jsonl", "b.pt"])


def test_a_picture_has_a_line_for_each_layer_in_tones_of_one_colour(folder: Path) -> None:
    figure = draw(vanishgrad.track(str(folder / "ck*.npz"), **RUN).typed)
    above, beneath = figure.axes
    (line,) = (each for each in above.lines if len(each.get_xdata()) == 3)
    assert line.get_xdata().tolist() == [1.0, 2.0, 10.0]  # the epochs
    assert beneath.get_xlabel() == "ckN.npz" and any("fell at ck10.npz" in text.get_text() for text in figure.texts)


def test_the_command_draws_it(folder: Path, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    argv = ["track", "ck*.npz", "--steps", "9", "--trials", "1", "--plot", "t.svg", "--plot", "t.png", "--quiet"]
    with pytest.raises(SystemExit) as end:
        main(argv)
    assert not end.value.code and b"<svg" in (folder / "t.svg").read_bytes()
