"""What an explanation is asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from vanishgrad.curves.request import RunRequest
from vanishgrad.errors import UsageError
from vanishgrad.questions.analyze import AnalyzeRequest
from vanishgrad.questions.compare import CompareRequest
from vanishgrad.questions.explain.truncation.loss import LossRequest
from vanishgrad.weights.model_string import names_file

OF_FILES = ("layers", "stack", "embedding", "layout", "cell", "activation", "gate_activation", "reset")
"""The options that speak of a file."""


@dataclass(frozen=True)
class ExplainRequest(RunRequest):
    """Every option of an explanation.

    Attributes
    ----------
    source : str or None
        A MODEL, or a file of weights; None for a mapping of arrays.
    only : tuple of str
        The sections to work out; all if empty.
    hidden : int
        The hidden size of a MODEL that does not name its own.
    input_size : int or None
        Of a MODEL; None leaves it to the input: `hidden` without a file.
    tokens : str or None
        A file with a name for each step of the first sequence, one a line: what the map's axes say.
    lags : tuple of int
        Where singular values are worked out; 1, powers of ten and the last if empty.
    exponents, lyapunov_steps : int or None
        How many Lyapunov exponents, and how many steps they are averaged over.
    loss, cotangent, truncation
        Of the section truncation, as for `LossRequest`.
    layers, stack, embedding, layout, cell, activation, gate_activation, reset
        Of a file, as for `AnalyzeRequest`.
    """

    source: str | None
    only: tuple[str, ...] = ()
    hidden: int = 64
    input_size: int | None = None
    tokens: str | None = None
    lags: tuple[int, ...] = ()
    exponents: int | None = None
    lyapunov_steps: int | None = None
    loss: str = "all"
    cotangent: str | None = None
    truncation: int | None = None
    layers: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    embedding: str | None = None
    layout: str | None = None
    cell: str | None = None
    activation: str | None = None
    gate_activation: str | None = None
    reset: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backend != "numpy":
            raise UsageError(
                f"expected --backend numpy for explain, got {self.backend!r}; try compare or analyze with it"
            )
        self.loss_request()
        if self.is_file and self.input_size is not None:
            raise UsageError("expected --input-size with a MODEL, got a file of weights; try leaving it out")
        for name in () if self.is_file else OF_FILES:
            if getattr(self, name):
                flag = "layer" if name == "layers" else name.replace("_", "-")
                raise UsageError(f"expected --{flag} with a file of weights, got {self.source!r}; try leaving it out")

    @property
    def is_file(self) -> bool:
        """Whether the weights are a file's or a mapping's, and not drawn."""
        return self.source is None or names_file(self.source)

    def loss_request(self) -> LossRequest:
        """Return what is said of the loss whose gradient is truncated."""
        return LossRequest(self.loss, self.cotangent, self.truncation)

    def analysis(self) -> AnalyzeRequest:
        """Return the same request as `analyze` has it."""
        weights = () if self.source is None else (self.source,)
        return AnalyzeRequest(weights=weights, **{name: getattr(self, name) for name in OF_FILES}, **self._run())

    def comparison(self) -> CompareRequest:
        """Return the same request as `compare` has it."""
        return CompareRequest(models=(str(self.source),), hidden=self.hidden, input_size=self.input_size, **self._run())

    def _run(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(RunRequest)}
