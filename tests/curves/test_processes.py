"""Work side by side comes back in order; BLAS keeps to one thread unless it was asked for more."""

from __future__ import annotations

import pytest
from threadpoolctl import threadpool_info

from vanishgrad.curves.processes import LARGE, THREADS, blas_threads, map_in_processes, threads_asked_for


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_results_come_in_the_order_of_the_items_whatever_they_cost(jobs: int) -> None:
    assert list(map_in_processes(abs, [-3, 1, -2], jobs, cost=float)) == [3, 1, 2]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_ends_the_work(jobs: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_in_processes(_inverse, [1, 0, 2], jobs))


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
    assert used(4 * LARGE, jobs=1) == {1}


@pytest.mark.parametrize("name", THREADS)
def test_the_environment_asks_for_more(asked: pytest.MonkeyPatch, name: str) -> None:
    asked.setenv(name, "2")
    assert threads_asked_for() == 2
    assert used(LARGE, jobs=1) == {2}
    assert used(LARGE - 1, jobs=1) == used(LARGE, jobs=2) == {1}


@pytest.mark.parametrize("nonsense", ["", "0", "many", "-1"])
def test_what_is_no_number_of_threads_asks_for_none(asked: pytest.MonkeyPatch, nonsense: str) -> None:
    asked.setenv(THREADS[0], nonsense)
    assert threads_asked_for() == 1
