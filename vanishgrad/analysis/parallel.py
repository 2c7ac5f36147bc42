"""Pieces of work side by side, and BLAS kept to as many threads as gain something."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

LARGE = 256
"""State size from which on a second BLAS thread gains; below, waiting threads cost more than they do."""


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(
    work: Callable[[Item], Found], items: Sequence[Item], jobs: int, cost: Callable[[Item], float] = lambda item: 0.0
) -> Iterator[Found]:
    """Yield work(item) in order, computed by up to `jobs` processes where forking is to be had, costly items first.

    Work that is sent out must not depend on anything but its item. An exception ends all of it.
    """
    jobs = min(jobs, len(items))
    if jobs < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, items)
        return
    with multiprocessing.get_context("fork").Pool(jobs, initializer=_leave_interrupts_to_the_parent) as pool:
        begun = {
            i: pool.apply_async(work, (items[i],)) for i in sorted(range(len(items)), key=lambda i: -cost(items[i]))
        }
        for i in range(len(items)):
            yield begun[i].get()


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def blas_threads(state_size: int, jobs: int) -> AbstractContextManager[object]:
    """Return a context in which BLAS uses one thread, unless products are large and there is one job.

    OPENBLAS_NUM_THREADS and its relatives are respected: they bound what is used from above.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1 if jobs > 1 or state_size < LARGE else None, user_api="blas")
