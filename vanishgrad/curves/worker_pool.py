"""Worker processes that never outlive the process that forked them, whichever way it ends."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, NamedTuple, TypeVar

from vanishgrad.errors import VanishgradError
from vanishgrad.interrupts import defer_interrupts

Item = TypeVar("Item")
Result = TypeVar("Result")

PR_SET_PDEATHSIG = 1
"""Linux's prctl option: the signal that a process gets when its parent dies."""
PUNCH_HOLE = 1 | 2
"""Linux's fallocate mode: give back what a range of a file takes, and keep the file's length."""


class Place(NamedTuple):
    """Where a pickle stands in a file, in bytes."""

    start: int
    length: int


class PickleFile:
    """A file without a name that forked processes append to, each in its turn; a killed one's turn is over."""

    def __enter__(self) -> PickleFile:
        named = sys.platform != "linux"
        self._file = tempfile.TemporaryFile() if named else open(os.memfd_create("results"), "r+b")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, value: object) -> Place:
        """Write a value at the end."""
        rest, descriptor = memoryview(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)), self._file.fileno()
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        try:
            place = Place(os.fstat(descriptor).st_size, len(rest))
            while rest:
                rest = rest[os.pwrite(descriptor, rest, sum(place) - len(rest)) :]
        finally:
            fcntl.lockf(descriptor, fcntl.LOCK_UN)
        return place

    def read(self, place: Place) -> Any:
        """Return the value at a place."""
        self._file.seek(place.start)
        return pickle.loads(self._file.read(place.length))  # noqa: S301 - written by `append`, in no named file

    def take(self, place: Place) -> Any:
        """Return the value at a place, and give its memory back."""
        value = self.read(place)
        if sys.platform == "linux":
            length, start = ctypes.c_int64(place.length), ctypes.c_int64(place.start)
            ctypes.CDLL(None).fallocate(self._file.fileno(), PUNCH_HOLE, start, length)
        return value


def results(work: Callable[[Item], Result], items: Sequence[Item], order: Sequence[int], jobs: int) -> Iterator[Result]:
    """Yield work(item) of every item in turn, begun in another order by `jobs` processes.

    Work and items reach the processes by forking; results are pickled into a file that all of them share. Through the
    executor's pipe a process killed within a long message would leave its reader waiting for the rest of it.

    Raises
    ------
    VanishgradError
        If the processes cannot be started, or if one of them is killed.
    """
    with PickleFile() as pickles, _workers(lambda i: pickles.append(work(items[i])), jobs) as pool:
        begun = _begun(pool, order, jobs)
        try:
            for i in range(len(items)):
                yield pickles.read(begun.pop(i).result())
        except BrokenProcessPool:
            raise VanishgradError(
                f"expected {jobs} processes to work side by side, got one that was killed, perhaps because memory ran "
                "out; try fewer --jobs"
            ) from None


def _begun(pool: ProcessPoolExecutor, order: Sequence[int], jobs: int) -> dict[int, Future[Any]]:
    try:
        with defer_interrupts():
            return {i: pool.submit(_result_of, i) for i in order}
    except OSError as error:
        raise _unstarted(jobs, error) from None


class ForkedExecutor(Executor):
    """Forked processes as an executor: those that are killed are replaced, and their calls raise `BrokenProcessPool`.

    Functions and arguments are pickled; results come by a `PickleFile`, as in `results`.

    Parameters
    ----------
    jobs : int
        Processes side by side.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._resources = contextlib.ExitStack()
        self._pickles = self._resources.enter_context(PickleFile())
        self._processes = contextlib.ExitStack()
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Return the future of function(*arguments, **named).

        Raises
        ------
        VanishgradError
            If the processes cannot be started.
        """
        future: Future[Any] = Future()
        call = partial(function, *arguments, **named)
        try:
            begun = self._started().submit(_result_of, call)
        except BrokenProcessPool:
            self._processes.close()
            self._pool = None
            begun = self._started().submit(_result_of, call)
        except OSError as error:
            raise _unstarted(self._jobs, error) from None
        begun.add_done_callback(partial(self._hand_over, future))
        return future

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            with defer_interrupts():
                pickles = self._pickles
                self._pool = self._processes.enter_context(_workers(lambda call: pickles.append(call()), self._jobs))
        return self._pool

    def _hand_over(self, future: Future[Any], begun: Future[Place]) -> None:
        try:
            future.set_result(self._pickles.take(begun.result()))
        except (Exception, CancelledError) as error:
            future.set_exception(error)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, with what they are at."""
        self._processes.close()
        self._resources.close()


def _unstarted(jobs: int, error: OSError) -> VanishgradError:
    return VanishgradError(f"expected to start {jobs} processes, got: {error.strerror or error}; try fewer --jobs")


@contextlib.contextmanager
def _workers(work: Callable[[Any], Place], jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Yield processes that know the work, and end with the block or with this process, whichever is first.

    They hold the reading end of a pipe, this process alone the writing end: a closed one tells them to end.
    """
    reading, writing = os.pipe()
    arguments = work, os.getpid(), reading, writing
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _begin, arguments)
    try:
        yield pool
    finally:
        with defer_interrupts():
            os.close(writing)
            pool.shutdown(cancel_futures=True)
            os.close(reading)


_assignment: Callable[[Any], Place]
"""What a process was forked for: the work on an item."""


def _begin(work: Callable[[Any], Place], parent: int, reading: int, writing: int) -> None:
    """Prepare a process: Ctrl-C is left to the parent, whose end is this process's end too."""
    global _assignment
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(writing)
    threading.Thread(target=_end_when_closed, args=(reading,), daemon=True).start()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    _assignment = work


def _end_when_closed(reading: int) -> None:
    """Wait until nobody holds the writing end of a pipe, then end this process without a word."""
    os.read(reading, 1)
    os._exit(1)


def _result_of(item: Any) -> Place:
    return _assignment(item)
