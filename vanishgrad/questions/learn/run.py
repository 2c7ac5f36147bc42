"""Training every model at every gap, several at a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.cells.registry import CELLS
from vanishgrad.cells.trained_own import TrainedOwnCell
from vanishgrad.curves.model_result import model_result
from vanishgrad.curves.processes import blas_threads, map_in_processes
from vanishgrad.curves.request import Scope
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.inputs.sources import Held
from vanishgrad.models.subject import Subject
from vanishgrad.option_ranges import memory_bytes
from vanishgrad.questions.learn.document import DivergedSeed, LearnedGap, LearnSettings, Snapshot
from vanishgrad.questions.learn.gradients import key_shares
from vanishgrad.questions.learn.named_tasks import named_task
from vanishgrad.questions.learn.plan import THRESHOLD, Key, Plan, own_start, start
from vanishgrad.questions.learn.tasks import Examples, Task
from vanishgrad.questions.learn.training import Course, Recipe, Training, examples_of, log_spaced, train
from vanishgrad.weights.model_string import names_file, names_own_cell, parse
from vanishgrad.weights.save_npz import cell_npz, file_name

SAVED_PER_DECADE = 3
NUMBERS_PER_UNIT = 7
"""Of an LSTM, kept of each step for the way back: four gates, the cell state, its tanh and the hidden state."""


class Finished(NamedTuple):
    """One model at one gap: what it found, and the weights that are to be saved, (name, content)."""

    key: Key
    result: LearnedGap
    checkpoints: list[tuple[str, bytes]]


def demand_learnable(settings: LearnSettings) -> None:
    """Refuse, before any work is done, models that cannot be trained and gaps that the task does not have.

    Raises
    ------
    UsageError, VanishgradError
    """
    task = named_task(settings.task)
    if not settings.gaps:
        raise UsageError("expected at least one gap, got none; try --gaps 10,40")
    for gap in settings.gaps:
        task.demand_gap(gap)
    _demand_memory(settings, task)
    for label in settings.models:
        if names_own_cell(label):
            steps = examples_of(task, max(settings.gaps), Recipe(batch=1), 0, np.arange(1)).xs.shape[1]
            own_start(label, task, settings).demand_affordable(settings.seeds * settings.batch, steps)
            continue
        if names_file(label):
            raise UsageError(
                f"expected a MODEL that is drawn anew for each seed, got the file {label!r}; try {next(iter(CELLS))}"
            )
        spec = parse(label)
        if not CELLS[spec.cell].form(spec.keys).cell_class.has_weights:
            raise UsageError(
                f"expected a cell whose weights have a gradient here, got {label!r}; try mingru, or {next(iter(CELLS))}"
            )
        if spec.keys.get("untied"):
            raise UsageError(
                f"expected a MODEL whose weights serve every step, got {label!r}; try it without untied=true"
            )


def _demand_memory(settings: LearnSettings, task: Task) -> None:
    """Refuse a training whose trajectory the machine has no memory for: the kernel would kill it in its middle."""
    numbers = (
        max(settings.gaps) * settings.seeds * settings.batch * (NUMBERS_PER_UNIT * settings.hidden + task.input_size)
    )
    needed, there = numbers * np.dtype(settings.dtype).itemsize, memory_bytes()
    if needed > there:
        raise VanishgradError(
            f"expected memory for {needed / 1e9:.3g} GB of trajectories at the longest gap, got {there / 1e9:.3g} GB; "
            "try shorter --gaps, or a smaller --batch or --hidden"
        )


def learn(plan: Plan, done: Callable[[str], None], jobs: int) -> Iterator[Finished]:
    """Yield every model at every gap that is not yet finished, in the order in which they are done.

    Parameters
    ----------
    done : callable
        Called with what is done, and about how long the rest takes.
    jobs : int
        Processes that work side by side; no result depends on it.
    """
    demand_learnable(plan.settings)
    groups, begin = plan.groups(jobs), time.monotonic()
    costs = [plan.cost(keys) for keys in groups]
    with blas_threads(plan.settings.hidden, 2):
        for i, results in enumerate(map_in_processes(partial(trained_together, plan), groups, jobs), 1):
            spent = time.monotonic() - begin
            seconds_left = spent * sum(costs[i:]) / sum(costs[:i])
            for result in results:
                done(f"{result.key[0]} at {result.key[1]}, {seconds_left:.0f} s left")
                yield result


def trained(plan: Plan, key: Key) -> Finished:
    """Train one model at one gap, all seeds side by side."""
    return trained_together(plan, (key,))[0]


def trained_together(plan: Plan, keys: Sequence[Key]) -> list[Finished]:
    """Train models of equal shape at one gap, all their seeds side by side."""
    settings, gap = plan.settings, keys[0][1]
    task, recipe = named_task(settings.task), _recipe(settings)
    first = examples_of(task, gap, recipe, 0, np.arange(settings.seeds))
    steps = first.xs.shape[1]
    trainings = [Training(task, gap, recipe, start(label, task, steps, settings)) for label, _ in keys]
    observers = [_Observer(plan, key, task, first, training) for key, training in zip(keys, trainings, strict=True)]
    train(trainings, [observer.at for observer in observers], frozenset(observers[0].points))
    return [
        _finished(observer, training.course, steps) for observer, training in zip(observers, trainings, strict=True)
    ]


def _finished(observer: _Observer, course: Course, steps: int) -> Finished:
    gap = observer.key[1]
    return Finished(
        observer.key,
        LearnedGap(
            gap=gap,
            steps=steps,
            baseline=observer.task.baseline(gap),
            updates=course.solved_at,
            solved=sum(each is not None for each in course.solved_at),
            median=median(course.solved_at),
            diverged=[DivergedSeed.of(each) for each in course.diverged],
            loss_updates=[update for update, _ in course.loss],
            loss=[list(of_seed) for of_seed in zip(*(values for _, values in course.loss), strict=True)],
            snapshots=observer.snapshots,
        ),
        observer.checkpoints,
    )


def median(updates: Sequence[int | None]) -> float | None:
    """Return the median of updates, those of seeds that never solved it counted as infinite."""
    value = statistics.median([float("inf") if each is None else each for each in updates])
    return float(value) if np.isfinite(value) else None


def _recipe(settings: LearnSettings) -> Recipe:
    names = ("batch", "updates", "optimizer", "lr", "clip", "truncation", "seed", "dtype")
    return Recipe(**{name: getattr(settings, name) for name in names})


class _Observer:
    """Looks at a training at some updates: horizon, share of the key, weights to save."""

    def __init__(self, plan: Plan, key: Key, task: Task, first: Examples, training: Training) -> None:
        self._plan, self.key, self.task, self._first, self._training = plan, key, task, first, training
        self.snapshots: list[Snapshot] = []
        self.checkpoints: list[tuple[str, bytes]] = []
        self._looks = {0, *log_spaced(plan.settings.updates, 1)} if plan.snapshots else {0}
        self._saves = {0, *log_spaced(plan.settings.updates, SAVED_PER_DECADE)} if plan.saves else set()
        self._end = plan.settings.updates

    @property
    def points(self) -> set[int]:
        """The updates at which there is something to look at."""
        return (self._looks | self._saves) - {0}

    def at(self, update: int) -> None:
        """Look at the parameters as they are after so many updates."""
        ended = update not in self.points
        if update in self._looks or (ended and self._plan.snapshots):
            self._look(update)
        if update in self._saves or (ended and self._plan.saves):
            self.checkpoints.extend(self._weights(update))

    def _look(self, update: int) -> None:
        """Take a snapshot; of a model that training has driven where no norm can be told, there is none."""
        try:
            self.snapshots.append(self._snapshot(update))
        except VanishgradError:
            if update == 0:
                raise

    def _snapshot(self, update: int) -> Snapshot:
        parameters = self._training.parameters
        with np.errstate(over="ignore", invalid="ignore"):
            shares = key_shares(parameters, self._first, self.task.loss)
        state, into = horizons(self.key[0], parameters.cell, self.task, self._plan)
        return Snapshot(
            update=update,
            state_horizon=state[0],
            state_censored=state[1],
            input_horizon=into[0],
            input_censored=into[1],
            key_share=None if shares is None else [float(x) if np.isfinite(x) else None for x in shares.tolist()],
        )

    def _weights(self, update: int) -> Iterator[tuple[str, bytes]]:
        label, gap = self.key
        parameters = self._training.parameters
        for seed in range(self._plan.settings.seeds):
            name = f"{label}.gap{gap}.update{update:05d}"
            out = {"read_out.weight": parameters.W_hy[seed], "read_out.bias": parameters.b_y[seed]}
            cell = parameters.cell.trial(seed)
            content = cell.npz(out) if isinstance(cell, TrainedOwnCell) else cell_npz(cell, name, read_out=out)
            yield file_name(name, seed), content


def horizons(label: str, cell: Cell, task: Task, plan: Plan) -> tuple[tuple[int, bool], tuple[int, bool]]:
    """Return (lag, censored) of the horizons of state and input along the task's own sequences, medians over seeds."""
    settings = plan.settings
    gap = min(plan.steps_of_horizon, task.most_gap or plan.steps_of_horizon)
    one_each = Recipe(batch=1, seed=settings.seed, dtype="float64")
    xs = examples_of(task, gap, one_each, 0, np.arange(settings.seeds)).xs
    steps = np.full(settings.seeds, xs.shape[1])
    sequences = InputSequences(Held(xs, "float64", task.name), 0, steps, task.name)
    precise = cell.with_tensors(lambda tensor: tensor.astype(np.float64))
    s0: Array = np.zeros((settings.seeds, cell.state_size))
    scope = Scope(("state", "input"), details=False)
    curves = model_result(Subject(label, label, precise, {}), sequences, s0, THRESHOLD, settings.seed, scope).curves
    state, into = ((curves[name].horizon.lag or 0, curves[name].horizon.censored) for name in ("state", "input"))
    return state, into
