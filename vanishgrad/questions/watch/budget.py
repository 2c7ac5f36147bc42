"""The budget of a watch: how many sequences and steps are measured, and when, so that training loses little time."""

from __future__ import annotations

from dataclasses import dataclass

MIN_STEPS = 16
"""Steps of a sequence below which a horizon says nothing."""


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
    unit : float or None
        Seconds that the last measurement took for a step of a sequence, what it costs by itself included: larger
        measurements are cheaper than that.
    """

    share: float
    most_trials: int
    trained: float = 0.0
    spent: float = 0.0
    unit: float | None = None

    @property
    def overhead(self) -> float:
        """Seconds spent over seconds trained."""
        return self.spent / self.trained if self.trained else 0.0

    def size(self, longest: int) -> tuple[int, int] | None:
        """Return the trials and steps that there is time for: fewer trials first, then fewer steps; None for none.

        The first measurement is the smallest, and shows what one costs.
        """
        fewest = min(MIN_STEPS, longest)
        if self.unit is None:
            return 1, fewest
        affordable = int((self.share * self.trained - self.spent) / self.unit)
        if affordable < fewest:
            return None
        return min(self.most_trials, max(1, affordable // longest)), min(longest, affordable)

    def charge(self, seconds: float, trials: int, steps: int) -> None:
        """Count a measurement of so many seconds."""
        self.spent += seconds
        self.unit = max(seconds, 1e-9) / (trials * steps)
