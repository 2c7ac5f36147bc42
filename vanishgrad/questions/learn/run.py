"""Training every model at every gap, several at a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.cells.registry import CELLS
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
from vanishgrad.questions.learn.parameters import Parameters, read_out
from vanishgrad.questions.learn.tasks import Examples, Task
from vanishgrad.questions.learn.training import Recipe, Training, examples_of, log_spaced, train
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import ModelSpec, names_file, names_own_cell, parse
from vanishgrad.weights.save_npz import cell_npz, file_name

THRESHOLD = 1e-3
"""Below it the gradient counts as gone; `compare`'s default."""
SHORTEST_RUN = 100
"""Steps over which a horizon is measured, at least; twice the longest gap where that is more."""
SAVED_PER_DECADE = 3
NUMBERS_PER_UNIT = 7
"""Of an LSTM, kept of each step for the way back: four gates, the cell state, its tanh and the hidden state."""

Key = tuple[str, int]
"""A MODEL and a gap."""


class Finished(NamedTuple):
    """One model at one gap: what it found, and the weights that are to be saved, (name, content)."""

    key: Key
    result: LearnedGap
    checkpoints: list[tuple[str, bytes]]


@dataclass(frozen=True)
class Plan:
    """What is trained: settings, what of it is already done, and whether weights are kept and snapshots taken.

    Attributes
    ----------
    snapshots : bool
        Whether horizon and share of the key are measured while it learns; else at the start alone.
    """

    settings: LearnSettings
    finished: Mapping[Key, LearnedGap]
    saves: bool = False
    snapshots: bool = True

    def keys(self, jobs: int = 1) -> list[Key]:
        """Return what is left to train: the cheap first, so that much is finished early; beside others the costly."""
        s = self.settings
        remaining = [(label, gap) for label in s.models for gap in s.gaps if (label, gap) not in self.finished]
        return sorted(remaining, key=self.cost, reverse=jobs > 1)

    @staticmethod
    def cost(key: Key) -> float:
        """Return what a model costs at a gap, beside others."""
        return key[1] * CELLS[parse(key[0]).cell].cost

    @property
    def steps_of_horizon(self) -> int:
        """Over how many steps a horizon is measured."""
        return max(SHORTEST_RUN, 2 * max(self.settings.gaps))


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
            raise UsageError(
                f"expected a MODEL with a law of random weights to learn, got {label!r}, whose parameters have no "
                f"gradient; try {next(iter(CELLS))}"
            )
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
    keys, begin = plan.keys(jobs), time.monotonic()
    costs = [plan.cost(key) for key in keys]
    with blas_threads(plan.settings.hidden, 2):
        for i, result in enumerate(map_in_processes(partial(trained, plan), keys, jobs), 1):
            spent = time.monotonic() - begin
            seconds_left = spent * sum(costs[i:]) / sum(costs[:i])
            done(f"{result.key[0]} at {result.key[1]}, {seconds_left:.0f} s left")
            yield result


def trained(plan: Plan, key: Key) -> Finished:
    """Train one model at one gap, all seeds side by side."""
    settings, (label, gap) = plan.settings, key
    task, recipe = named_task(settings.task), _recipe(settings)
    every_seed = np.arange(settings.seeds)
    first = examples_of(task, gap, recipe, 0, every_seed)
    training = Training(task, gap, recipe, start(label, task, first.xs.shape[1], settings))
    observer = _Observer(plan, key, task, first, training)
    train(training, observer.at, frozenset(observer.points))
    course = training.course
    return Finished(
        key,
        LearnedGap(
            gap=gap,
            steps=first.xs.shape[1],
            baseline=task.baseline(gap),
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


def resolved(label: str, steps: int, settings: LearnSettings) -> ModelSpec:
    """Return a MODEL with every key, on sequences of so many steps."""
    return parse(label).resolved(settings.hidden, steps)


def start(label: str, task: Task, steps: int, settings: LearnSettings) -> Parameters:
    """Return a model as it is drawn, with its read-out."""
    spec = resolved(label, steps, settings)
    weights = draw(spec, task.input_size, steps, settings.seeds, settings.seed, settings.dtype)
    cell = weights.cell(spec)
    return Parameters(
        cell, *read_out(task.output_size, cell.parts[0].size, settings.seeds, settings.seed, settings.dtype)
    )


def _recipe(settings: LearnSettings) -> Recipe:
    names = ("batch", "updates", "optimizer", "lr", "clip", "truncation", "seed", "dtype")
    return Recipe(**{name: getattr(settings, name) for name in names})


class _Observer:
    """Looks at a training at some updates: horizon, share of the key, weights to save."""

    def __init__(self, plan: Plan, key: Key, task: Task, first: Examples, training: Training) -> None:
        self._plan, self._key, self._task, self._first, self._training = plan, key, task, first, training
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
            self.snapshots.append(self._snapshot(update))
        if update in self._saves or (ended and self._plan.saves):
            self.checkpoints.extend(self._weights(update))

    def _snapshot(self, update: int) -> Snapshot:
        parameters = self._training.parameters
        with np.errstate(over="ignore", invalid="ignore"):
            shares = key_shares(parameters, self._first, self._task.loss)
        state, into = horizons(self._key[0], parameters.cell, self._task, self._plan)
        return Snapshot(
            update=update,
            state_horizon=state[0],
            state_censored=state[1],
            input_horizon=into[0],
            input_censored=into[1],
            key_share=None if shares is None else [float(x) if np.isfinite(x) else None for x in shares.tolist()],
        )

    def _weights(self, update: int) -> Iterator[tuple[str, bytes]]:
        label, gap = self._key
        parameters = self._training.parameters
        for seed in range(self._plan.settings.seeds):
            name = f"{label}.gap{gap}.update{update:05d}"
            out = {"read_out.weight": parameters.W_hy[seed], "read_out.bias": parameters.b_y[seed]}
            yield file_name(name, seed), cell_npz(parameters.cell.trial(seed), name, read_out=out)


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
