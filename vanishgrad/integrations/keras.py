"""Keras callback that watches how far the gradient reaches: ``model.fit(…, callbacks=[KerasWatch()])``."""

from __future__ import annotations

from typing import Any

from vanishgrad.integrations.watched_training import WatchedTraining

try:
    from keras.callbacks import Callback
except ImportError:
    raise ImportError("expected Keras 3 for KerasWatch, got none; try pip install 'vanishgrad[keras-live]'") from None


class KerasWatch(WatchedTraining, Callback):  # type: ignore[misc]
    """Measures the recurrent layers of a Keras model at every so many training steps, as `vanishgrad.watch` does.

    The batch is the first one of ``fit``, unless `batch=` says what the model is called with; it has to where Keras
    compiles its steps, which show no numbers.

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

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin to watch."""
        self._begin(self.model)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count a training step."""
        if self._counted():
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Take away what listens."""
        self._end()
