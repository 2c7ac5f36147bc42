"""Training of several seeds of one model, and of models of equal shape, side by side.

A seed stops when it has solved its task, has diverged, or time is up. What is side by side shares the gradient's arrays
and nothing else: every number is the same, bit for bit, as of a seed that is trained alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import english
from vanishgrad.propagation.passes.selection import training_pass
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
    of_seed = {
        seed: task.draw(stream(recipe.seed, Role.EXAMPLES, seed, ANY_CELL, update), gap, recipe.batch)
        for seed in set(seeds.tolist())
    }
    batches = [of_seed[seed] for seed in seeds.tolist()]
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
    update : int
        How many updates are done.
    running : Parameters
        Of the seeds that go on, `seeds` of them.
    """

    def __init__(self, task: Task, gap: int, recipe: Recipe, start: Parameters) -> None:
        self.task, self.gap, self.recipe = task, gap, recipe
        self.parameters, seeds = start, start.seeds
        self.course, self.update = Course([None] * seeds), 0
        self.seeds = np.arange(seeds)
        self.running = start.with_flat(start.flat.copy())
        self._optimizer = OPTIMIZERS[recipe.optimizer](recipe.lr)
        self._multiplicity = start.multiplicity()
        self._streak = np.zeros(seeds, dtype=int)
        self._last_norm: list[float | None] = [None] * seeds
        self._losses: list[list[float]] = [[] for _ in range(seeds)]

        self._recorded = log_spaced(recipe.updates, per_decade=12)

    @property
    def is_going(self) -> bool:
        """Whether there is an update to do."""
        return len(self.seeds) > 0 and self.update < self.recipe.updates

    def updates(self) -> Iterator[int]:
        """Train, and yield the number of updates done after each."""
        return updates([self])

    def advance(self, gradient: BatchGradient) -> None:
        """Do an update, of the gradient of the seeds that go on."""
        self.update += 1
        self._advance(self.update, gradient)
        if self.update in self._recorded or not len(self.seeds):
            self._record_loss(self.update)

    def _advance(self, update: int, gradient: BatchGradient) -> None:
        """Take one step, and let go of the seeds that have solved the task or diverged."""
        norms = np.sqrt((self._multiplicity * gradient.gradient.astype(np.float64) ** 2).sum(axis=1))
        going, finite = [], np.isfinite(gradient.loss) & np.isfinite(norms)
        for place, seed in enumerate(self.seeds.tolist()):
            loss, accuracy = float(gradient.loss[place]), float(gradient.accuracy[place])
            if not finite[place]:
                quantity = english("loss") if not np.isfinite(loss) else english("gradient norm")
                self.course.diverged.append(Divergence(seed, update, quantity, self._last_norm[seed]))
                continue
            self._losses[seed].append(loss)
            self._last_norm[seed] = float(norms[place])
            self._streak[seed] = self._streak[seed] + 1 if self.task.is_solved(loss, accuracy, self.gap) else 0
            if self._streak[seed] == SOLVED_BATCHES:
                self.course.solved_at[seed] = update
            else:
                going.append(place)
        factors = clip_factors(norms, self.recipe.clip).astype(gradient.gradient.dtype)[:, None]
        self.running.flat[...] -= self._multiplicity * self._optimizer.step(factors * gradient.gradient)
        self._write_back(finite)
        if len(going) < len(self.seeds):
            self._go_on(np.array(going, dtype=int))

    def _write_back(self, finite: Array) -> None:
        self.parameters.flat[self.seeds[finite]] = self.running.flat[finite]

    def _go_on(self, going: Array) -> None:
        self.seeds = self.seeds[going]
        self.running = self.running.with_flat(self.running.flat[going])
        self._optimizer.keep(going)

    def _record_loss(self, update: int) -> None:
        means = [float(np.mean(losses)) if losses else None for losses in self._losses]
        self.course.loss.append((update, means))
        self._losses = [[] for _ in self._losses]


def updates(trainings: Sequence[Training]) -> Iterator[int]:
    """Train models of one shape on one task and gap, and yield the number of updates done after each.

    Their cells differ in weights alone (`alike`); the gradient is taken of all seeds at once.
    """
    first, through, sequences = trainings[0], None, 0
    update = 0
    while going := [training for training in trainings if training.is_going]:
        update += 1
        seeds = np.concatenate([training.seeds for training in going])
        examples = examples_of(first.task, first.gap, first.recipe, update, seeds)
        running = first.running.with_flat(np.concatenate([training.running.flat for training in going]))
        batch, steps, _ = examples.xs.shape
        if through is None or batch != sequences:
            through, sequences = training_pass(running.cell, steps, batch), batch
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            joint = batch_gradient(running, examples, first.task.loss, first.recipe.truncation, through=through)
            ends = np.cumsum([len(training.seeds) for training in going])[:-1]
            for training, *parts in zip(going, *(np.split(each, ends) for each in joint), strict=True):
                training.advance(BatchGradient(*parts))
        yield update


def train(trainings: Sequence[Training], looks: Sequence[Callable[[int], None]], points: frozenset[int]) -> None:
    """Train to the end; each training is looked at before its first update, after those of `points`, and at its end."""
    for look in looks:
        look(0)
    for update in updates(trainings):
        for training, look in zip(trainings, looks, strict=True):
            if training.update == update and (update in points or not training.is_going):
                look(update)
