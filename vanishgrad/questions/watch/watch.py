"""`watch`: the recurrent layers of a live model measured while it is trained, on a budget of time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.models.live_keras import is_keras_model
from vanishgrad.models.live_torch import is_torch_module
from vanishgrad.option_ranges import demand_threshold
from vanishgrad.questions.capture import live_run
from vanishgrad.questions.watch.budget import MIN_STEPS, Budget
from vanishgrad.questions.watch.first_batch import FirstBatch
from vanishgrad.questions.watch.loggers import Record, logger
from vanishgrad.questions.watch.measure import measured
from vanishgrad.questions.watch.picture import Pictures


class Watch:
    """Measures a model's recurrent layers at every so many training steps, on one batch, and logs what it finds.

    As a context it counts a training step for each forward of a PyTorch module in training mode with gradients; a
    callback calls `begin`, `after_step` and `end`. The model is left as it was; a measurement that fails warns once and
    never stops the training.

    Parameters
    ----------
    model : torch.nn.Module or keras.Model
    every : int
        Training steps between measurements, more where the budget asks for it.
    batch : object, optional
        What it is called with, as for ``analyze(model, input=batch)``; the first training step's own by default.
    log : object or list of them, optional
        As `logger`; `records` holds everything in any case.
    max_overhead : float
        The share of the training time that may be spent; ``math.inf`` for no limit.
    trials : int
        Sequences that are measured at most.
    threshold : float
        Below it the gradient is gone.
    min_horizon : int, optional
        Warn, and set `should_stop`, once a layer's state reaches no farther.
    figure_every : int, optional
        Records from one picture of all so far to the next; the last is drawn at the end.

    Attributes
    ----------
    records : list
        One for each measurement: step, layers (of each what `measured` returns), trials, steps, seconds, overhead.
    should_stop : bool
    """

    def __init__(
        self, model: Any, every: int = 100, batch: Any = None, log: Any = None, max_overhead: float = 0.01,
        trials: int = 4, threshold: float = 1e-3, min_horizon: int | None = None, figure_every: int | None = None,
    ) -> None:  # fmt: skip
        if not (is_torch_module(model) or is_keras_model(model)):
            raise UsageError(f"expected a torch.nn.Module or a keras.Model to watch, got {type(model).__name__}; "
                             "try the model itself")  # fmt: skip
        for name, value in (("every", every), ("trials", trials), ("figure_every", figure_every or 1)):
            if not isinstance(value, int) or value < 1:
                raise UsageError(f"expected a whole number from 1 on for {name}, got {value!r}")
        if not max_overhead > 0:
            raise UsageError(f"expected max_overhead above 0, got {max_overhead!r}; try 0.01")
        demand_threshold(threshold)
        self.records: list[Record] = []
        self.should_stop = False
        self.step = self._trained_steps = 0
        self._model, self._every, self._batch = model, every, batch
        targets = list(log) if isinstance(log, list | tuple) else [log] * (log is not None)
        self._loggers = [logger(target) for target in targets]
        self._pictures = Pictures(figure_every, targets) if figure_every else None
        self._threshold, self._min_horizon = threshold, min_horizon
        self._budget = Budget(max_overhead, trials)
        self._due = every
        self._first: FirstBatch | None = None
        self._hook: Any = None
        self._since = 0.0
        self._is_measuring = self._has_warned = False
        self._longest = MIN_STEPS

    def __enter__(self) -> Watch:
        if is_keras_model(self._model):
            raise UsageError("expected a PyTorch module as a context, got a Keras model; "
                             "try fit(callbacks=[vanishgrad.integrations.keras.KerasWatch()])")  # fmt: skip
        self.begin()
        self._hook = self._model.register_forward_hook(self._after_forward)
        return self

    def __exit__(self, *error: object) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
        self.end()

    def begin(self) -> None:
        """Start the clock, and wait for the first batch."""
        self._since = time.perf_counter()
        if self._batch is None:
            self._first = FirstBatch(self._model)

    def end(self) -> None:
        """Take what listens away, and draw the last picture."""
        if self._first is not None:
            self._first.close()
        if self._pictures:
            self._attempt("drawn", self._pictures.draw, self.records)
        if not self.records and self._due <= self.step and not self._has_warned:
            self._warn(f"watch: no measurement fits into {self._budget.share:g} of {self._budget.trained:.1f} s of "
                       "training; try a larger max_overhead, or watch.measure()")  # fmt: skip

    def after_step(self, step: int | None = None) -> None:
        """Count a training step, or be told which it was, and measure where that is due and there is time for it."""
        self.step = self.step + 1 if step is None else step
        self._trained_steps += 1
        now = time.perf_counter()
        self._budget.trained += now - self._since
        self._since = now
        if self.step >= self._due:
            self._take_first()
            if not self.records:
                self._budget.guess(self._trained_steps, _recurrent_weights(self._model))
            if size := self._budget.size(self._longest):
                self._measure(*size)
        self._since = time.perf_counter()

    def measure(self) -> Record | None:
        """Measure all sequences and steps now, whatever the budget says; None where that fails."""
        self._take_first()
        return self._measure(self._budget.most_trials, None)

    def _after_forward(self, module: Any, *call: object) -> None:
        import torch

        if module.training and torch.is_grad_enabled() and not self._is_measuring:
            self.after_step()

    def _take_first(self) -> None:
        """Take the first batch, once there is one."""
        first = self._first
        if first is not None and first.batch is not None:
            self._first = None
            first.close()
            self._model, self._batch = first.module, first.batch

    def _measure(self, trials: int, steps: int | None) -> Record | None:
        start = time.perf_counter()
        self._due, self._is_measuring = self.step + self._every, True
        record: dict[str, Any] = {}
        try:
            if self._batch is None:
                raise VanishgradError("expected to see what the first training step is given, got no numbers, as where "
                                      "a framework compiles its steps; try batch=BATCH")  # fmt: skip
            run = live_run(self._model, self._batch, evaluating=True, trials=self._budget.most_trials)
            captured = time.perf_counter()
            assert run is not None
            self._longest = min(int(call.lengths.max()) for call in run.calls.values())
            trials = min(trials, *(len(call.xs) for call in run.calls.values()))
            steps = min(steps or self._longest, self._longest)
            layers = measured(run, trials, steps, self._threshold)
            record = {"step": self.step, "layers": layers, "trials": trials, "steps": steps}
        except Exception as error:  # whatever it is, the training goes on
            self._warn(f"watch: step {self.step} is not measured: {error}")
            self._budget.spent += time.perf_counter() - start
            return None
        finally:
            self._is_measuring = False
        seconds = time.perf_counter() - start
        self._budget.charge(captured - start, start + seconds - captured, trials, steps)
        if any(layer["censored"] for layer in layers.values()):
            self._budget.grow(steps, self._longest)
        record |= {"seconds": seconds, "overhead": self._budget.overhead}
        self._keep(record)
        return record

    def _keep(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        short = {name: layer["horizon_state"] for name, layer in record["layers"].items() if self._is_short(layer)}
        if short:
            self.should_stop = True
            reach = ", ".join(f"{name} reaches {lag}" for name, lag in short.items())
            warnings.warn(f"step {self.step}: expected a horizon of {self._min_horizon}, but {reach}", stacklevel=2)
        start = time.perf_counter()
        for write in self._loggers:
            self._attempt("logged", write, record)
        if self._pictures and self._pictures.due(len(self.records), self._budget):
            self._attempt("drawn", self._pictures.draw, self.records)
        self._budget.spent += time.perf_counter() - start

    def _attempt(self, done: str, act: Callable[[Any], Any], argument: Any) -> None:
        try:
            act(argument)
        except Exception as error:  # whatever it is, the training goes on
            self._warn(f"watch: step {self.step} is not {done}: {error}")

    def _is_short(self, layer: Mapping[str, Any]) -> bool:
        lag = layer["horizon_state"]
        return (
            self._min_horizon is not None and not layer["censored"] and (-1 if lag is None else lag) < self._min_horizon
        )

    def _warn(self, sentence: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(sentence, stacklevel=3)


def _recurrent_weights(model: Any) -> int:
    """Return about how many recurrent weights a model has, for a guess of what a measurement takes."""
    if is_keras_model(model):
        return sum(2 * int(np.prod(weight.shape)) for weight in model.weights if "recurrent" in weight.path)
    names = ("weight_hh", "weight_ih")
    return sum(each.numel() for name, each in model.named_parameters() if name.rpartition(".")[2].startswith(names))
