"""Lightning callback that watches how far the gradient reaches: ``Trainer(callbacks=[LightningWatch()])``."""

from __future__ import annotations

from typing import Any

from vanishgrad.integrations.watched_training import WatchedTraining

try:
    from lightning.pytorch import Callback
except ImportError:
    raise ImportError(
        "expected Lightning for LightningWatch, got none; try pip install 'vanishgrad[lightning]'"
    ) from None


class LightningWatch(WatchedTraining, Callback):  # type: ignore[misc]
    """Measures the recurrent layers of a LightningModule at every so many optimizer steps, as `vanishgrad.watch` does.

    The batch is what the first training step gives to the module, or to the module within it that has the recurrent
    layers, unless `batch=` says what its ``forward`` takes. Of several processes the first one measures.

    Parameters
    ----------
    log : object or list of them, optional
        As `vanishgrad.watch`; every logger of the trainer by default.
    early_stop : bool
        Whether to end the training once a layer's state reaches no farther than `min_horizon`.
    **options
        Those of `vanishgrad.watch`: every, batch, max_overhead, trials, threshold, min_horizon, figure_every.

    Attributes
    ----------
    watch : Watch or None
        Of the last training; its `records` hold every measurement.
    """

    def __init__(self, log: Any = None, early_stop: bool = False, **options: Any) -> None:
        super().__init__(early_stop, **options, **({} if log is None else {"log": log}))
        self._step = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to watch."""
        if trainer.is_global_zero:
            self._step = trainer.global_step
            self._begin(pl_module, log=list(trainer.loggers))

    def on_train_batch_end(self, trainer: Any, *of_batch: Any) -> None:
        """Count an optimizer step, which several batches may share."""
        if self.watch is not None and trainer.global_step > self._step:
            self._step = trainer.global_step
            if self._counted(self._step):
                trainer.should_stop = True

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Take away what listens."""
        self._end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Take away what listens, after an error too."""
        self.on_train_end(trainer, pl_module)
