"""``sweep`` on the command line: exit status, what is kept of an interrupted run, pictures of its report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import vanishgrad
from tests.questions.sweep.test_store import tree
from vanishgrad.questions.sweep import run as sweep_run


def test_a_point_that_fails_is_recorded_and_the_others_of_its_batch_go_on(run, tmp_path):
    path = tmp_path / "s.json"
    model = "rnn@gaussian:activation=linear,gain=1,1e200"
    outcome = run("sweep", model, "--hidden", "4", "--steps", "9", "--trials", "2", "--output", str(path))
    assert outcome.status == 3
    good, bad = json.loads(path.read_text())["points"]
    assert good["failed"] is None and set(good["measures"]) == {"rate", "horizon"}
    assert bad["measures"] == {} and bad["failed"].startswith("expected a state within the range of float64")
    assert "2 points" in outcome.err and f"of numbers: {path}" in outcome.err
    alone = vanishgrad.sweep("rnn@gaussian:activation=linear,gain=1", report=True, hidden=4, steps=9, trials=2)
    assert good["measures"] == alone.document["points"][0]["measures"]


def test_ctrl_c_keeps_what_is_finished(run, tmp_path, monkeypatch):
    def interrupted(settings, several):
        if several[0].hidden != 4:
            raise KeyboardInterrupt
        return real(settings, several)

    real, path = sweep_run.measured_batch, tmp_path / "s.json"
    monkeypatch.setattr(sweep_run, "measured_batch", interrupted)
    arguments = ("sweep", "rnn", "--hidden", "4,5", "--steps", "9", "--jobs", "1", "--output", str(path))
    outcome = run(*arguments)
    assert outcome.status == 130 and f"1 point is kept in '{path}.partial'" in outcome.err
    assert "try --resume, or rm" in run(*arguments).err
    monkeypatch.undo()
    outcome = run(*arguments, "--resume")
    assert outcome.status == 0 and "2 points, 1 finished" in outcome.err
    assert [point["hidden"] for point in json.loads(path.read_text())["points"]] == [4, 5]
    assert [each.name for each in tmp_path.iterdir()] == ["s.json"]


def test_ctrl_c_without_output_keeps_what_is_finished_beside_it(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ("sweep", "rnn", "--hidden", "4,5", "--steps", "9", "--jobs", "1")
    real = sweep_run.measured_batch
    monkeypatch.setattr(sweep_run, "measured_batch", lambda settings, several: _until_five(real, settings, several))
    assert "1 point is kept in 'sweep.partial'" in run(*arguments).err
    monkeypatch.setattr(sweep_run, "measured_batch", real)
    assert run(*arguments, "--resume").out.startswith("2 points of 1 MODEL") and not list(tmp_path.iterdir())


def test_a_whole_sweep_without_output_leaves_nothing_behind(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run("sweep", "rnn@gaussian:gain=1,2", "--hidden", "3", "--steps", "5").status == 0
        assert not list(tmp_path.iterdir())


def _until_five(measured_batch, settings, several):
    if several[0].hidden == 5:
        raise KeyboardInterrupt
    return measured_batch(settings, several)


@pytest.mark.parametrize("ending", ["zarr", "json"])
def test_shards_joined_are_the_whole(run, tmp_path, ending):
    if ending == "zarr":
        pytest.importorskip("zarr", minversion="3")
    arguments = ("sweep", "gru@gaussian:gain=1..2/3", "--hidden", "3,4,5", "--steps", "9", "--jobs", "1", "--output")
    parts = [str(tmp_path / f"{k}.{ending}") for k in (1, 2)]
    for k, part in enumerate(parts, 1):
        assert run(*arguments, part, "--shard", f"{k}/2").status == 0
    whole, joined = tmp_path / f"whole.{ending}", tmp_path / f"joined.{ending}"
    assert run(*arguments, str(whole)).status == 0
    assert run("sweep", "--merge", *parts, "--output", str(joined)).status == 0
    assert tree(whole) == tree(joined) if ending == "zarr" else whole.read_bytes() == joined.read_bytes()
    outcome = run("sweep", "--merge", parts[0], "--quiet", "--output", str(tmp_path / f"half.{ending}"))
    assert outcome.status == 3 and "3 of 9 points missing, of --shard 2/2; try the command line" in outcome.err
    assert run(*arguments, str(tmp_path / f"half.{ending}"), "--resume").status == 0  # as it says
    assert tree(tmp_path / f"half.{ending}") == tree(whole)
    assert run("sweep", "--merge", parts[0], parts[0], "--output", str(tmp_path / f"twice.{ending}")).status == 2
    absent = run("sweep", "--merge", parts[0], str(tmp_path / f"absent.{ending}"), "--output", "-")
    assert absent.status == 1 and ("no such folder" in absent.err or "No such file" in absent.err)
    few = run("sweep", "--merge", parts[1], "--output", str(tmp_path / f"few.{ending}"))
    assert "6 of 9 points missing, from gru@gaussian:gain=1..2/3 at gain = 1, hidden = 3 on; try" in few.err
    empty = str(tmp_path / f"empty.{ending}")
    assert run(*arguments, empty, "--shard", "40/40").status == 0
    assert run("sweep", "--merge", *parts, empty, "--output", str(tmp_path / f"all.{ending}")).status == 0
    assert run("sweep", "--merge", *parts, "--seed", "1").status == 2


def test_parts_are_reports_that_can_be_read_again_each_named_once(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ("sweep", "rnn@gaussian:gain=1..2/3", "--hidden", "3", "--steps", "5", "--output")
    for k, part in enumerate(("1.json", "2.html"), 1):
        assert run(*arguments, part, "--shard", f"{k}/2").status == 0
    assert run("sweep", "--merge", "1.json", "2.html", "--output", "all.json").status == 0
    assert json.loads((tmp_path / "all.json").read_text())["complete"]
    assert "got './1.json' twice" in run("sweep", "--merge", "./1.json", str(tmp_path / "1.json")).err
    assert "expected parts ending in .zarr, .json, .html, .csv, .parquet or .nc" in run("sweep", "--merge", "1.txt").err


@pytest.mark.parametrize("ending", ["nc", "parquet", "csv"])
def test_every_file_of_a_sweep_is_read_back_as_the_report(run, tmp_path, ending):
    pytest.importorskip({"nc": "h5netcdf", "parquet": "pyarrow", "csv": "csv"}[ending])
    models = ("rnn@gaussian:activation=linear,gain=1,1e200", "gru@gaussian:gain=0.5..2/4,forget_bias=-1,1")
    arguments = (
        "sweep",
        *models,
        "--hidden",
        "3,4",
        "--steps",
        "9",
        "--trials",
        "2",
        "--measure",
        "rate,horizon,keep_gate",
    )
    table, report, again = (str(tmp_path / name) for name in (f"s.{ending}", "s.json", "again.json"))
    assert run(*arguments, "--output", table).status == run(*arguments, "--output", report).status == 3
    assert run("sweep", "--merge", table, "--output", again).status == 3
    assert Path(again).read_bytes() == Path(report).read_bytes()
    pictures = [tmp_path / f"{name}.svg" for name in ("a", "b")]
    for source, picture in zip((table, report), pictures, strict=True):
        assert run("plot", source, "--kind", "slice", "--x", "gain", "--output", str(picture)).status == 0
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_a_csv_that_is_no_sweep_or_was_cut_is_refused(run, tmp_path):
    table, call = tmp_path / "s.csv", ("plot", str(tmp_path / "s.csv"), "--output", str(tmp_path / "p.svg"))
    assert run("sweep", "rnn@gaussian:gain=1,2", "--hidden", "3", "--steps", "5", "--output", str(table)).status == 0
    whole = table.read_text()
    for text in (
        "\n".join(whole.split("\n")[:5]),
        whole.replace("gain=1,1.0", "gain=9,1.0"),
        "a,b\n1,2\n",
        "",
        "\0",
        "{}",
    ):
        table.write_text(text)
        outcome = run(*call)
        assert outcome.status == 1 and f"expected a sweep in '{table}' as it was written" in outcome.err
    run("compare", "rnn", "--hidden", "3", "--steps", "5", "--output", str(table))
    assert "got something else; try the output of vanishgrad sweep" in run(*call).err


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_an_empty_shard_has_the_columns_of_others(run, tmp_path, ending):
    arguments = ("sweep", "rnn@gaussian:gain=1..2/3", "--hidden", "3", "--steps", "5", "--output")
    if ending == "parquet":
        read = pytest.importorskip("pyarrow.parquet").read_schema
    else:
        read = lambda path: path.read_text().split("\n")[0]  # noqa: E731
    first, empty = tmp_path / f"1.{ending}", tmp_path / f"2.{ending}"
    assert run(*arguments, str(first), "--shard", "1/2").status == 0
    assert run(*arguments, str(empty), "--shard", "2/2").status == 0
    assert read(first) == read(empty) and len(first.read_bytes()) > len(empty.read_bytes())


@pytest.mark.parametrize("ending", ["nc", "parquet", "csv"])
def test_files_of_tables_and_arrays_are_the_same_for_any_number_of_processes(run, tmp_path, ending):
    pytest.importorskip({"nc": "h5netcdf", "parquet": "pyarrow", "csv": "csv"}[ending])
    arguments = ("sweep", "gru@gaussian:gain=1..2/3", "--hidden", "3,4", "--steps", "9", "--output")
    one, two = tmp_path / f"one.{ending}", tmp_path / f"two.{ending}"
    assert run(*arguments, str(one), "--jobs", "1").status == 0
    assert run(*arguments, str(two), "--jobs", "2").status == 0
    assert one.read_bytes() == two.read_bytes()
    if ending == "nc":
        xarray = pytest.importorskip("xarray")
        with xarray.open_dataset(one, engine="h5netcdf") as data:
            assert dict(data.sizes) == {"gain": 3, "hidden": 2, "trial": 8}
    if ending == "parquet":
        rows = pytest.importorskip("pyarrow.parquet").read_table(one)
        assert rows.column_names[:7] == ["model", "label", "gain", "hidden", "trial", "rate", "horizon"]
        assert rows.num_rows == 48


def test_a_store_can_be_drawn(run, tmp_path):
    pytest.importorskip("zarr", minversion="3")
    store, picture = str(tmp_path / "s.zarr"), tmp_path / "p.svg"
    outcome = run("sweep", "rnn@gaussian:gain=1..2/3", "--hidden", "3,4", "--steps", "5", "--output", store)
    assert outcome.status == 0 and "6 points in" in outcome.err and not outcome.out
    assert run("plot", store, "--output", str(picture)).status == 0 and picture.read_bytes().startswith(b"<?xml")
    assert run("sweep", "rnn", "--output", store, "--json").status == 2


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
    assert "expected --data and --output to be two files" in run(*call, "--data", str(picture)).err
    assert picture.read_bytes().startswith(b"<?xml")
    assert "expected numbers between commas for --contour, got 'a'" in run(*call, "--contour", "a").err
    run("compare", "rnn", "--hidden", "4", "--steps", "5", "--output", str(path))
    assert (
        "expected --x with a report of sweep, got one of compare"
        in run("plot", str(path), "--output", str(picture), "--x", "gain").err
    )
