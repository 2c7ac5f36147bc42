"""Tasks with a gap: sequences whose relevant input stands many steps before it is needed."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.questions.learn.losses import CrossEntropy, Logistic, Loss, Squared


@dataclass(frozen=True, eq=False)
class Examples:
    """Sequences of one task with their targets.

    Attributes
    ----------
    xs : (B, T, d) array
    targets : (L, B) array of int, or (L, B, o) array
        Of the last L steps.
    weights : (L, B) array
        How much each counts in the loss; 0 leaves one out.
    judged : int
        The last so many steps decide whether the task is solved.
    keys : (B,) array of int, or None
        The step, counted from 1, at which the relevant input stands; None where nobody knows.
    """

    xs: Array
    targets: Array
    weights: Array
    judged: int = 1
    keys: Array | None = None


class Task(ABC):
    """A family of sequences, one for each gap, with a loss.

    Attributes
    ----------
    input_size, output_size : int
    least_gap : int
        The shortest gap that there is.
    accuracy : float
        A batch is solved from this share of correct outputs on; of a squared loss, up to `REST` of the baseline.
    """

    name: str
    loss: Loss
    input_size: int
    output_size: int
    least_gap: int = 1
    most_gap: int | None = None

    REST = 0.1
    ACCURACY = 0.99

    @abstractmethod
    def draw(self, rng: np.random.Generator, gap: int, size: int) -> Examples:
        """Return a batch of sequences of a gap."""

    @abstractmethod
    def baseline(self, gap: int) -> float:
        """Return the loss of the best answer that does not remember the key."""

    def is_solved(self, loss: float, accuracy: float, gap: int) -> bool:
        """Whether a batch counts as solved."""
        if isinstance(self.loss, Squared):
            return loss <= self.REST * self.baseline(gap)
        return accuracy >= self.ACCURACY

    def demand_gap(self, gap: int) -> None:
        """Refuse a gap that the task does not have."""
        if gap < self.least_gap:
            raise UsageError(
                f"expected gaps from {self.least_gap} on for the task {self.name}, got {gap}; try --gaps "
                f"{self.least_gap},{2 * self.least_gap}"
            )
        if self.most_gap is not None and gap > self.most_gap:
            raise UsageError(
                f"expected gaps up to {self.most_gap}, the length of the sequences of the task {self.name}, got {gap}; "
                f"try --gaps {self.most_gap}"
            )


def one_hot(ids: Array, width: int) -> Array:
    """Return token ids (…,) as unit vectors (…, width)."""
    vectors = np.zeros((*ids.shape, width))
    np.put_along_axis(vectors, ids[..., None], 1.0, axis=-1)
    return vectors


class Recall(Task):
    """At step 1 one channel carries ±1, another is noise N(0, 1) at every step; after T = gap steps: which sign?"""

    name = "recall"
    loss = Logistic()
    input_size, output_size = 2, 1

    def draw(self, rng: np.random.Generator, gap: int, size: int) -> Examples:
        """Return T = gap steps, the sign asked for at the last."""
        xs = np.zeros((size, gap, 2))
        signs = rng.integers(0, 2, size)
        xs[:, 0, 0] = 2 * signs - 1
        xs[:, :, 1] = rng.standard_normal((size, gap))
        return Examples(xs, signs[None], np.ones((1, size)), keys=np.ones(size, dtype=int))

    def baseline(self, gap: int) -> float:
        """Return ln 2."""
        return math.log(2)


class Copy(Task):
    """Ten of 8 symbols, gap - 1 blanks, a delimiter, ten blanks during which the ten are to be said again.

    Arjovsky, Shah and Bengio 2016, section 4.1: T + 20 steps, and without memory a loss of 10 ln 8 / (T + 20).
    """

    name = "copy"
    loss = CrossEntropy()
    SYMBOLS, LENGTH = 8, 10
    BLANK, DELIMITER = SYMBOLS, SYMBOLS + 1
    input_size, output_size = SYMBOLS + 2, SYMBOLS + 1

    def draw(self, rng: np.random.Generator, gap: int, size: int) -> Examples:
        """Return gap + 20 steps, all of which the loss sees; the last ten decide."""
        steps, symbols = gap + 2 * self.LENGTH, rng.integers(0, self.SYMBOLS, (size, self.LENGTH))
        ids, targets = np.full((size, steps), self.BLANK), np.full((steps, size), self.BLANK)
        ids[:, : self.LENGTH] = symbols
        ids[:, gap + self.LENGTH - 1] = self.DELIMITER
        targets[-self.LENGTH :] = symbols.T
        xs = one_hot(ids, self.input_size)
        return Examples(xs, targets, np.ones((steps, size)), self.LENGTH, np.ones(size, dtype=int))

    def baseline(self, gap: int) -> float:
        """Return 10 ln 8 / (T + 20)."""
        return self.LENGTH * math.log(self.SYMBOLS) / (gap + 2 * self.LENGTH)


class Adding(Task):
    """Numbers U[0, 1], two of them marked, one in each half of T = gap steps; at the end: their sum."""

    name = "adding"
    loss = Squared()
    input_size, output_size = 2, 1
    least_gap = 2

    def draw(self, rng: np.random.Generator, gap: int, size: int) -> Examples:
        """Return T = gap steps, the sum asked for at the last."""
        xs, half, every = np.zeros((size, gap, 2)), gap // 2, np.arange(size)
        xs[:, :, 0] = rng.uniform(size=(size, gap))
        first, second = rng.integers(0, half, size), rng.integers(half, gap, size)
        xs[every, first, 1] = xs[every, second, 1] = 1
        sums = xs[every, first, 0] + xs[every, second, 0]
        return Examples(xs, sums[None, :, None], np.ones((1, size)), keys=first + 1)

    def baseline(self, gap: int) -> float:
        """Return 1/6, the variance of the sum of two uniform numbers."""
        return 1 / 6


class Order(Task):
    """Two of X and Y among four distractors, in the second and the fifth tenth of T = gap steps: in which order?

    Temporal order (Hochreiter and Schmidhuber 1997, section 5.6), four classes.
    """

    name = "order"
    loss = CrossEntropy()
    DISTRACTORS = 4
    input_size, output_size = DISTRACTORS + 2, 4
    least_gap = 10

    def draw(self, rng: np.random.Generator, gap: int, size: int) -> Examples:
        """Return T = gap steps, the class asked for at the last."""
        ids, every = rng.integers(0, self.DISTRACTORS, (size, gap)), np.arange(size)
        first = rng.integers(gap // 10, 2 * gap // 10, size)
        second = rng.integers(4 * gap // 10, 5 * gap // 10, size)
        a, b = rng.integers(0, 2, (2, size))
        ids[every, first], ids[every, second] = self.DISTRACTORS + a, self.DISTRACTORS + b
        return Examples(one_hot(ids, self.input_size), (2 * a + b)[None], np.ones((1, size)), keys=first + 1)

    def baseline(self, gap: int) -> float:
        """Return ln 4."""
        return math.log(4)
