"""Stores of a sweep: the same bytes however they came to be, read back as the same report, resumed, joined, refused."""

from __future__ import annotations

import errno
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import vanishgrad
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.documents import read_report
from vanishgrad.questions.sweep.document import SweepDocument, settings_of
from vanishgrad.questions.sweep.merging import merged
from vanishgrad.questions.sweep.plan import Shard, SweepPlan
from vanishgrad.questions.sweep.report import swept
from vanishgrad.questions.sweep.store import Journal, opened_store

GRID = ["gru@gaussian:gain=0.5..3/6", "lstm@gaussian:gain=0.5..3/6"]
OPTIONS = {"hidden": "4,5", "steps": 12, "trials": 2, "measure": "rate,horizon,verdict"}


@pytest.fixture(scope="module")
def document() -> SweepDocument:
    return vanishgrad.sweep(GRID, report=True, **OPTIONS).typed


@pytest.fixture
def plan() -> SweepPlan:
    return SweepPlan(settings_of(GRID, OPTIONS))


def tree(path: Path) -> dict[str, bytes]:
    """Return name → content of all files under a folder."""
    return {str(each.relative_to(path)): each.read_bytes() for each in sorted(path.rglob("*")) if each.is_file()}


def stored(plan: SweepPlan, path: Path, document: SweepDocument, order: list[int]) -> dict[str, bytes]:
    store = opened_store(plan, str(path), resume=False)
    for place in order:
        store.add({place: document.points[place]})
    store.flush()
    return tree(path)


def test_points_form_a_grid_in_which_chunks_have_one_size(plan):
    assert (plan.layout.dims, plan.layout.shape) == (("model", "gain", "hidden"), (2, 6, 2))
    assert plan.layout.chunk == (1, 6, 1)
    assert sorted(place for region in plan.layout.regions for place in plan.layout.places_in(region)) == [*range(24)]


def test_shards_share_all_points_out():
    plans = [SweepPlan(settings_of(GRID, OPTIONS), shard=Shard.read(f"{k}/3")) for k in (1, 2, 3)]
    assert sorted(place for plan in plans for place in plan.own_places) == [*range(24)]
    for text, instead in (("0/3", "3/3"), ("4/3", "3/3"), ("3", "3/40"), ("a/b", "3/40"), ("1/0", "3/40")):
        with pytest.raises(UsageError, match=f"expected --shard K/N .* try --shard {instead}$"):
            Shard.read(text)


def test_tasks_have_every_batch_and_grow_smaller_so_that_workers_end_together():
    plan = SweepPlan(settings_of(["rnn@gaussian:gain=0.5..3/1000"], {"trials": 1}))
    for workers in (1, 2, 8):
        tasks = plan.tasks(plan.batches, workers)
        assert [batch for task in tasks for batch in task] == plan.batches
        sizes = [len(task) for task in tasks]
        assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 1 and workers * 3 * sizes[0] <= len(plan.batches)


def test_zarr_is_the_same_whatever_the_order_and_reads_back_as_the_report(plan, document, tmp_path):
    pytest.importorskip("zarr", minversion="3")
    forwards = stored(plan, tmp_path / "a.zarr", document, [*range(24)])
    assert forwards == stored(plan, tmp_path / "b.zarr", document, [*reversed(range(24))])
    assert read_report(str(tmp_path / "a.zarr")).to_json() == document.to_json()
    with pytest.raises(UsageError, match="expected a new folder for --output"):
        opened_store(plan, str(tmp_path / "a.zarr"), resume=False)


def test_zarr_opens_in_xarray_with_names_axes_and_the_request(plan, document, tmp_path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr", minversion="3")
    stored(plan, tmp_path / "a.zarr", document, [*range(23)])
    data = xarray.open_zarr(tmp_path / "a.zarr", consolidated=False, chunks=None)
    assert dict(data.sizes) == {"model": 2, "gain": 6, "hidden": 2, "trial": 2}
    point = document.points[5]
    rate = data["rate"].sel(model=point.model, gain=point.coordinates["gain"], hidden=point.hidden)
    assert rate.item() == point.measures["rate"].value
    assert json.loads(data.attrs["request"]) == plan.settings.to_dict() and data.attrs["seed"] == [0]
    assert int((data["status"] == 0).sum()) == 1
    memory = vanishgrad.sweep(GRID, **OPTIONS)
    assert set(memory.variables) == set(data.variables)
    xarray.testing.assert_equal(memory["rate_by_trial"].isel(hidden=0), data["rate_by_trial"].isel(hidden=0))


def test_a_chunk_that_is_not_whole_is_kept_and_completed(plan, document, tmp_path):
    pytest.importorskip("zarr", minversion="3")
    whole = stored(plan, tmp_path / "a.zarr", document, [*range(24)])
    stored(plan, tmp_path / "b.zarr", document, [0, 4, 7])
    store = opened_store(plan, str(tmp_path / "b.zarr"), resume=True)
    assert store.finished == {0, 4, 7}
    store.add({place: document.points[place] for place in range(24) if place not in store.finished})
    store.flush()
    assert tree(tmp_path / "b.zarr") == whole


@pytest.mark.parametrize("ending", [".zarr", ".json"])
def test_a_store_of_another_request_is_refused_by_its_fields(plan, document, tmp_path, ending):
    if ending == ".zarr":
        pytest.importorskip("zarr", minversion="3")
    store = opened_store(plan, str(tmp_path / f"a{ending}"), resume=False)
    store.add({0: document.points[0]})
    store.flush()
    other = SweepPlan(settings_of(GRID, {**OPTIONS, "hidden": 5, "trials": 4}))
    with pytest.raises(UsageError, match="got another hidden, trials; try the same command line"):
        opened_store(other, str(tmp_path / f"a{ending}"), resume=True)


def test_what_is_no_store_is_refused(plan, tmp_path):
    pytest.importorskip("zarr", minversion="3")
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "letter.txt").write_text("dear")
    with pytest.raises(VanishgradError, match="expected a sweep in"):
        opened_store(plan, str(tmp_path / "a.zarr"), resume=True)
    (tmp_path / "a.json.partial").write_text("[1]\n")
    with pytest.raises(VanishgradError, match="expected a sweep of format version"):
        opened_store(plan, str(tmp_path / "a.json"), resume=True)


def test_a_journal_whose_last_line_was_cut_off_goes_on_from_the_one_before(plan, document, tmp_path):
    output = str(tmp_path / "a.json")
    store = opened_store(plan, output, resume=False)
    for place in (3, 5):
        store.add({place: document.points[place]})
    journal = tmp_path / "a.json.partial"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-20])
    store = opened_store(plan, output, resume=True)
    assert store.finished == {3}
    store.add({5: document.points[5]})
    assert journal.read_bytes() == whole
    with pytest.raises(UsageError, match="expected no unfinished sweep"):
        opened_store(plan, output, resume=False)


def test_a_new_store_without_a_point_is_removed(plan, tmp_path):
    for name in ("a.json", *(["a.zarr"] if sys.version_info >= (3, 11) else [])):
        if name == "a.zarr":
            pytest.importorskip("zarr", minversion="3")
        opened_store(plan, str(tmp_path / name), resume=False).flush()
    assert not list(tmp_path.iterdir())


def test_merging_takes_stores_and_reports_of_one_request(plan, document, tmp_path):
    pytest.importorskip("zarr", minversion="3")
    stored(plan, tmp_path / "a.zarr", document, [*range(10)])
    report = swept(plan, {place: document.points[place] for place in range(8, 24)})
    (tmp_path / "b.json").write_text(report.to_json())
    parts = [str(tmp_path / "a.zarr"), str(tmp_path / "b.json")]
    joined = merged(parts, str(tmp_path / "c.zarr"))
    assert swept(joined.plan, dict(joined.store.points())).to_json() == document.to_json()
    assert tree(tmp_path / "c.zarr") == stored(plan, tmp_path / "d.zarr", document, [*range(24)])
    other = vanishgrad.sweep(GRID, report=True, **{**OPTIONS, "trials": 3})
    (tmp_path / "e.json").write_text(other.to_json())
    with pytest.raises(UsageError, match="got another trials"):
        merged([*parts, str(tmp_path / "e.json")], str(tmp_path / "f.json"))


def test_a_full_disk_keeps_what_is_finished(plan, document, tmp_path, monkeypatch):
    pytest.importorskip("zarr", minversion="3")
    store = opened_store(plan, str(tmp_path / "a.zarr"), resume=False)
    first = plan.layout.places_in(plan.layout.regions[0])
    store.add({place: document.points[place] for place in first})

    class Full:
        def __setitem__(self, region, values):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(store._arrays, "horizon", Full())
    second = plan.layout.places_in(plan.layout.regions[1])
    with pytest.raises(VanishgradError, match="No space left on device; what was finished before is in it"):
        store.add({place: document.points[place] for place in second})
    assert opened_store(plan, str(tmp_path / "a.zarr"), resume=True).finished == set(first)


def test_a_file_that_may_not_grow_keeps_what_is_finished(tmp_path):
    command = [sys.executable, "-m", "vanishgrad", "sweep", *GRID, "--hidden", "4,5", "--steps", "12", "--trials", "2"]
    command += ["--jobs", "1", "--output", str(tmp_path / "a.json")]
    limit = 9000
    outcome = subprocess.run(
        command, stderr=subprocess.PIPE, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert outcome.returncode == 1 and "try --resume when there is room" in outcome.stderr
    plan = SweepPlan(settings_of(GRID, {"hidden": "4,5", "steps": "12", "trials": 2}))
    assert 0 < len(Journal.opened(plan, str(tmp_path / "a.json"), resume=True).finished) < 24
    assert subprocess.run([*command, "--resume", "--quiet"], check=False).returncode == 0
    assert json.loads((tmp_path / "a.json").read_text())["complete"] and len(list(tmp_path.iterdir())) == 1
