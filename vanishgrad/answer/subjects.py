"""The models of an answer, each run once: random ones as `compare`'s trial 0, or the recurrent layers of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vanishgrad.answer.quantities.measured import MeasuredRun
from vanishgrad.cells import Cell
from vanishgrad.curves.model_result import unit_losses
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.inputs.sequences import InputRequest, InputSequences, input_sequences
from vanishgrad.models.options import ModelOptions
from vanishgrad.models.random_models import weights_of
from vanishgrad.propagation.run import run
from vanishgrad.weights.model_string import names_file, parse

DEFAULT_MODELS = (
    "rnn",
    "rnn@gaussian:gain=0.4",
    "lstm",
    "lstm:forget_bias=5",
    "lstm@chrono",
    "gru",
    "gru:forget_bias=5",
    "gru@chrono",
)
"""Chosen so that every theorem has a model on which it speaks and one on which it is silent."""

FEWEST_STEPS = 4


@dataclass(frozen=True)
class AnswerRequest:
    """Every option of an answer.

    Attributes
    ----------
    models : tuple of str
        MODEL strings and paths of weight files.
    layers : tuple of str
        The layers of a file to take; all by default.
    hints : mapping
        The reading of a file that leaves it open: layout, cell, activation, gate_activation, reset.
    hidden, steps, seed : int
    input_size : int or None
        None: the hidden size.
    input : str
        ``white[:STD]`` or ``zeros``.
    """

    models: tuple[str, ...] = DEFAULT_MODELS
    layers: tuple[str, ...] = ()
    hints: Mapping[str, str | None] = field(default_factory=dict)
    hidden: int = 64
    input_size: int | None = None
    steps: int = 100
    seed: int = 0
    input: str = "white"

    def __post_init__(self) -> None:
        if self.steps < FEWEST_STEPS:
            raise UsageError(f"expected --steps from {FEWEST_STEPS} on, got {self.steps}; try --steps 100")
        for label in self.models:
            if self.models.count(label) > 1:
                raise UsageError(f"expected each model once, got {label!r} twice; try leaving one out")


def runs(request: AnswerRequest) -> Iterator[MeasuredRun]:
    """Yield every model of a request, run along its input.

    Raises
    ------
    UsageError
        For a model that cannot be.
    VanishgradError
        If a file cannot be read, or a state overflows.
    """
    for label in request.models:
        if names_file(label):
            yield from _of_file(label, request)
        else:
            yield _random(label, request)


def _random(label: str, request: AnswerRequest) -> MeasuredRun:
    sequences = input_sequences(_input_request(request, request.input_size), request.hidden)
    spec, weights = weights_of(parse(label), ModelOptions(hidden=request.hidden, seed=request.seed), sequences)
    return _run(label, str(spec), weights.cell(spec).trial(0), spec.cell, request, sequences)


def _of_file(path: str, request: AnswerRequest) -> Iterator[MeasuredRun]:
    from vanishgrad.weights.recognition import recurrent_layers

    found = recurrent_layers(path, **request.hints)
    chosen = found.select(request.layers)
    for layer in chosen:
        sequences = input_sequences(_input_request(request, layer.input_size), layer.hidden_size)
        label = layer.name if len(chosen) > 1 else f"{Path(path).name} {layer.name}"
        yield _run(label, f"{layer.cell} {layer.name} of {path}", layer.build(), layer.cell, request, sequences)


def _input_request(request: AnswerRequest, width: int | None) -> InputRequest:
    if request.input.partition(":")[0] not in ("white", "zeros"):
        raise UsageError(f"expected --input white[:STD] or zeros, got {request.input!r}; try --input white")
    return InputRequest(request.input, request.steps, 1, width, seed=request.seed)


def _run(
    label: str, spec: str, cell: Cell, kind: str, request: AnswerRequest, sequences: InputSequences
) -> MeasuredRun:
    start = initial_state("zeros", cell, kind, 1, request.seed, "float64")
    trajectory = run(cell, sequences.xs, start)
    return MeasuredRun(label, spec, cell, trajectory, unit_losses(cell, 1, request.seed)[0])


def demand_some(found: Sequence[object]) -> None:
    """Refuse an answer about nothing."""
    if not found:
        raise VanishgradError("expected at least one model, got none; try vanishgrad answer lstm gru")
