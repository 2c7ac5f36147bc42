"""Parallel processes: pieces of work side by side, and BLAS kept to as many threads as gain something."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MIN_THREADED_SIZE = 256
"""State size from which on a second BLAS thread may gain; below, waiting threads cost more than they do."""
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS")
"""Where a user asks for BLAS threads."""


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, cost: Callable[[Item], float] = lambda item: 0.0
) -> Iterator[Result]:
    """Yield work(item) in order, computed by up to `jobs` processes where forking is to be had, costly items first.

    Work and items reach the processes by forking and are never pickled, results are. Work that is sent out must not
    depend on anything but its item. An exception, or Ctrl-C, ends all of it at once.

    Raises
    ------
    VanishgradError
        If the processes cannot be started, or if one of them is killed.
    """
    jobs = min(jobs, len(items))
    if jobs < 2 or not hasattr(os, "fork"):
        yield from map(work, items)
        return
    from vanishgrad.curves.worker_pool import results  # concurrent.futures takes 20 ms to import

    costly_first = sorted(range(len(items)), key=lambda i: -cost(items[i]))
    yield from results(work, items, costly_first, jobs)


def blas_threads(state_size: int, jobs: int) -> AbstractContextManager[object]:
    """Return a context in which BLAS uses one thread, or for large products and one job as many as `THREADS` ask for.

    BLAS threads spin while they wait for one another: beside a busy core a sweep at n = 256 that takes one thread 2 s
    took two of them 20 to 60 s. So a second one is used only where somebody who knows the machine has asked for it.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1 if jobs > 1 or state_size < MIN_THREADED_SIZE else threads_asked_for(), user_api="blas")


_one_thread = contextlib.ExitStack()
_threads_at_work: list[int] = []
_turn = threading.Lock()


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread as long as any thread of this process is in such a block: sums may depend on it."""
    from threadpoolctl import threadpool_limits

    with _turn:
        if not _threads_at_work:
            _one_thread.enter_context(threadpool_limits(1, user_api="blas"))
        _threads_at_work.append(threading.get_ident())
    try:
        yield
    finally:
        with _turn:
            _threads_at_work.remove(threading.get_ident())
            if not _threads_at_work:
                _one_thread.close()


def threads_asked_for() -> int:
    """Return how many BLAS threads the environment asks for; 1 if it does not say."""
    settings = (os.environ.get(name, "") for name in THREADS)
    return next((int(number) for number in settings if number.isdigit() and int(number) > 0), 1)
