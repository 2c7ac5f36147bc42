"""Work side by side comes back in order; BLAS keeps to one thread unless it was asked for more."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import pytest
from threadpoolctl import threadpool_info

from vanishgrad.curves.processes import MIN_THREADED_SIZE, THREADS, blas_threads, map_in_processes, threads_asked_for
from vanishgrad.errors import VanishgradError


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_results_come_in_the_order_of_the_items_whatever_they_cost(jobs: int) -> None:
    assert list(map_in_processes(abs, [-3, 1, -2], jobs, cost=float)) == [3, 1, 2]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_ends_the_work(jobs: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_in_processes(_inverse, [1, 0, 2], jobs))


def test_work_is_handed_over_unpickled() -> None:
    offset = 5
    assert list(map_in_processes(lambda x: x + offset, [1, 2], 2)) == [6, 7]


def test_a_dead_worker_is_a_sentence_and_no_wait() -> None:
    with pytest.raises(VanishgradError, match=r"got one that was killed.*try fewer --jobs"):
        list(map_in_processes(lambda x: os.kill(os.getpid(), signal.SIGKILL), [1, 2], 2))


def test_a_worker_killed_within_its_result_is_a_sentence_too() -> None:
    """Sixteen megabytes are far more than a pipe takes at once."""
    with pytest.raises(VanishgradError, match="got one that was killed"):
        list(map_in_processes(_result_in_the_midst_of_which_it_is_killed, [1, 2], 2))


def _result_in_the_midst_of_which_it_is_killed(x: int) -> bytes:
    def killed_halfway(descriptor: int, data: memoryview, *place: int) -> int:
        write(descriptor, data[: len(data) // 2], *place)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    write, os.pwrite, os.write = os.pwrite, killed_halfway, killed_halfway
    return bytes(2**24)


def test_large_results_come_back_whole() -> None:
    assert [found.count(1) for found in map_in_processes(lambda x: x * bytes([0, 1]), [2**20, 3, 2**21], 2)] == [
        2**20, 3, 2**21,
    ]  # fmt: skip


def test_unfinished_work_ends_with_its_reader() -> None:
    values = map_in_processes(lambda x: time.sleep(1000 * x), [0, 1, 1], 2)
    assert next(values) is None
    values.close()
    assert not multiprocessing.active_children()


def _inverse(x: int) -> float:
    return 1 / x


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def used(state_size: int, jobs: int) -> set[int]:
    with blas_threads(state_size, jobs):
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_one_thread_unless_more_are_asked_for(asked: pytest.MonkeyPatch) -> None:
    assert threads_asked_for() == 1
    assert used(4 * MIN_THREADED_SIZE, jobs=1) == {1}


@pytest.mark.parametrize("name", THREADS)
def test_the_environment_asks_for_more(asked: pytest.MonkeyPatch, name: str) -> None:
    asked.setenv(name, "2")
    assert threads_asked_for() == 2
    assert used(MIN_THREADED_SIZE, jobs=1) == {2}
    assert used(MIN_THREADED_SIZE - 1, jobs=1) == used(MIN_THREADED_SIZE, jobs=2) == {1}


@pytest.mark.parametrize("nonsense", ["", "0", "many", "-1"])
def test_what_is_no_number_of_threads_asks_for_none(asked: pytest.MonkeyPatch, nonsense: str) -> None:
    asked.setenv(THREADS[0], nonsense)
    assert threads_asked_for() == 1
