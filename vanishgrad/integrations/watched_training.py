"""What the callbacks of all frameworks have in common: a `Watch` from the beginning of a training to its end."""

from __future__ import annotations

from typing import Any

from vanishgrad.questions.watch.watch import Watch


class WatchedTraining:
    """A callback's own part; the framework's class stands behind it among the bases.

    Parameters
    ----------
    early_stop : bool
        Whether to end the training once a layer's state reaches no farther than `min_horizon`.
    **options
        Those of `vanishgrad.watch`: every, batch, log, max_overhead, trials, threshold, min_horizon, figure_every.

    Attributes
    ----------
    watch : Watch or None
        Of the last training; its `records` hold every measurement.
    """

    def __init__(self, early_stop: bool = False, **options: Any) -> None:
        super().__init__()
        self._early_stop, self._options = early_stop, options
        self.watch: Watch | None = None

    def _begin(self, model: Any, **defaults: Any) -> None:
        """Begin to watch; `defaults` are options that the user may have given."""
        self.watch = Watch(model, **{**defaults, **self._options})
        self.watch.begin()

    def _counted(self, step: int | None = None) -> bool:
        """Count a training step, or be told which it was, and return whether the training is to end."""
        if self.watch is None:
            return False
        self.watch.after_step(step)
        return self._early_stop and self.watch.should_stop

    def _end(self) -> None:
        """Take away what listens."""
        if self.watch is not None:
            self.watch.end()
