"""`watch`: the recurrent layers of a live PyTorch module measured while it is trained, on a budget of time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any

from vanishgrad.errors import UsageError
from vanishgrad.models.captured_run import CapturedRun
from vanishgrad.models.forward_arguments import Arguments
from vanishgrad.models.live_torch import captured_run, is_torch_module
from vanishgrad.questions.analyze import AnalyzeRequest, analyze
from vanishgrad.questions.watch.budget import MIN_STEPS, Budget
from vanishgrad.questions.watch.loggers import Record, logger

CURVES = ("state", "input")


class Watch:
    """Measures a module's recurrent layers at every so many training steps, on one batch, and logs what it finds.

    A training step is a forward in training mode with gradients. The module is left as it was; a measurement that fails
    warns once and never stops the training.

    Parameters
    ----------
    model : torch.nn.Module
    every : int
        Training steps between measurements, more where the budget asks for it.
    batch : object, optional
        What forward takes, as for ``analyze(module, input=batch)``; the first training step's own by default.
    log : object, optional
        As `logger`; `records` holds everything in any case.
    max_overhead : float
        The share of the training time that may be spent.
    trials : int
        Sequences that are measured at most.
    threshold : float
        Below it the gradient is gone.
    min_horizon : int, optional
        Warn, and set `should_stop`, once a layer's state reaches no farther.

    Attributes
    ----------
    records : list
        One for each measurement: step, seconds, overhead, trials, steps, and of each layer factor (× per step), rate
        (nats per step), horizon_state, horizon_input (None where even lag 0 is below), censored, and its gates' means.
    should_stop : bool
    """

    def __init__(
        self, model: Any, every: int = 100, batch: Any = None, log: Any = None, max_overhead: float = 0.01,
        trials: int = 4, threshold: float = 1e-3, min_horizon: int | None = None,
    ) -> None:  # fmt: skip
        if not is_torch_module(model):
            raise UsageError(f"expected a torch.nn.Module to watch, got {type(model).__name__}; try the module itself")
        for name, value in (("every", every), ("trials", trials)):
            if not isinstance(value, int) or value < 1:
                raise UsageError(f"expected a whole number from 1 on for {name}, got {value!r}")
        if not 0 < max_overhead <= 1:
            raise UsageError(f"expected max_overhead above 0 and up to 1, got {max_overhead!r}; try 0.01")
        self.records: list[Record] = []
        self.should_stop = False
        self.step = 0
        self._model, self._every, self._batch = model, every, batch
        self._log = None if log is None else logger(log)
        self._threshold, self._min_horizon = threshold, min_horizon
        self._budget = Budget(max_overhead, trials)
        self._due = every
        self._handles: list[Any] = []
        self._since = 0.0
        self._warned = False
        self._longest = MIN_STEPS

    def __enter__(self) -> Watch:
        self._since = time.perf_counter()
        self._handles = [
            self._model.register_forward_pre_hook(self._before, with_kwargs=True),
            self._model.register_forward_hook(self._after),
        ]
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _before(self, module: Any, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        if self._batch is None and self._is_training():
            self._batch = Arguments(_copied(positional), _copied(dict(named)))

    def _after(self, *call: object) -> None:
        if not self._is_training():
            return
        self.step += 1
        self._clock()
        if self.step >= self._due and (size := self._budget.size(self._longest)):
            self._measure(*size)

    def _is_training(self) -> bool:
        import torch

        return bool(self._model.training) and torch.is_grad_enabled()

    def _clock(self) -> None:
        now = time.perf_counter()
        self._budget.trained += now - self._since
        self._since = now

    def measure(self) -> Record | None:
        """Measure all sequences and steps now, whatever the budget says; None where that fails."""
        return self._measure(self._budget.most_trials, None)

    def _measure(self, trials: int, steps: int | None) -> Record | None:
        handles, start = self._handles, time.perf_counter()
        self._due = self.step + self._every
        self.__exit__()
        try:
            record = self._record(trials, steps)
        except Exception as error:  # whatever it is, the training goes on
            self._warn(f"watch: step {self.step} is not measured: {error}")
            return None
        finally:
            seconds = time.perf_counter() - start
            self._budget.charge(seconds, trials, steps or self._longest)
            if handles:
                self.__enter__()
        found = {**record, "seconds": seconds, "overhead": self._budget.overhead}
        self._keep(found)
        return found

    def _record(self, trials: int, steps: int | None) -> dict[str, Any]:
        run = _run(self._model, self._batch)
        self._longest = min(int(call.lengths.max()) for call in run.calls.values())
        trials = min(trials, *(len(call.xs) for call in run.calls.values()))
        steps = min(steps or self._longest, self._longest)
        request = AnalyzeRequest(weights=(run,), curves=CURVES, trials=trials, steps=steps, threshold=self._threshold)
        layers = {model.label: _quantities(model) for model in analyze(request).models}
        return {"step": self.step, "layers": layers, "trials": trials, "steps": steps}

    def _keep(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        short = {name: each["horizon_state"] for name, each in record["layers"].items() if self._is_short(each)}
        if short:
            self.should_stop = True
            said = ", ".join(f"{name} reaches {lag}" for name, lag in short.items())
            warnings.warn(f"step {self.step}: expected a horizon of {self._min_horizon}, but {said}", stacklevel=2)
        if self._log is not None:
            try:
                self._log(record)
            except Exception as error:  # whatever it is, the training goes on
                self._warn(f"watch: step {self.step} is not logged: {error}")

    def _is_short(self, layer: Mapping[str, Any]) -> bool:
        lag = layer["horizon_state"]
        return (
            self._min_horizon is not None and not layer["censored"] and (-1 if lag is None else lag) < self._min_horizon
        )

    def _warn(self, sentence: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(sentence, stacklevel=3)


def _run(model: Any, batch: Any) -> CapturedRun:
    """Return the run of a batch in evaluation mode: dropout's masks are noise between one measurement and the next."""
    return captured_run(model, batch, evaluating=True)


def _quantities(model: Any) -> dict[str, Any]:
    state, received = (model.curves[name] for name in CURVES)
    return {
        "factor": state.rate.factor if state.rate else None,
        "rate": state.rate.value if state.rate else None,
        "horizon_state": state.horizon.lag,
        "censored": state.horizon.censored,
        "horizon_input": received.horizon.lag,
        **{f"gate_{name}": gate.mean for name, gate in model.gates.items()},
    }


def _copied(value: Any) -> Any:
    """Return arguments with a copy of each tensor, which later edits of the caller's leave alone."""
    if hasattr(value, "detach"):
        return value.detach().clone()
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    return value
