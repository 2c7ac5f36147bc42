"""Callback of transformers that watches how far the gradient reaches: ``Trainer(…, callbacks=[TrainerWatch()])``."""

from __future__ import annotations

from typing import Any

from vanishgrad.integrations.watched_training import WatchedTraining

try:
    from transformers import TrainerCallback
except ImportError:
    raise ImportError(
        "expected transformers for TrainerWatch, got none; try pip install 'vanishgrad[transformers]'"
    ) from None


class TrainerWatch(WatchedTraining, TrainerCallback):  # type: ignore[misc]
    """Measures the recurrent layers of a model at every so many optimizer steps, as `vanishgrad.watch` does.

    The batch is the first one that training gives to the model, unless `batch=` says what its ``forward`` takes. Of
    several processes the first one measures. What a callback adds to the trainer's logs does not reach TensorBoard:
    give `log=` a writer, a run or a file of its own.

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

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **rest: Any) -> None:
        """Begin to watch."""
        if state.is_world_process_zero:
            self._begin(model)

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Count an optimizer step."""
        if self._counted(state.global_step):
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Take away what listens."""
        self._end()
