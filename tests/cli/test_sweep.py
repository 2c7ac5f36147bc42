"""``sweep`` on the command line: exit status, what is kept of an interrupted run, pictures of its report."""

from __future__ import annotations

import json

import vanishgrad
from vanishgrad.questions.sweep import run as sweep_run


def test_a_point_that_fails_is_recorded_and_the_others_of_its_batch_go_on(run, tmp_path):
    path = tmp_path / "s.json"
    model = "rnn@gaussian:activation=linear,gain=1,1e200"
    outcome = run("sweep", model, "--hidden", "4", "--steps", "9", "--trials", "2", "--output", str(path))
    assert outcome.status == 3
    good, bad = json.loads(path.read_text())["points"]
    assert good["failed"] is None and set(good["measures"]) == {"rate", "horizon"}
    assert bad["measures"] == {} and bad["failed"].startswith("expected a state within the range of float64")
    assert "2 points" in outcome.err and f"then this is written: {path}" in outcome.err
    alone = vanishgrad.sweep("rnn@gaussian:activation=linear,gain=1", hidden=4, steps=9, trials=2)
    assert good["measures"] == alone.document["points"][0]["measures"]


def test_ctrl_c_keeps_what_is_finished(run, tmp_path, monkeypatch):
    def interrupted(plan, batch):
        if 0 not in batch:
            raise KeyboardInterrupt
        return real(plan, batch)

    real, path = sweep_run.measured_batch, tmp_path / "s.json"
    monkeypatch.setattr(sweep_run, "measured_batch", interrupted)
    arguments = ("sweep", "rnn", "--hidden", "4,5", "--steps", "9", "--jobs", "1", "--output", str(path))
    outcome = run(*arguments)
    assert outcome.status == 130 and f"1 point is kept in '{path}'" in outcome.err
    monkeypatch.undo()
    assert run(*arguments, "--resume", str(path)).status == 0
    assert [point["hidden"] for point in json.loads(path.read_text())["points"]] == [4, 5]


def test_plot_takes_axes_of_a_sweep_alone(run, tmp_path):
    path, picture = tmp_path / "s.json", tmp_path / "p.svg"
    assert (
        run("sweep", "rnn@gaussian:gain=1..2/3", "--hidden", "3,4", "--steps", "5", "--output", str(path)).status == 0
    )
    assert run("plot", str(path), "--output", str(picture), "--y", "hidden", "--measure", "horizon").status == 0
    assert picture.read_bytes().startswith(b"<?xml")
    assert run("plot", str(path), "--output", str(picture), "--kind", "curves").status == 2
    call = ("plot", str(path), "--output", str(picture), "--x", "gain")
    assert run(*call, "--kind", "slice", "--overlay", "none").status == 0
    assert run(*call, "--contour", "-0.5,0").status == 0
    assert "expected numbers between commas for --contour, got 'a'" in run(*call, "--contour", "a").err
    run("compare", "rnn", "--hidden", "4", "--steps", "5", "--output", str(path))
    assert (
        "expected --x with a report of sweep, got one of compare"
        in run("plot", str(path), "--output", str(picture), "--x", "gain").err
    )
