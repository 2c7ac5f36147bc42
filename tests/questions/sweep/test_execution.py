"""Execution of a sweep: the same report from processes, threads and Dask, and from workers that die on the way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import vanishgrad
from tests.questions.sweep import deadly
from tests.questions.sweep.test_store import tree
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.sweep import run
from vanishgrad.questions.sweep.document import SweepDocument

MODELS = ["gru@gaussian:gain=0.5..3/6", "lstm@gaussian:gain=0.5..3/6"]
OPTIONS = {"hidden": "4,5", "steps": 12, "trials": 2}
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def document() -> SweepDocument:
    return vanishgrad.sweep(MODELS, report=True, **OPTIONS).typed


def swept(**changed) -> SweepDocument:
    return vanishgrad.sweep(MODELS, report=True, **{**OPTIONS, **changed}).typed


@forking
def test_two_processes_find_the_same(document):
    assert swept(jobs=2).to_json() == document.to_json()


def test_threads_of_any_executor_find_the_same(document):
    with ThreadPoolExecutor(2) as executor:
        assert swept(scheduler=executor).to_json() == document.to_json()


@forking
def test_a_process_that_is_killed_once_changes_nothing(document, monkeypatch, tmp_path):
    def die_once(settings, several):
        try:
            (tmp_path / "died").touch(exist_ok=False)
        except FileExistsError:
            return deadly.measured_batch(settings, several)
        return os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(run, "measured_batch", die_once)
    assert swept(jobs=2).to_json() == document.to_json() and (tmp_path / "died").exists()


@forking
def test_a_point_at_which_processes_die_is_named_and_the_others_go_on(document, monkeypatch):
    monkeypatch.setattr(run, "measured_batch", deadly.kill)
    found = swept(jobs=2)
    failed = [point for point in found.points if point.failed]
    assert {point.label for point in failed} == {f"{cell}@gaussian:gain=2.5" for cell in ("gru", "lstm")}
    assert all("got 3 that died at it" in point.failed for point in failed) and len(failed) == 4
    assert len(found.points) == len(document.points)


@forking
def test_memory_that_runs_out_at_a_point_is_its_failure(monkeypatch):
    def greedy(several, settings):
        if any(point.label.endswith("gain=2.5") for point in several):
            raise MemoryError
        return real(several, settings)

    real = run._measured
    monkeypatch.setattr(run, "_measured", greedy)
    assert next(point.label for point in swept().failures) == "gru@gaussian:gain=2.5"


@pytest.mark.parametrize("scheduler", ["somewhere", "http://host:1", 7])
def test_what_is_no_scheduler_is_refused(scheduler):
    with pytest.raises(UsageError, match=r"expected (--scheduler local|a scheduler's address)"):
        swept(scheduler=scheduler)


def test_a_scheduler_file_that_is_none_is_refused(tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(VanishgradError, match="expected a scheduler file at"):
        swept(scheduler=str(tmp_path / "none.json"))
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(VanishgradError, match="got: no address in it"):
        swept(scheduler=str(tmp_path / "other.json"))


@pytest.mark.slow
def test_an_address_at_which_nobody_answers_ends_in_a_sentence(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("vanishgrad.questions.sweep.executors.ANSWER_SECONDS", 1)
    with pytest.raises(
        VanishgradError, match=r"expected a Dask scheduler to answer at tcp://127\.0\.0\.1:9 within 1 s"
    ):
        swept(scheduler="tcp://127.0.0.1:9")


@pytest.mark.slow
def test_an_address_at_which_something_else_answers_ends_in_a_sentence(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("vanishgrad.questions.sweep.executors.ANSWER_SECONDS", 1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(VanishgradError, match=r"got none \(what listens there does not speak Dask's protocol\)"),
    ):
        swept(scheduler=f"tcp://127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.slow
def test_threads_and_two_workers_of_dask_write_the_same_store(tmp_path):
    pytest.importorskip("zarr", minversion="3")
    distributed = pytest.importorskip("distributed")
    command = ["sweep", *MODELS, "--hidden", "4,5", "--steps", "12", "--trials", "2", "--output"]
    cli(*command, str(tmp_path / "a.zarr"), "--jobs", "2")
    cli(*command, str(tmp_path / "b.zarr"), "--scheduler", "local", "--jobs", "2")
    assert tree(tmp_path / "a.zarr") == tree(tmp_path / "b.zarr")
    with distributed.Client(
        processes=False, dashboard_address="127.0.0.1:0", n_workers=1, threads_per_worker=2
    ) as client:
        data = vanishgrad.sweep(MODELS, scheduler=client, **OPTIONS)
    assert data.identical(vanishgrad.sweep(MODELS, **OPTIONS))


@pytest.mark.slow
def test_a_worker_of_dask_that_is_killed_in_the_middle_changes_nothing(tmp_path):
    distributed = pytest.importorskip("distributed")
    models, options = ["lstm@gaussian:gain=0.5..3/40"], {"hidden": 64, "steps": 100, "trials": 2}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        (victim, *_) = client.run(os.getpid).values()
        kill = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
        kill.start()
        found = vanishgrad.sweep(models, scheduler=client, report=True, **options)
        kill.join()
        time.sleep(1)
        assert victim not in client.run(os.getpid).values()
    assert found.to_json() == vanishgrad.sweep(models, report=True, **options).to_json()


@pytest.mark.slow
def test_a_point_at_which_three_workers_of_dask_die_is_named():
    pytest.importorskip("distributed")
    import dask

    with dask.config.set({"distributed.worker.preload": ["tests.questions.sweep.deadly"]}):
        found = vanishgrad.sweep(
            "gru@gaussian:gain=2..3/3", scheduler="local", jobs=2, report=True, **{**OPTIONS, "hidden": 4}
        )
    (failed,) = (point for point in found.typed.points if point.failed)
    assert failed.label == "gru@gaussian:gain=2.5" and "got 3 that died at it" in failed.failed


def cli(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "vanishgrad", *arguments, "--quiet"], check=True, cwd=Path.cwd())


@pytest.mark.slow
def test_ctrl_c_of_a_terminal_ends_dask_in_a_sentence_and_keeps_what_is_finished(tmp_path):
    pytest.importorskip("distributed")
    command = [sys.executable, "-m", "vanishgrad", "sweep", "lstm@gaussian:gain=0.5..3/2000", "--trials", "1", "--jobs"]
    path = tmp_path / "s.json"
    sweep = subprocess.Popen(
        [*command, "2", "--scheduler", "local", "--output", str(path)], stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert sweep.stderr is not None
    said = ""
    while "the rest takes about" not in said:
        line = sweep.stderr.readline()
        assert line, said
        said += line
    os.killpg(sweep.pid, signal.SIGINT)  # the workers, too
    said += sweep.communicate()[1]
    assert sweep.returncode == 130 and "Traceback" not in said
    assert f"kept in '{path}.partial'; go on with the same command line and --resume" in said
