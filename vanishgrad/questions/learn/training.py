"""Training of several seeds of one model side by side, until each has solved its task, has diverged, or time is up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import english
from vanishgrad.propagation.passes.selection import TrainingPass, training_pass
from vanishgrad.questions.learn.gradients import BatchGradient, batch_gradient
from vanishgrad.questions.learn.optimizers import OPTIMIZERS, clip_factors
from vanishgrad.questions.learn.parameters import Parameters
from vanishgrad.questions.learn.tasks import Examples, Task
from vanishgrad.random_streams import ANY_CELL, Role, stream

SOLVED_BATCHES = 5
"""So many batches in a row have to be solved."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained.

    Attributes
    ----------
    batch, updates : int
        Sequences of each seed in an update; the most updates.
    optimizer : str
        One of `OPTIMIZERS`.
    lr : float
    clip : float or None
        The largest norm of a seed's gradient.
    truncation : int or None
        Steps of a segment of truncated backpropagation.
    seed : int
    dtype : str
    """

    batch: int = 64
    updates: int = 1500
    optimizer: str = "adam"
    lr: float = 3e-3
    clip: float | None = 1.0
    truncation: int | None = None
    seed: int = 0
    dtype: str = "float32"


@dataclass(frozen=True)
class Divergence:
    """That a seed's training left the numbers: at which update, and which quantity; its last finite value."""

    seed: int
    update: int
    quantity: str
    last: float | None


@dataclass(eq=False)
class Course:
    """How training went.

    Attributes
    ----------
    solved_at : list of int or None
        Of each seed, after how many updates the last of `SOLVED_BATCHES` solved batches in a row came.
    loss : list of (update, losses)
        Of each seed, the mean since the last entry; None of a seed that has stopped.
    """

    solved_at: list[int | None]
    diverged: list[Divergence] = field(default_factory=list)
    loss: list[tuple[int, list[float | None]]] = field(default_factory=list)


def log_spaced(last: int, per_decade: int) -> list[int]:
    """Return update numbers from 1 to `last`, about equally many in each decade."""
    count = int(np.log10(max(last, 1)) * per_decade) + 1
    return sorted({round(10 ** (i / per_decade)) for i in range(count)} | {last})


def examples_of(task: Task, gap: int, recipe: Recipe, update: int, seeds: Array) -> Examples:
    """Return the batch of an update: each seed's sequences from a stream of its own, the same for every model."""
    batches = [
        task.draw(stream(recipe.seed, Role.EXAMPLES, int(seed), ANY_CELL, update), gap, recipe.batch) for seed in seeds
    ]
    xs = np.concatenate([each.xs for each in batches]).astype(recipe.dtype)
    keys = None if batches[0].keys is None else np.concatenate([each.keys for each in batches if each.keys is not None])
    targets, weights = (
        np.concatenate([getattr(each, name) for each in batches], axis=1) for name in ("targets", "weights")
    )
    targets = targets.astype(recipe.dtype) if targets.ndim == 3 else targets
    return Examples(xs, targets, weights, batches[0].judged, keys)


class Training:
    """S seeds of one model on one task; `updates` trains them, and may be left at any update.

    Attributes
    ----------
    parameters : Parameters
        Of all seeds, as they are; those that have stopped keep what they ended with.
    course : Course
    """

    def __init__(self, task: Task, gap: int, recipe: Recipe, start: Parameters) -> None:
        self._task, self._gap, self._recipe = task, gap, recipe
        self.parameters, seeds = start, start.seeds
        self.course = Course([None] * seeds)
        self._seeds = np.arange(seeds)
        self._batch, self._pass = 0, None  # type: tuple[int, TrainingPass | None]
        self._running = start.with_flat(start.flat.copy())
        self._optimizer = OPTIMIZERS[recipe.optimizer](recipe.lr)
        self._multiplicity = start.multiplicity()
        self._streak = np.zeros(seeds, dtype=int)
        self._last_norm: list[float | None] = [None] * seeds
        self._losses: list[list[float]] = [[] for _ in range(seeds)]

    def updates(self) -> Iterator[int]:
        """Train, and yield the number of updates done after each."""
        points = log_spaced(self._recipe.updates, per_decade=12)
        for update in range(1, self._recipe.updates + 1):
            examples = examples_of(self._task, self._gap, self._recipe, update, self._seeds)
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                gradient = batch_gradient(
                    self._running, examples, self._task.loss, self._recipe.truncation, through=self._through(examples)
                )
                self._advance(update, gradient)
            if update in points or not len(self._seeds):
                self._record_loss(update)
            yield update
            if not len(self._seeds):
                return

    def _through(self, examples: Examples) -> TrainingPass:
        """Return the pass, made anew where a seed has stopped."""
        batch, steps, _ = examples.xs.shape
        if self._pass is None or batch != self._batch:
            self._batch, self._pass = batch, training_pass(self._running.cell, steps, batch)
        return self._pass

    def _advance(self, update: int, gradient: BatchGradient) -> None:
        """Take one step, and let go of the seeds that have solved the task or diverged."""
        norms = np.sqrt((self._multiplicity * gradient.gradient.astype(np.float64) ** 2).sum(axis=1))
        going, finite = [], np.isfinite(gradient.loss) & np.isfinite(norms)
        for place, seed in enumerate(self._seeds.tolist()):
            loss, accuracy = float(gradient.loss[place]), float(gradient.accuracy[place])
            if not finite[place]:
                quantity = english("loss") if not np.isfinite(loss) else english("gradient norm")
                self.course.diverged.append(Divergence(seed, update, quantity, self._last_norm[seed]))
                continue
            self._losses[seed].append(loss)
            self._last_norm[seed] = float(norms[place])
            self._streak[seed] = self._streak[seed] + 1 if self._task.is_solved(loss, accuracy, self._gap) else 0
            if self._streak[seed] == SOLVED_BATCHES:
                self.course.solved_at[seed] = update
            else:
                going.append(place)
        factors = clip_factors(norms, self._recipe.clip).astype(gradient.gradient.dtype)[:, None]
        self._running.flat[...] -= self._multiplicity * self._optimizer.step(factors * gradient.gradient)
        self._write_back(finite)
        if len(going) < len(self._seeds):
            self._go_on(np.array(going, dtype=int))

    def _write_back(self, finite: Array) -> None:
        self.parameters.flat[self._seeds[finite]] = self._running.flat[finite]

    def _go_on(self, going: Array) -> None:
        self._seeds = self._seeds[going]
        self._running = self._running.with_flat(self._running.flat[going])
        self._optimizer.keep(going)

    def _record_loss(self, update: int) -> None:
        means = [float(np.mean(losses)) if losses else None for losses in self._losses]
        self.course.loss.append((update, means))
        self._losses = [[] for _ in self._losses]


def train(training: Training, at: Callable[[int], None], points: frozenset[int]) -> int:
    """Train to the end, calling `at` before the first update, after those of `points`, and at the end."""
    at(0)
    update = 0
    for update in training.updates():
        if update in points:
            at(update)
    if update not in points:
        at(update)
    return update
