"""Execution of a sweep: tasks are handed to workers, and what a killed worker was at is measured again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from queue import SimpleQueue
from typing import Any, NamedTuple

from vanishgrad.errors import VanishgradError
from vanishgrad.questions.sweep.document import SweptPoint
from vanishgrad.questions.sweep.executors import DEATHS, Workers, deaths
from vanishgrad.questions.sweep.plan import SweepPlan, Task
from vanishgrad.questions.sweep.run import failed_point, measured_task


class TaskResult(NamedTuple):
    """What a task has measured.

    Attributes
    ----------
    points : dict
        Place → point.
    seconds : float
        That it took where it ran.
    """

    points: dict[int, SweptPoint]
    seconds: float


def results(plan: SweepPlan, tasks: Sequence[Task], workers: Workers) -> Iterator[TaskResult]:
    """Yield what each task has measured, in the order in which they end.

    A task whose worker dies is measured again at the end, alone, so that no other is blamed; after `DEATHS` of workers
    its batches are measured one by one, and then their points, of which one that still kills is recorded as failed.

    Raises
    ------
    VanishgradError
        If workers cannot be started, or have another vanishgrad. What goes wrong at a point is recorded there.
    """
    waiting, begun = iter(tasks), dict[Future[Any], Task]()
    ended, suspects = SimpleQueue[Future[Any]](), deque[Task]()
    while True:
        for task in islice(waiting, max(0, workers.in_flight() - len(begun))):
            future = _submit(plan, task, workers)
            begun[future] = task
            future.add_done_callback(ended.put)
        if not begun:
            break
        future = ended.get()
        task = begun.pop(future)
        if deaths(future.exception()):
            suspects.append(task)
        else:
            yield _result(future, task)
    for task in suspects:
        yield from _alone(plan, task, workers)


def _submit(plan: SweepPlan, task: Task, workers: Workers) -> Future[Any]:
    future: Future[Any] = workers.executor.submit(measured_task, plan.settings, plan.points_of(task))
    return future


def _result(future: Future[Any], task: Task) -> TaskResult:
    try:
        points, seconds = future.result()
    except (VanishgradError, MemoryError):
        raise
    except Exception as error:
        reason = str(error).split("\n")[0] or type(error).__name__
        raise VanishgradError(
            f"expected workers with the same vanishgrad and NumPy as here, got {type(error).__name__}: {reason}; "
            "try --jobs 1, and what is finished with --resume"
        ) from error
    return TaskResult(dict(zip((place for batch in task for place in batch), points, strict=True)), seconds)


def _alone(plan: SweepPlan, task: Task, workers: Workers) -> Iterator[TaskResult]:
    """Yield what a task has measured with nothing beside it."""
    died = 0
    while died < DEATHS:
        future = _submit(plan, task, workers)
        more = deaths(future.exception())
        if not more:
            yield _result(future, task)
            return
        died += more
    parts = [(batch,) for batch in task] if len(task) > 1 else [((place,),) for place in task[0]]
    if len(parts) > 1:
        for part in parts:
            yield from _alone(plan, part, workers)
        return
    sentence = (
        f"expected a worker to live through this point, got {died} that died at it; "
        "try vanishgrad compare with it alone, or more memory"
    )
    yield TaskResult({task[0][0]: failed_point(plan.points[task[0][0]], sentence)}, 0.0)
