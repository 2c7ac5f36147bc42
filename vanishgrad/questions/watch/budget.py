"""The budget of a watch: how many sequences and steps are measured, and when, so that training loses little time."""

from __future__ import annotations

from dataclasses import dataclass

MIN_STEPS = 16
"""Steps of a sequence below which a horizon says nothing."""
SECONDS_PER_WEIGHT = 2.5e-9
"""A guess, what a core took: of a step of a sequence by each weight of the recurrent layers."""
SECONDS_AT_LEAST = 0.02
"""A guess of what the smallest measurement takes beside the forward of a batch."""


PLANNED_SHARE = 0.5
"""Of the seconds that are left, what a measurement may be expected to take: it may well take twice that."""


@dataclass
class Budget:
    """Seconds spent beside seconds trained.

    Attributes
    ----------
    share : float
        Of the training time that may be spent.
    most_trials : int
        Sequences that are measured at most.
    trained, spent : float
        Seconds so far.
    fixed, unit : float
        Seconds that a measurement takes whatever its size, and by step of a sequence: a guess until the first one.
    least : int
        Steps below which there is no measurement: more from one that saw no horizon to the next.
    """

    share: float
    most_trials: int
    trained: float = 0.0
    spent: float = 0.0
    fixed: float = SECONDS_AT_LEAST
    unit: float = 0.0
    least: int = MIN_STEPS

    @property
    def overhead(self) -> float:
        """Seconds spent over seconds trained."""
        return self.spent / self.trained if self.trained else 0.0

    def guess(self, steps: int, weights: int) -> None:
        """Guess what a measurement takes, after so many training steps and with so many recurrent weights.

        Its forward of a batch takes about a quarter of a training step of that batch.
        """
        self.fixed, self.unit = SECONDS_AT_LEAST + self.trained / steps / 4, SECONDS_PER_WEIGHT * weights

    def size(self, longest: int) -> tuple[int, int] | None:
        """Return the trials and steps that there is time for: fewer trials first, then fewer steps; None for none."""
        fewest, left = min(self.least, longest), self.share * self.trained - self.spent
        left = PLANNED_SHARE * left - self.fixed
        if left < self.unit * fewest:
            return None
        affordable = (
            self.most_trials * longest if left >= self.unit * self.most_trials * longest else int(left / self.unit)
        )
        return min(self.most_trials, max(1, affordable // longest)), min(longest, affordable)

    def charge(self, fixed: float, seconds: float, trials: int, steps: int) -> None:
        """Count a measurement: its fixed seconds, and those of its steps."""
        self.spent += fixed + seconds
        self.fixed, self.unit = fixed, seconds / (trials * steps)

    def grow(self, steps: int, longest: int) -> None:
        """Ask the next measurement for twice the steps of one whose horizon lies beyond."""
        self.least = min(max(self.least, 2 * steps), max(longest, MIN_STEPS))
