"""Executors: where the tasks of a sweep are computed, in processes of this machine or by Dask, as `Executor`."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pydoc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

import vanishgrad
from vanishgrad.curves.processes import cores
from vanishgrad.errors import UsageError, VanishgradError

Scheduler: TypeAlias = "str | Executor | Any | None"
LOCAL = "local"
ADDRESSES = ("tcp://", "tls://", "ucx://", "ws://", "wss://")
DEATHS = 3
"""Of workers on one task, after which it is given up."""
ANSWER_SECONDS = 10
"""How long a scheduler may take to answer."""
LOST_SECONDS = 10
"""After which a worker that was killed and has not come back is replaced by another."""
REPLACE_SECONDS = 60
"""How long a worker that was killed may take to be replaced, before its cluster is closed."""
NEWS_SECONDS = 10
"""How often a cluster is asked how many workers it has."""
MIN_IN_FLIGHT = 100
"""Tasks that a cluster knows of: what waits there is what lets an adaptive one grow."""


@dataclass(frozen=True)
class Workers:
    """An executor, and how much it takes.

    Attributes
    ----------
    executor : Executor
    number : callable
        How many tasks it computes side by side.
    in_flight : callable
        How many tasks it is given at a time.
    """

    executor: Executor
    number: Callable[[], int]
    in_flight: Callable[[], int]


class SerialExecutor(Executor):
    """An executor that computes at once what it is given, in this process."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, **named))
        except Exception as error:
            future.set_exception(error)
        return future


@contextlib.contextmanager
def workers(scheduler: Scheduler, jobs: int | None) -> Iterator[Workers]:
    """Yield what computes tasks, and end with the block what was begun for it.

    Parameters
    ----------
    scheduler : str, Executor, dask.distributed.Client or None
        None: processes of this machine; ``local``: Dask's on this machine; an address or a scheduler file: a cluster.
    jobs : int or None
        Processes on this machine; by default the processors. With one and without scheduler it is this process.

    Raises
    ------
    UsageError
        For another scheduler.
    VanishgradError
        If Dask is not installed, or nobody answers at the address.
    """
    number = jobs or cores()
    if isinstance(scheduler, Executor):
        yield Workers(scheduler, lambda: number, lambda: max(MIN_IN_FLIGHT, number))
        return
    if scheduler is None:
        executor = _of_this_machine(number)
        try:
            # No more than there are processes: so the tasks in flight are those that a killed one may have died of.
            yield Workers(executor, lambda: number, lambda: number)
        finally:
            executor.shutdown(cancel_futures=True)
        return
    with contextlib.ExitStack() as resources:
        yield _of_client(_client(scheduler, number, resources), resources)


def _of_this_machine(number: int) -> Executor:
    if number < 2 or not hasattr(os, "fork"):
        return SerialExecutor()
    from vanishgrad.curves.worker_pool import ForkedExecutor

    return ForkedExecutor(number)


def _client(scheduler: Any, number: int, resources: contextlib.ExitStack) -> Any:
    """Return a client of Dask, of a cluster of its own if asked for a local one."""
    if not isinstance(scheduler, str):
        if not hasattr(scheduler, "get_executor"):
            raise UsageError(f"expected a scheduler's address, a Client or an Executor, got {scheduler!r}")
        return scheduler
    if scheduler != LOCAL and not scheduler.startswith(ADDRESSES) and not scheduler.endswith(".json"):
        raise UsageError(f"expected --scheduler local, tcp://HOST:PORT or FILE.json, got {scheduler!r}; try local")
    distributed = _distributed()
    if scheduler == LOCAL:
        return resources.enter_context(distributed.Client(_local_cluster(distributed, number, resources)))
    address = _address_in(scheduler) if scheduler.endswith(".json") else scheduler
    try:
        client = _answered(partial(distributed.Client, address, timeout=ANSWER_SECONDS))
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).split("\n")[0]
        raise VanishgradError(
            f"expected a Dask scheduler to answer at {address} within {ANSWER_SECONDS} s, got none ({reason}); "
            "try dask scheduler there, or --scheduler local"
        ) from None
    return resources.enter_context(client)


def _answered(ask: Callable[[], Any]) -> Any:
    """Return what a call returns, or raise what it raises; a client would wait for ever for what is no scheduler."""
    answers = SimpleQueue[Any]()

    def put() -> None:
        try:
            answers.put(ask())
        except Exception as error:
            answers.put(error)

    threading.Thread(target=put, daemon=True).start()
    try:
        answer = answers.get(timeout=1.5 * ANSWER_SECONDS)
    except Empty:
        raise TimeoutError("what listens there does not speak Dask's protocol") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise VanishgradError(
            "expected dask and distributed for --scheduler, got none; try pip install 'vanishgrad[sweep]'"
        ) from None
    return distributed


def _local_cluster(distributed: Any, number: int, resources: contextlib.ExitStack) -> Any:
    """Return a cluster of processes of this machine, that gives a task up after `DEATHS` of them."""
    import dask

    # One task for each process and none in wait behind it, which would share the blame for its death.
    own = {
        "distributed.scheduler.allowed-failures": DEATHS - 1,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.deploy.lost-worker-timeout": f"{LOST_SECONDS} s",
    }
    resources.enter_context(dask.config.set(own))
    try:
        with _held_back_interrupts():
            cluster = distributed.LocalCluster(
                n_workers=number, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )  # fmt: skip
    except (OSError, RuntimeError, TimeoutError) as error:
        reason = str(error).split("\n")[0]
        raise VanishgradError(f"expected to start {number} workers, got: {reason}; try fewer --jobs") from None
    resources.enter_context(cluster)
    # A worker that is killed while it begins is not begun again, unless the cluster is told to keep its size.
    cluster.adapt(minimum=number, maximum=number)
    # A cluster that is closed while it replaces a worker may wait for ever.
    resources.callback(_wait_for_workers, cluster, number)
    return cluster


@contextlib.contextmanager
def _held_back_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back, also from the threads begun in the block and, for good, from whatever processes they begin.

    A terminal sends Ctrl-C to all processes: workers would end with tracebacks, and be replaced while all is closed.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which lets Ctrl-C through again where it is begun
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait_for_workers(cluster: Any, number: int) -> None:
    with contextlib.suppress(TimeoutError):
        cluster.wait_for_workers(number, timeout=REPLACE_SECONDS)


def _address_in(path: str) -> str:
    """Return the address in a scheduler file.

    Raises
    ------
    VanishgradError
        If there is none.
    """
    try:
        with open(path, encoding="utf-8") as file:
            address = json.load(file)["address"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no address in it"
        raise VanishgradError(
            f"expected a scheduler file at {path!r}, got: {reason}; try dask scheduler --scheduler-file {path}"
        ) from None
    return str(address)


def _of_client(client: Any, resources: contextlib.ExitStack) -> Workers:
    """Return a client's executor; its tasks are never merged, and workers have this version of vanishgrad."""
    # Workers that have no vanishgrad cannot be asked by a function of it.
    for address, installed in client.run(pydoc.locate, "vanishgrad.__version__").items():
        if installed != vanishgrad.__version__:
            raise VanishgradError(
                f"expected vanishgrad {vanishgrad.__version__} on the worker {address}, got {installed or 'none'}; "
                f"try pip install 'vanishgrad=={vanishgrad.__version__}' there"
            )
    executor = client.get_executor(pure=False)
    resources.callback(executor.shutdown, wait=False)
    threads = _Recent(lambda: sum(client.nthreads().values()))
    return Workers(executor, lambda: max(1, threads()), lambda: max(MIN_IN_FLIGHT, 4 * threads()))


class _Recent:
    """A number that is asked for anew only every `NEWS_SECONDS`."""

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask, self._value, self._time = ask, ask(), time.monotonic()

    def __call__(self) -> int:
        if time.monotonic() - self._time > NEWS_SECONDS:
            self._value, self._time = self._ask(), time.monotonic()
        return self._value


def deaths(error: BaseException | None) -> int:
    """Return how many workers died on a task that failed with an exception; 0 if it failed for another reason."""
    from concurrent.futures import BrokenExecutor

    if isinstance(error, BrokenExecutor):
        return 1
    # Of distributed, which may not be installed.
    return int(getattr(error, "allowed_failures", 0)) + 1 if type(error).__name__ == "KilledWorker" else 0
